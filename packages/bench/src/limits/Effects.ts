/** What it costs to hand an answer over through Effect. */
import * as Effect from "effect/Effect"
import type { Limit } from "./Limit.ts"
import { keep } from "./Limit.ts"

const inFiber = 200_000
const runs = 30_000

const succeeded = Effect.succeed(1)

const loopOf = (answer: (i: number) => Effect.Effect<number>) =>
  Effect.gen(function* () {
    for (let i = 0; i < inFiber; i++) keep(yield* answer(i))
    return inFiber
  })

export const limits = (): ReadonlyArray<Limit> => [
  {
    title: "effect: handing over an answer",
    unit: "answer",
    variants: [
      { name: "yield* of a made succeed", run: () => Effect.runSync(loopOf(() => succeeded)) },
      { name: "yield* of succeed", run: () => Effect.runSync(loopOf(Effect.succeed)) },
      { name: "yield* of sync", run: () => Effect.runSync(loopOf((i) => Effect.sync(() => i))) },
      {
        name: "runSync of succeed",
        run: () => {
          for (let i = 0; i < runs; i++) keep(Effect.runSync(succeeded))
          return runs
        }
      },
      {
        name: "runPromise of succeed",
        run: async () => {
          for (let i = 0; i < runs; i++) keep(await Effect.runPromise(succeeded))
          return runs
        }
      },
      {
        name: "runPromise of promise",
        run: async () => {
          const promised = Effect.promise(() => Promise.resolve(1))
          for (let i = 0; i < runs; i++) keep(await Effect.runPromise(promised))
          return runs
        }
      }
    ]
  }
]
