/** When a WAL is frozen, and how it is without one: `walFlush` and `walEnabled`. */
import type * as Db from "@effect-slatedb/core/Db"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import type * as Settings from "@effect-slatedb/core/Settings"
import * as Fault from "@effect-slatedb/testkit/Fault"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as OtherProcess from "./support/OtherProcess.ts"
import * as TestDb from "./support/TestDb.ts"

const later = { awaitDurable: false } as const

const opened = (settings: Settings.Input) =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    const process = yield* TestDb.process(bucket)
    const db = yield* process.open(settings)
    yield* process.faults.reset
    const creates = Effect.map(process.faults.requests({ operation: "putIfAbsent" }), (requests) =>
      requests.map(({ path }) => path)
    )
    return { bucket, process, db, creates }
  })

const fork = <A, E>(effect: Effect.Effect<A, E>) => Effect.forkChild(effect, { startImmediately: true })

/** Puts of so many writers at once, each waiting for durability. */
const writers = (db: Db.Db["Service"], count: number, name: string) =>
  fork(
    Effect.forEach(Array.from({ length: count }), (_, i) => db.put(`${name}${i}`, "1"), {
      concurrency: "unbounded",
      discard: true
    })
  )

describe("eager", () => {
  it.effect("a put that waits is stored at once, without a tick", () =>
    Effect.gen(function* () {
      const { creates, db } = yield* opened({ walFlush: "eager", flushInterval: "1 hour" })
      const put = yield* fork(db.put("a", "1"))
      yield* TestClock.adjust(0)
      assert.isDefined(put.pollUnsafe())
      assert.deepStrictEqual(yield* creates, [OtherProcess.paths.wals.path(2)])
    })
  )

  it.effect("all writers of a round share one PUT, and what comes during it shares the next", () =>
    Effect.gen(function* () {
      const { bucket, creates, db, process } = yield* opened({ walFlush: "eager", flushInterval: "1 hour" })
      yield* process.faults.add({ operation: "putIfAbsent", fault: Fault.delay("30 millis") })
      const first = yield* writers(db, 50, "a")
      yield* TestClock.adjust("10 millis")
      const second = yield* writers(db, 50, "b")
      const third = yield* writers(db, 50, "c")
      yield* TestClock.adjust("20 millis")
      assert.isDefined(first.pollUnsafe())
      assert.isUndefined(second.pollUnsafe())
      yield* TestClock.adjust("30 millis")
      yield* Effect.all([Fiber.join(second), Fiber.join(third)])
      assert.deepStrictEqual(yield* creates, [2, 3].map(OtherProcess.paths.wals.path))
      assert.lengthOf(OtherProcess.rows(bucket, OtherProcess.paths.wals.path(2)), 50)
      assert.lengthOf(OtherProcess.rows(bucket, OtherProcess.paths.wals.path(3)), 100)
    })
  )

  it.effect("a put that does not wait is stored at the tick, or with the next that waits", () =>
    Effect.gen(function* () {
      const { bucket, creates, db } = yield* opened({ walFlush: "eager" })
      yield* db.put("a", "1", later)
      yield* TestClock.adjust("99 millis")
      assert.lengthOf(yield* creates, 0)
      yield* TestClock.adjust("1 millis")
      assert.lengthOf(yield* creates, 1)
      yield* db.put("b", "1", later)
      yield* db.put("c", "1")
      assert.lengthOf(OtherProcess.rows(bucket, OtherProcess.paths.wals.path(3)), 2)
    })
  )
})

describe("manual", () => {
  it.effect("nothing is stored before a flush, which stores everything", () =>
    Effect.gen(function* () {
      const { bucket, creates, db } = yield* opened({ walFlush: "manual", collectorEnabled: false })
      const put = yield* fork(db.put("a", "1"))
      yield* db.put("b", "1", later)
      yield* TestClock.adjust("1 hour")
      assert.lengthOf(yield* creates, 0)
      assert.isUndefined(put.pollUnsafe())
      yield* db.flush()
      yield* Fiber.join(put)
      assert.lengthOf(OtherProcess.rows(bucket, OtherProcess.paths.wals.path(2)), 2)
    })
  )

  it.effect("but a WAL that is full is", () =>
    Effect.gen(function* () {
      const { creates, db } = yield* opened({ walFlush: "manual", walMaxBytes: 1000 })
      yield* db.put("a", "v".repeat(1000), later)
      yield* TestClock.adjust(0)
      assert.lengthOf(yield* creates, 1)
    })
  )

  it.effect("a flush of nothing asks the store nothing", () =>
    Effect.gen(function* () {
      const { db, process } = yield* opened({ walFlush: "manual" })
      yield* db.flush("wal")
      yield* db.flush("memtable")
      assert.lengthOf(yield* process.faults.requests(), 0)
    })
  )
})

