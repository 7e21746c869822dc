/**
 * Nothing that a database does with memory alone keeps the event loop to itself: what
 * is long is done in slices, and others have a turn in between. Turns are counted, not
 * timed.
 */
import * as BlockCache from "@effect-slatedb/core/BlockCache"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import type * as Settings from "@effect-slatedb/core/Settings"
import * as WriteBatch from "@effect-slatedb/core/WriteBatch"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import * as TestDb from "./support/TestDb.ts"

/** How often another fiber had a turn while the effect ran. */
const turnsDuring = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  let turns = 0
  // What was scheduled before has its turn now, so that it moves nobody's place in the turns to come.
  yield* Effect.yieldNow
  // Yields each time round.
  const other = yield* Effect.forkChild(Effect.forever(Effect.sync(() => turns++)), { startImmediately: true })
  const before = turns
  // Without the yields that the runtime adds by itself.
  yield* Effect.provideService(effect, References.PreventSchedulerYield, true)
  const during = turns - before
  yield* Fiber.interrupt(other)
  return during
})

const rows = 30_000

const keyOf = (n: number) => `key/${String((n * 7919) % rows).padStart(6, "0")}`

const batchOf = (write: (batch: WriteBatch.WriteBatch, n: number) => WriteBatch.WriteBatch) =>
  Array.from({ length: rows }, (_, n) => n).reduce(write, WriteBatch.empty)

const openWith = (batch: WriteBatch.WriteBatch, settings?: Settings.Input) =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    const db = yield* (yield* TestDb.process(bucket)).open(settings)
    yield* db.write(batch, { awaitDurable: false })
    yield* TestDb.awaitWithTime(db.flush("wal"))
    return db
  })

const puts = batchOf((batch, n) => WriteBatch.put(batch, keyOf(n), "value"))

/** Runs a test on a clock on which every reading takes so long. */
const withSlowClock = (readingNanos: bigint) => {
  let nanos = 0n
  return <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.flatMap(Clock.Clock, (clock) =>
      Effect.provideService(effect, Clock.Clock, {
        ...clock,
        monotonicTimeNanosUnsafe: () => (nanos += readingNanos)
      })
    )
}

describe("status says the longest turn", () => {
  it.effect("and where it was; nothing where time stands still", () =>
    Effect.gen(function* () {
      const db = yield* openWith(puts)
      yield* TestDb.awaitWithTime(db.flush("memtable"))
      const { longestTurnMillis, longestTurnPlace } = yield* db.status
      assert.strictEqual(longestTurnMillis, 0)
      assert.isUndefined(longestTurnPlace)
    })
  )

  it.effect("of a flush", () =>
    Effect.gen(function* () {
      const db = yield* openWith(puts)
      yield* TestDb.awaitWithTime(db.flush("memtable"))
      const { longestTurnMillis, longestTurnPlace } = yield* db.status
      assert.isAbove(longestTurnMillis, 0)
      assert.match(longestTurnPlace ?? "", /memtable order|table/)
    }).pipe(withSlowClock(10_000n))
  )

  it.effect("which no tables share that wait to be built", () =>
    Effect.gen(function* () {
      const process = yield* TestDb.process(TestDb.bucket())
      const db = yield* process.open({ walFlush: "manual", l0SstSizeBytes: 50_000 })
      for (let wal = 0; wal < 4; wal++) {
        for (let n = 0; n < 3000; n++) yield* db.put(keyOf(3000 * wal + n), "value", { awaitDurable: false })
        yield* db.flush("wal")
      }
      assert.isAtLeast((yield* db.status).immutableMemtables, 3)
      yield* TestDb.awaitWithTime(db.flush("memtable"))
      const { l0Tables, longestTurnMillis, longestTurnPlace } = yield* db.status
      assert.strictEqual(l0Tables, 4)
      // Eight steps, and the readings before and after them.
      assert.isAtMost(longestTurnMillis, 2 * 0.09, longestTurnPlace)
    }).pipe(withSlowClock(10_000n))
  )
})

