/**
 * Writers slow down before they stop: a store that flushes slower than they write
 * sets their pace, and they are told. The store's link carries so many bytes a second,
 * time is virtual, and a writer takes none of it for itself.
 */
import type * as Db from "@effect-slatedb/core/Db"
import type * as Settings from "@effect-slatedb/core/Settings"
import * as WriteBatch from "@effect-slatedb/core/WriteBatch"
import * as Fault from "@effect-slatedb/testkit/Fault"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as TestDb from "./support/TestDb.ts"

type Opened = Db.Db["Service"]

const later = { awaitDurable: false } as const
/** With its key and what goes with it a row of 1,000 bytes, about. */
const value = new Uint8Array(970)
const rowBytes = 1000
const settings: Settings.Input = {
  maxUnflushedBytes: 4_000_000,
  l0SstSizeBytes: 200_000,
  l0MaxSsts: 100_000,
  walMaxBytes: 100_000,
  // It would share the link to level 0.
  compactorEnabled: false
}
/** What the link to level 0 carries. */
const bytesPerSecond = 200_000

const openSlow = Effect.fnUntraced(function* (input?: Settings.Input) {
  const process = yield* TestDb.alone
  const db = yield* process.open({ ...settings, ...input })
  yield* process.faults.add({
    operation: "putIfAbsent",
    path: "compacted/",
    fault: Fault.throttle(bytesPerSecond)
  })
  return { db, process }
})

/** A writer of its own that writes on and on, `pause` after each row, and the moments at which its rows were accepted. */
const startWriter = Effect.fnUntraced(function* (db: Opened, pause?: "1 millis" | "10 millis") {
  const accepted: Array<number> = []
  const write = Effect.suspend(() => db.put(`key ${accepted.length % 5000}`, value, later)).pipe(
    Effect.andThen(Clock.currentTimeMillis),
    Effect.tap((millis) => Effect.sync(() => accepted.push(millis))),
    Effect.andThen(pause === undefined ? Effect.void : Effect.sleep(pause)),
    Effect.forever
  )
  const fiber = yield* Effect.forkChild(write)
  return { accepted, fiber }
})

/** Lets time pass in small steps. */
const pass = Effect.fnUntraced(function* (millis: number, look: Effect.Effect<void> = Effect.void) {
  for (let i = 0; i < millis; i += 20) {
    yield* TestClock.adjust("20 millis")
    yield* look
  }
})

