/**
 * What the tests of ADR 3's sequence share: a bucket with one process, and steps of
 * virtual time. A test that fails while the store stands still ends all the same.
 */
import type * as Db from "@effect-slatedb/core/Db"
import type * as Settings from "@effect-slatedb/core/Settings"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as TestDb from "./TestDb.ts"

/** A process on a bucket of its own. Before its database closes the store is well again, and time passes. */
export const setUp = Effect.gen(function* () {
  const bucket = TestDb.bucket()
  const process = yield* TestDb.process(bucket)
  const open = (settings?: Settings.Input) =>
    Effect.tap(process.open(settings), (db) =>
      Effect.addFinalizer(() => Effect.andThen(process.faults.clear, TestDb.exitWithTime(db.close)))
    )
  return { bucket, process: { ...process, open } }
})

export const fork = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.forkChild(effect, { startImmediately: true })

/** Lets everything happen that needs no more than 10 ms. */
export const settle = Effect.forEach(Array(40), () => TestClock.adjust("250 micros"), { discard: true })

export const noWait = { awaitDurable: false } as const

/** Puts in a WAL object of its own, durable when this returns. */
export const putDurable = (db: Db.Db["Service"], key: string, value: string) =>
  TestDb.awaitWithTime(Effect.andThen(db.put(key, value, noWait), db.flush("wal")))