describe("others have a turn", () => {
  it.effect("while a memtable is ordered for its first scan", () =>
    Effect.gen(function* () {
      const db = yield* openWith(puts)
      const first = Stream.runDrain(db.scan(KeyRange.all, { limit: 1 }))
      assert.isAtLeast(yield* turnsDuring(first), 5)
      assert.isAtMost(yield* turnsDuring(first), 2, "it stays in order")
    })
  )

  it.effect("and if they write all the time, the memtable is in order some time", () =>
    Effect.gen(function* () {
      const db = yield* openWith(puts)
      const first = yield* Effect.forkChild(Stream.runDrain(db.scan(KeyRange.all, { limit: 1 })), {
        startImmediately: true
      })
      let turns = 0
      for (; turns < 100 && first.pollUnsafe() === undefined; turns++) {
        for (let n = 0; n < 1000; n++) yield* db.put(`new/${turns}/${n}`, "value", { awaitDurable: false })
        yield* Effect.yieldNow
      }
      assert.isBelow(turns, 100)
      yield* Fiber.join(first)
    }).pipe(Effect.provideService(References.PreventSchedulerYield, true))
  )

  it.effect("while a scan gives what memory has", () =>
    Effect.gen(function* () {
      const db = yield* openWith(puts)
      yield* Stream.runDrain(db.scan(KeyRange.all, { limit: 1 }))
      assert.isAtLeast(yield* turnsDuring(Stream.runDrain(db.scan(KeyRange.all))), rows / 512 / 4 - 1)
    })
  )

  it.effect("while a scan passes by deleted keys", () =>
    Effect.gen(function* () {
      const db = yield* openWith(batchOf((batch, n) => WriteBatch.delete(batch, keyOf(n))))
      yield* Stream.runDrain(db.scan(KeyRange.all, { limit: 1 }))
      assert.isAtLeast(yield* turnsDuring(Stream.runDrain(db.scan(KeyRange.all))), Math.floor(rows / 4096))
    })
  )

  it.effect("after a few large values of a scan", () =>
    Effect.gen(function* () {
      const value = new Uint8Array(200_000)
      const batch = Array.from({ length: 20 }, (_, n) => n).reduce(
        (batch, n) => WriteBatch.put(batch, keyOf(n), value),
        WriteBatch.empty
      )
      const db = yield* openWith(batch)
      const sizes: Array<number> = []
      yield* Stream.runForEachArray(db.scan(KeyRange.all), (entries) => Effect.sync(() => sizes.push(entries.length)))
      assert.deepStrictEqual(
        sizes,
        Array.from({ length: 10 }, () => 2)
      )
    })
  )

  it.effect("while a table is made, and its filter", () =>
    Effect.gen(function* () {
      const turnsOfFlush = Effect.fnUntraced(function* (minFilterKeys: number) {
        const db = yield* openWith(puts, { minFilterKeys })
        yield* Stream.runDrain(db.scan(KeyRange.all, { limit: 1 }))
        return yield* turnsDuring(db.flush("memtable"))
      })
      const unfiltered = yield* turnsOfFlush(1_000_000)
      assert.isAtLeast(unfiltered, Math.floor(rows / 512))
      assert.isAtLeast(yield* turnsOfFlush(0), unfiltered + Math.floor(rows / 4096))
    })
  )

  it.effect("while all but one version of a key are dropped", () =>
    Effect.gen(function* () {
      const db = yield* openWith(WriteBatch.empty)
      for (let n = 0; n < rows; n++) yield* db.put("key", "value", { awaitDurable: false })
      yield* TestDb.awaitWithTime(db.flush("wal"))
      assert.isAtLeast(yield* turnsDuring(db.flush("memtable")), Math.floor(rows / 512))
    })
  )
})