describe("without a WAL", () => {
  it.effect("there is no log, and no fence", () =>
    Effect.gen(function* () {
      const { bucket, db } = yield* opened({ walEnabled: false })
      yield* db.put("a", "1", later)
      yield* db.flush("memtable")
      assert.deepStrictEqual(TestDb.paths(bucket, "db/wal/"), [])
      const { replayAfterWalId, walIdLastSeen } = yield* OtherProcess.manifest(bucket)
      assert.deepStrictEqual([replayAfterWalId, walIdLastSeen], [0, 0])
    })
  )

  it.effect("a write is durable, and committed, when a written manifest names its table", () =>
    Effect.gen(function* () {
      const { db, process } = yield* opened({ walEnabled: false })
      const gate = yield* process.faults.hold({ operation: "putIfAbsent", path: "manifest/" })
      const put = yield* fork(db.put("a", "1"))
      const flush = yield* fork(db.flush())
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* gate.waiting, 1)
      assert.isUndefined(put.pollUnsafe())
      assert.deepStrictEqual(yield* TestDb.lines(db, KeyRange.all), [])
      assert.deepStrictEqual(yield* TestDb.lines(db, KeyRange.all, { readLevel: "uncommitted" }), ["a=1"])
      yield* gate.open
      yield* Effect.all([Fiber.join(put), Fiber.join(flush)])
      assert.deepStrictEqual(yield* TestDb.lines(db, KeyRange.all), ["a=1"])
    })
  )

  it.effect("a memtable of l0SstSizeBytes is flushed by itself", () =>
    Effect.gen(function* () {
      const { bucket, db } = yield* opened({ walEnabled: false, l0SstSizeBytes: 1000 })
      yield* TestDb.awaitWithTime(db.put("a", "v".repeat(1000)))
      assert.lengthOf((yield* OtherProcess.manifest(bucket)).l0, 1)
    })
  )

  it.effect("many waiters of several memtables are each answered by theirs", () =>
    Effect.gen(function* () {
      const { db, process } = yield* opened({ walEnabled: false, l0SstSizeBytes: 1000, l0MaxSsts: 100 })
      yield* process.faults.add({ operation: "putIfAbsent", fault: Fault.delay("10 millis") })
      for (let i = 0; i < 20; i++) {
        const put = yield* fork(db.put(`k${i}`, "v".repeat(400)))
        yield* TestClock.adjust("3 millis")
        yield* fork(
          Effect.andThen(
            Fiber.join(put),
            Effect.tap(db.status, ({ durableSequence }) => Effect.sync(() => assert.isAtLeast(durableSequence, i + 1)))
          )
        )
      }
      yield* TestDb.awaitWithTime(db.flush())
      const { durableSequence, visibleSequence } = yield* db.status
      assert.deepStrictEqual([durableSequence, visibleSequence], [20, 20])
    })
  )

  it.effect("a crash takes what was not flushed, and a WAL may be used again", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const process = yield* TestDb.process(bucket)
      const scope = yield* TestDb.manualScope
      const db = yield* process.open({ walEnabled: false }).pipe(Effect.provideService(Scope.Scope, scope.scope))
      yield* db.put("a", "1", later)
      yield* db.flush()
      yield* db.put("b", "1", later)
      yield* TestDb.crash(process)
      const withWal = yield* (yield* TestDb.process(bucket)).open()
      yield* TestDb.awaitWithTime(withWal.put("c", "1"))
      yield* TestDb.awaitWithTime(withWal.close)
      const without = yield* (yield* TestDb.process(bucket)).open({ walEnabled: false })
      assert.deepStrictEqual(yield* TestDb.lines(without, KeyRange.all), ["a=1", "c=1"])
      yield* without.put("d", "1", later)
      yield* without.flush()
      yield* TestDb.awaitWithTime(without.close)
      assert.strictEqual((yield* OtherProcess.manifest(bucket)).lastL0Sequence, 3)
    })
  )
})