describe("a store slower than the writers", () => {
  it.effect("sets their pace: they come to it gradually, never stop for a second, and memory is never full", () =>
    Effect.gen(function* () {
      const { db } = yield* openSlow()
      const { accepted } = yield* startWriter(db, "1 millis")
      const seen: Array<Db.Status> = []
      yield* pass(
        60_000,
        Effect.map(db.status, (status) => {
          seen.push(status)
        })
      )
      assert.isTrue(seen.every(({ unflushedBytes }) => unflushedBytes < 4_000_000))
      // Two thirds of the time are for coming to the pace; the rest is kept.
      const late = accepted.filter((millis) => millis > 40_000)
      assert.approximately((late.length * rowBytes) / 20, bytesPerSecond, 0.15 * bytesPerSecond)
      const gaps = accepted.slice(1).map((millis, i) => millis - (accepted[i] as number))
      assert.isBelow(Math.max(...gaps), 1000)
      // At the beginning as fast as they can; then each second a little less.
      const inSecond = (second: number) => accepted.filter((millis) => Math.floor(millis / 1000) === second).length
      assert.isAbove(inSecond(0), 950)
      const paces = [0, 1, 2, 8, 12].map(inSecond)
      assert.deepStrictEqual(
        paces,
        paces.toSorted((a, b) => b - a)
      )
    })
  )

  it.effect("says so: how much waits, what it costs, and when they would stop", () =>
    Effect.gen(function* () {
      const { db } = yield* openSlow()
      yield* startWriter(db, "1 millis")
      yield* pass(1000)
      const before = yield* db.status
      assert.strictEqual(before.writeDelayMillis, 0)
      assert.isEmpty(before.warnings)
      assert.isAbove(before.flushBacklogBytes, 200_000)
      // 800 bytes a millisecond too many, for what is left of the memory.
      assert.isDefined(before.secondsToStop)
      assert.isAbove(before.secondsToStop ?? 0, 1)
      assert.isBelow(before.secondsToStop ?? Infinity, 6)
      yield* pass(30_000)
      const { compactionBacklogBytes, flushBacklogBytes, l0Tables, unflushedBytes, warnings, writeDelayMillis } =
        yield* db.status
      assert.isAbove(flushBacklogBytes, 1_000_000)
      assert.isAtMost(flushBacklogBytes, unflushedBytes)
      // A mebibyte takes 5 s to flush.
      assert.isAbove(writeDelayMillis, 500)
      assert.approximately(compactionBacklogBytes, l0Tables * 200_000, l0Tables * 100_000)
      assert.isAbove(compactionBacklogBytes, 1_000_000)
      assert.include(warnings.join(), "writers are slowed down, as memtables are not flushed as fast")
    })
  )

  it.effect("delays more the fuller memory is", () =>
    Effect.gen(function* () {
      const { db, process } = yield* openSlow()
      yield* startWriter(db, "1 millis")
      yield* pass(2000)
      // From here on nothing is flushed: memory only fills.
      yield* process.faults.hold({ operation: "putIfAbsent", path: "compacted/" })
      let before = yield* db.status
      let delayed = 0
      for (let i = 0; i < 400; i++) {
        yield* pass(20)
        const status = yield* db.status
        if (before.unflushedBytes < 4_000_000 && status.unflushedBytes >= before.unflushedBytes) {
          assert.isAtLeast(status.writeDelayMillis, before.writeDelayMillis)
          if (status.writeDelayMillis > before.writeDelayMillis) delayed++
        }
        before = status
      }
      assert.isAbove(delayed, 50)
    })
  )

  it.effect("is shared by all who write, in the order in which they come, batches as well", () =>
    Effect.gen(function* () {
      const { db } = yield* openSlow()
      const writers = yield* Effect.forEach([1, 2, 3, 4], () => startWriter(db, "1 millis"))
      let batches = 0
      const batch = Effect.sync(() =>
        Array.from({ length: 50 }, (_, i) => i).reduce(
          (rows, i) => WriteBatch.put(rows, `batch ${batches} ${i}`, value),
          WriteBatch.empty
        )
      )
      yield* Effect.forkChild(
        Effect.forever(
          Effect.tap(
            Effect.flatMap(batch, (rows) => db.write(rows, later)),
            () => {
              batches++
              return Effect.sleep("1 millis")
            }
          )
        )
      )
      yield* pass(20_000)
      const [rowsBefore, batchesBefore] = [writers.map(({ accepted }) => accepted.length), batches]
      yield* pass(20_000)
      const rows = writers.map(({ accepted }, i) => accepted.length - (rowsBefore[i] as number))
      assert.isAtMost(Math.max(...rows) - Math.min(...rows), 2)
      assert.approximately(batches - batchesBefore, Math.min(...rows), 2)
      const bytes = rows.reduce((sum, count) => sum + count, 0) + 50 * (batches - batchesBefore)
      assert.approximately((bytes * rowBytes) / 20, bytesPerSecond, 0.25 * bytesPerSecond)
    })
  )

  it.effect("does not delay reads", () =>
    Effect.gen(function* () {
      const { db } = yield* openSlow()
      yield* startWriter(db, "1 millis")
      yield* pass(20_000)
      const began = yield* Clock.currentTimeMillis
      assert.isAbove((yield* db.status).writeDelayMillis, 0)
      assert.strictEqual((yield* db.get("key 1")).length, value.length)
      assert.isDefined(db.getUnsafe("key 1"))
      assert.strictEqual(yield* Clock.currentTimeMillis, began)
    })
  )
})

describe("a store at rest", () => {
  it.effect("is not taken for a slow one", () =>
    Effect.gen(function* () {
      const { db } = yield* openSlow()
      const { fiber } = yield* startWriter(db, "10 millis")
      yield* pass(10_000)
      yield* Fiber.interrupt(fiber)
      yield* db.flush("memtable").pipe(TestDb.awaitWithTime)
      yield* TestClock.adjust("10 hours")
      yield* startWriter(db, "1 millis")
      let most = 0
      yield* pass(
        10_000,
        Effect.map(db.status, ({ writeDelayMillis }) => {
          most = Math.max(most, writeDelayMillis)
        })
      )
      assert.isAbove(most, 0)
      // Twice of what a mebibyte takes on the link, and a little for what goes with rows.
      assert.isBelow(most, 2.2 * 1000 * ((1024 * 1024) / bytesPerSecond))
    })
  )
})

