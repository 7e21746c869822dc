/** What it costs to hand an answer over: calls, promises, turns of the event loop. */
import { turn } from "../Loop.ts"
import type { Limit } from "./Limit.ts"
import { keep } from "./Limit.ts"

const often = 300_000
const seldom = 30_000

const answered = async (value: number): Promise<number> => value
const nested = async (value: number): Promise<number> => await answered(value)
const nestedTwice = async (value: number): Promise<number> => await nested(value)

function* numbers(): Generator<number> {
  for (let i = 0; i < often; i++) yield i
}

async function* numbersLater(): AsyncGenerator<number> {
  for (let i = 0; i < often; i++) yield i
}

const awaiting = (times: number, answer: (i: number) => unknown) => async (): Promise<number> => {
  for (let i = 0; i < times; i++) await answer(i)
  return times
}

export const limits = (): ReadonlyArray<Limit> => [
  {
    title: "loop: handing over an answer",
    unit: "answer",
    variants: [
      { name: "await of a value", run: awaiting(often, (i) => i) },
      { name: "await of an async function", run: awaiting(often, answered) },
      { name: "await of three nested async functions", run: awaiting(often, nestedTwice) },
      { name: "await of setImmediate", run: awaiting(seldom, turn) },
      {
        name: "generator",
        run: () => {
          for (const number of numbers()) keep(number)
          return often
        }
      },
      {
        name: "async generator",
        run: async () => {
          for await (const number of numbersLater()) keep(number)
          return often
        }
      },
      {
        name: "performance.now()",
        run: () => {
          for (let i = 0; i < often; i++) keep(performance.now())
          return often
        }
      }
    ]
  }
]
