/** L12: an acknowledgement follows visibility at the committed level. */
import type * as Db from "@effect-slatedb/core/Db"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import type * as Settings from "@effect-slatedb/core/Settings"
import * as WriteBatch from "@effect-slatedb/core/WriteBatch"
import * as Fault from "@effect-slatedb/testkit/Fault"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Scheduler from "effect/Scheduler"
import * as TestClock from "effect/testing/TestClock"
import * as TestDb from "../support/TestDb.ts"

/** A write, and what its writer sees in the very step in which it is answered. */
const writeAndLook = (db: Db.Db["Service"], i: number) => {
  const key = `k${i}`
  const write =
    i % 3 === 0
      ? db.write(
          WriteBatch.fromEntries([
            [key, "1"],
            [`${key} too`, "1"]
          ])
        )
      : db.put(key, "1")
  return Effect.andThen(
    write,
    Effect.gen(function* () {
      assert.strictEqual(TestDb.textOption(yield* db.getOption(key)), "1", `get of ${key}`)
      assert.deepInclude(yield* TestDb.lines(db, KeyRange.prefix(key)), `${key}=1`)
      const { durableSequence } = yield* db.status
      assert.isAbove(durableSequence, 0)
      return i
    })
  )
}

const modes: ReadonlyArray<readonly [name: string, settings: Settings.Input]> = [
  ["interval", { walFlush: "interval" }],
  ["eager", { walFlush: "eager" }],
  ["interval with small memtables", { l0SstSizeBytes: 200, l0MaxSsts: 1000 }],
  ["without a WAL", { walEnabled: false, l0SstSizeBytes: 200, l0MaxSsts: 1000 }]
]

it.effect.each(modes)("a writer that is answered sees its write by committed reads: %s", ([_name, settings]) =>
  Effect.gen(function* () {
    const process = yield* TestDb.alone
    const db = yield* process.open(settings)
    yield* process.faults.add({ operation: "putIfAbsent", fault: Fault.delayBetween("1 millis", "90 millis") })
    yield* process.faults.add({ operation: "putIfAbsent", probability: 0.1, fault: Fault.failAfter() })
    const writers: Array<Fiber.Fiber<number, unknown>> = []
    for (let i = 0; i < 60; i++) {
      writers.push(yield* Effect.forkChild(writeAndLook(db, i), { startImmediately: true }))
      if (i % 4 === 0) yield* TestClock.adjust("13 millis")
    }
    // Without a WAL nothing but a flush stores the last rows.
    const rest = settings.walEnabled === false ? db.flush() : Effect.void
    const answered = yield* TestDb.awaitWithTime(Effect.andThen(rest, Fiber.joinAll(writers)))
    assert.lengthOf(answered, 60)
  }).pipe(Random.withSeed(1), Effect.provideService(Scheduler.MaxOpsBeforeYield, 20))
)

it.effect("a flush that is answered has made all writes before it visible", () =>
  Effect.gen(function* () {
    const process = yield* TestDb.alone
    const db = yield* process.open({ walFlush: "manual" })
    yield* process.faults.add({ operation: "putIfAbsent", fault: Fault.delay("20 millis") })
    for (const target of ["wal", "memtable"] as const) {
      yield* db.put(target, "1", { awaitDurable: false })
      assert.strictEqual(TestDb.textOption(yield* db.getOption(target)), undefined)
      yield* TestDb.awaitWithTime(
        Effect.andThen(
          db.flush(target),
          Effect.map(db.getOption(target), (value) => assert.strictEqual(TestDb.textOption(value), "1"))
        )
      )
    }
  })
)