describe("a store fast enough", () => {
  it.effect("delays nobody, whatever was written before", () =>
    Effect.gen(function* () {
      const { db } = yield* openSlow()
      const { accepted } = yield* startWriter(db, "10 millis")
      yield* pass(
        30_000,
        Effect.map(db.status, (status) => {
          assert.strictEqual(status.writeDelayMillis, 0)
          assert.isEmpty(status.warnings)
        })
      )
      assert.isAtLeast(accepted.length, 2990)
    })
  )

  it.effect("lets writers go on at once when it has caught up", () =>
    Effect.gen(function* () {
      const { db, process } = yield* openSlow()
      const { accepted } = yield* startWriter(db, "1 millis")
      yield* pass(30_000)
      assert.isAbove((yield* db.status).writeDelayMillis, 0)
      yield* process.faults.clear
      // What is on the old link comes to its end.
      yield* pass(8000)
      const before = accepted.length
      yield* pass(1000)
      assert.isAtLeast(accepted.length - before, 950)
      assert.isEmpty((yield* db.status).warnings)
    })
  )
})

describe("level 0 near its limit", () => {
  it.effect("slows writers down while memory has room, once memtables wait", () =>
    Effect.gen(function* () {
      const { db } = yield* openSlow({ l0MaxSsts: 8, maxUnflushedBytes: 100_000_000 })
      const { accepted } = yield* startWriter(db, "1 millis")
      let before = 0
      for (let l0Tables = 0; l0Tables < 8;) {
        yield* pass(20)
        const status = yield* db.status
        l0Tables = status.l0Tables
        if (status.l0Tables + status.immutableMemtables < 5) assert.strictEqual(status.writeDelayMillis, 0)
        before = Math.max(before, status.writeDelayMillis)
      }
      const { flushBacklogBytes, unflushedBytes, warnings } = yield* db.status
      assert.isAbove(before, 1000)
      assert.isBelow(unflushedBytes, 50_000_000)
      const now = yield* Clock.currentTimeMillis
      assert.isBelow(accepted.filter((millis) => millis > now - 1000).length, 400)
      assert.isAbove(flushBacklogBytes, 0)
      assert.include(warnings.join(), "writers are slowed down")
    })
  )
})

describe("where time stands still", () => {
  it.effect("nobody is delayed: a store that drains without it lets writers pass through many times the memory", () =>
    Effect.gen(function* () {
      const process = yield* TestDb.alone
      const db = yield* process.open(settings)
      yield* TestClock.adjust("1 minute")
      const began = yield* Clock.currentTimeMillis
      const { accepted, fiber } = yield* startWriter(db)
      for (let i = 0; i < 100_000 && accepted.length < 20_000; i++) yield* Effect.yieldNow
      yield* Fiber.interrupt(fiber)
      assert.isAtLeast(accepted.length, 20_000)
      assert.strictEqual(yield* Clock.currentTimeMillis, began)
    })
  )
})

describe("delayed writers", () => {
  /** So slowed down that the next write waits for most of a second. */
  const delayed = Effect.gen(function* () {
    const { db } = yield* openSlow()
    yield* startWriter(db, "1 millis").pipe(
      Effect.tap(() => pass(30_000)),
      Effect.flatMap(({ fiber }) => Fiber.interrupt(fiber))
    )
    yield* TestDb.awaitWithTime(db.put("debt", new Uint8Array(400_000), later))
    return db
  })

  it.effect("are told when the database closes, which does not wait for them", () =>
    Effect.gen(function* () {
      const db = yield* delayed
      const writers = yield* Effect.forEach(["a", "b", "c"], (key) =>
        Effect.forkChild(Effect.flip(db.put(key, "1", later)), { startImmediately: true })
      )
      const began = yield* Clock.currentTimeMillis
      yield* db.close
      assert.strictEqual(yield* Clock.currentTimeMillis, began)
      for (const writer of writers) assert.strictEqual((yield* Fiber.join(writer)).reason._tag, "Closed")
    })
  )

  it.effect("leave nothing behind when they are interrupted", () =>
    Effect.gen(function* () {
      const db = yield* delayed
      const before = yield* db.status
      const writers = yield* Effect.forEach(["a", "b", "c"], (key) =>
        Effect.forkChild(db.put(key, "1", later), { startImmediately: true })
      )
      assert.include((yield* db.status).warnings.join(), "waiting=3")
      yield* Fiber.interruptAll(writers)
      const after = yield* db.status
      assert.strictEqual(after.visibleSequence, before.visibleSequence)
      assert.include(after.warnings.join(), "waiting=0")
      yield* pass(5000)
      assert.strictEqual((yield* db.status).visibleSequence, before.visibleSequence)
    })
  )
})