describe("a slice ends by time, too", () => {
  // Every look at the clock ends a slice.
  const slowly = withSlowClock(1_000_000n)

  it.effect("when a memtable is ordered for a scan, and when the scan gives what memory has", () =>
    Effect.gen(function* () {
      const db = yield* openWith(puts)
      // Five turns of eight looks each, see above.
      assert.isAtLeast(yield* turnsDuring(Stream.runDrain(db.scan(KeyRange.all, { limit: 1 }))), 40)
      assert.isAtLeast(yield* turnsDuring(Stream.runDrain(db.scan(KeyRange.all))), Math.floor(rows / 64))
    }).pipe(slowly)
  )

  it.effect("when a scan passes by deleted keys", () =>
    Effect.gen(function* () {
      const db = yield* openWith(batchOf((batch, n) => WriteBatch.delete(batch, keyOf(n))))
      yield* Stream.runDrain(db.scan(KeyRange.all, { limit: 1 }))
      assert.isAtLeast(yield* turnsDuring(Stream.runDrain(db.scan(KeyRange.all))), Math.floor(rows / 512))
    }).pipe(slowly)
  )

  it.effect("when a table is made, and when its index is", () =>
    Effect.gen(function* () {
      const db = yield* openWith(puts, { blockSizeBytes: 1024 })
      yield* Stream.runDrain(db.scan(KeyRange.all, { limit: 1 }))
      assert.isAtLeast(yield* turnsDuring(db.flush("memtable")), Math.floor(rows / 64) + Math.floor(rows / 512))
    }).pipe(slowly)
  )

  it.effect("when the blocks of a new table are cached", () =>
    Effect.gen(function* () {
      const turnsOfFlush = Effect.gen(function* () {
        const db = yield* openWith(puts, { blockSizeBytes: 1024 })
        return yield* turnsDuring(db.flush("memtable"))
      })
      const uncached = yield* Effect.provide(turnsOfFlush, BlockCache.layerNoop)
      const cache = BlockCache.makeMemory({ blockBytesMax: 2 ** 24, metaBytesMax: 2 ** 24 })
      const cached = yield* Effect.provideService(turnsOfFlush, BlockCache.BlockCache, cache)
      // With room for a directory a block weighs less than 2 KiB.
      assert.isAtLeast(cached - uncached, Math.floor(cache.stats().blockBytes / 2048 / 128))
      assert.isAbove(cache.stats().blockBytes, 4 * 128 * 1024)
    }).pipe(slowly)
  )

  it.effect("when the index of a large WAL object is made", () =>
    Effect.gen(function* () {
      const turnsOf = Effect.fnUntraced(function* (valueBytes: number) {
        const process = yield* TestDb.process(TestDb.bucket())
        const db = yield* process.open({ walFlush: "manual", blockSizeBytes: 1024 })
        const value = new Uint8Array(valueBytes)
        for (let n = 0; n < 3000; n++) yield* db.put(keyOf(n), value, { awaitDurable: false })
        return yield* turnsDuring(db.flush("wal"))
      })
      // 3,000 blocks, 512 at a time.
      assert.isAtLeast(yield* turnsOf(1000), (yield* turnsOf(1)) + 6)
    }).pipe(slowly)
  )

  it.effect("when a WAL object is replayed", () => Effect.map(turnsOfOpen(3000, 1), atLeast(3000 / 64)).pipe(slowly))
})

it.effect("a replay of large values gives turns by their bytes", () =>
  // Each is a step, and 32 steps are a slice.
  Effect.map(turnsOfOpen(130, 100_000), atLeast(130 / 32))
)

it.effect("a replay of small values gives turns by their number", () =>
  Effect.map(turnsOfOpen(30_000, 1), atLeast(30_000 / 2048))
)

/** How many turns an open gives that replays so many rows, beyond those of one that replays a single row. */
const turnsOfOpen = Effect.fnUntraced(function* (count: number, valueBytes: number) {
  const turnsOf = Effect.fnUntraced(function* (count: number) {
    const bucket = TestDb.bucket()
    const process = yield* TestDb.process(bucket)
    const before = yield* process.open({ walFlush: "manual" })
    const value = new Uint8Array(valueBytes)
    for (let n = 0; n < count; n++) yield* before.put(keyOf(n), value, { awaitDurable: false })
    yield* TestDb.awaitWithTime(before.flush("wal"))
    yield* TestDb.crash(process)
    return yield* turnsDuring((yield* TestDb.process(bucket)).open())
  })
  return (yield* turnsOf(count)) - (yield* turnsOf(1))
})

const atLeast = (least: number) => (turns: number) => assert.isAtLeast(turns, Math.floor(least))
