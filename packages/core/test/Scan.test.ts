/** What a scan gives for each of its options, and what it asks of the store for it. */
import * as BlockCache from "@effect-slatedb/core/BlockCache"
import type * as Db from "@effect-slatedb/core/Db"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as Fault from "@effect-slatedb/testkit/Fault"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as OtherProcess from "./support/OtherProcess.ts"
import * as TestDb from "./support/TestDb.ts"

const later = { awaitDurable: false } as const
const orders = ["ascending", "descending"] as const

const keyOf = (i: number) => `k${1000 + i}`
const valueOf = (i: number) => `${i}-`.padEnd(200, "v")

/**
 * 500 rows that lie in a run, two tables, the memtable and the buffer, a fifth in each. A row takes 220
 * bytes, a block has 4 of them.
 */
const spread = Effect.gen(function* () {
  const bucket = TestDb.bucket()
  const process = yield* TestDb.process(bucket)
  const db = yield* process.open({ blockSizeBytes: 1024, walFlush: "manual" })
  for (let fifth = 0; fifth < 5; fifth++) {
    for (let i = fifth; i < 500; i += 5) yield* db.put(keyOf(i), valueOf(i), later)
    if (fifth < 3) yield* db.flush("memtable")
    if (fifth === 0) yield* OtherProcess.compact(bucket)
    if (fifth === 3) yield* db.flush("wal")
  }
  yield* TestClock.adjust("2 seconds")
  return { bucket, db, process }
})

/** 500 rows in one table, of which no cache has anything: it was flushed by another handle. */
const inOneTable = Effect.gen(function* () {
  const bucket = TestDb.bucket()
  const process = yield* TestDb.process(bucket)
  const settings = { blockSizeBytes: 1024, l0MaxSsts: 10_000 }
  const writer = yield* process.open(settings).pipe(Effect.provide(BlockCache.layerNoop))
  for (let i = 0; i < 500; i++) yield* writer.put(keyOf(i), valueOf(i), later)
  yield* writer.flush("memtable")
  yield* writer.close
  const db = yield* process.open(settings)
  return { bucket, db, process }
})

const numbers = (db: Pick<Db.Db["Service"], "scan">, range: KeyRange.KeyRange, options?: Db.ScanOptions) =>
  Effect.map(Stream.runCollect(db.scan(range, { readLevel: "uncommitted", ...options })), (entries) =>
    Array.from(entries, ({ key, value }) => {
      const i = Number(TestDb.text(key).slice(1)) - 1000
      assert.strictEqual(TestDb.text(value), valueOf(i))
      return i
    })
  )

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

const inOrder = (expected: ReadonlyArray<number>, order: (typeof orders)[number]) =>
  order === "ascending" ? expected : expected.toReversed()

const uncached = Effect.provideService(
  BlockCache.BlockCache,
  BlockCache.makeMemory({ blockBytesMax: 0, metaBytesMax: 0 })
)

describe("a range", () => {
  const cases: ReadonlyArray<readonly [name: string, range: KeyRange.KeyRange, expected: ReadonlyArray<number>]> = [
    ["all", KeyRange.all, range(0, 500)],
    ["from, included, to, excluded", KeyRange.make({ from: keyOf(100), to: keyOf(103) }), [100, 101, 102]],
    ["from alone", KeyRange.make({ from: keyOf(497) }), [497, 498, 499]],
    ["to alone", KeyRange.make({ to: keyOf(3) }), [0, 1, 2]],
    ["bounds between keys", KeyRange.make({ from: `${keyOf(9)}a`, to: `${keyOf(12)}a` }), [10, 11, 12]],
    ["a prefix", KeyRange.prefix("k107"), range(70, 80)],
    ["a prefix that is a key", KeyRange.prefix(keyOf(7)), [7]],
    ["an empty prefix", KeyRange.prefix(""), range(0, 500)],
    ["a prefix of 0xff bytes", KeyRange.prefix(new Uint8Array([0xff, 0xff])), []],
    ["a prefix that no key has", KeyRange.prefix("k2"), []],
    ["bounds that are equal", KeyRange.make({ from: keyOf(5), to: keyOf(5) }), []],
    ["before the first key", KeyRange.make({ to: keyOf(0) }), []],
    ["behind the last key", KeyRange.make({ from: "l" }), []],
    ["bytes", KeyRange.make({ from: new Uint8Array([0x6b]), to: new Uint8Array([0x6c]) }), range(0, 500)]
  ]
  it.effect("in both orders gives what lies in it", () =>
    Effect.gen(function* () {
      const { db } = yield* spread
      for (const order of orders) {
        for (const [name, keys, expected] of cases) {
          assert.deepStrictEqual(yield* numbers(db, keys, { order }), inOrder(expected, order), `${name} ${order}`)
        }
      }
    })
  )

  it.effect("of an empty database gives nothing", () =>
    Effect.gen(function* () {
      const db = yield* (yield* TestDb.alone).open()
      for (const order of orders) assert.deepStrictEqual(yield* numbers(db, KeyRange.all, { order }), [])
    })
  )
})

describe("limit", () => {
  it.effect("ends the scan after so many entries, and asks for no more", () =>
    Effect.gen(function* () {
      const { db, process } = yield* inOneTable
      for (const order of orders) {
        for (const limit of [1, 2, 499, 500, 501, Infinity]) {
          const expected = inOrder(range(0, 500), order).slice(0, limit)
          assert.deepStrictEqual(yield* numbers(db, KeyRange.all, { order, limit }), expected)
        }
        yield* process.faults.reset
        assert.deepStrictEqual(yield* numbers(db, KeyRange.all, { order, limit: 0 }), [])
        assert.lengthOf(yield* process.faults.requests(), 0)
        yield* numbers(db, KeyRange.all, { order, limit: 1 })
        assert.isAtMost((yield* process.faults.requests()).length, 2, "filter and index, and one block")
      }
    }).pipe(uncached)
  )
})

describe("readAheadBytes", () => {
  const asked = Effect.fnUntraced(function* (options: Db.ScanOptions) {
    const { db, process } = yield* inOneTable
    yield* process.faults.reset
    const found = yield* numbers(db, KeyRange.all, options)
    assert.deepStrictEqual(found, inOrder(range(0, 500), options.order ?? "ascending"))
    const requests = yield* process.faults.requests({ operation: "getRange" })
    return requests.slice(1).map(({ bytes }) => bytes)
  })

  it.effect.each(orders)("0 fetches block by block, %s", (order) =>
    Effect.gen(function* () {
      const blocks = yield* asked({ order, readAheadBytes: 0 })
      assert.isAtLeast(blocks.length, 100)
      for (const bytes of blocks) assert.isAtMost(bytes, 1100)
    }).pipe(uncached)
  )

  it.effect.each(orders)("bounds the stretches that grow, %s", (order) =>
    Effect.gen(function* () {
      const stretches = yield* asked({ order, readAheadBytes: 16 * 1024 })
      assert.isAtMost(stretches[0] ?? 0, 1100, "a scan begins with one block")
      assert.isAtMost(stretches.length, 15)
      for (const bytes of stretches) assert.isAtMost(bytes, 16 * 1024)
    }).pipe(uncached)
  )

  it.effect.each([
    { tables: 1, bytesMax: 1024 ** 2 },
    { tables: 16, bytesMax: 512 * 1024 }
  ])("is by default a MiB, and of many tables 8 MiB together: %o", ({ bytesMax, tables }) =>
    Effect.gen(function* () {
      const process = yield* TestDb.process(TestDb.bucket())
      const settings = { compactorEnabled: false, l0MaxSsts: 100 }
      const writer = yield* process.open(settings).pipe(Effect.provide(BlockCache.layerNoop))
      for (let table = 0; table < tables; table++) {
        for (let row = 0; row < 32; row++) yield* writer.put(`${row + 10}-${table}`, new Uint8Array(64 * 1024), later)
        yield* writer.flush("memtable")
      }
      yield* writer.close
      const db = yield* process.open(settings)
      yield* process.faults.reset
      yield* Stream.runDrain(db.scan(KeyRange.all))
      const requests = yield* process.faults.requests({ operation: "getRange" })
      const largest = Math.max(...requests.map(({ bytes }) => bytes))
      assert.isAtMost(largest, bytesMax)
      assert.isAbove(largest, bytesMax / 2)
    }).pipe(uncached)
  )

  it.effect.each(orders)("fetches nothing twice, however often a walk pauses, %s", (order) =>
    Effect.gen(function* () {
      const process = yield* TestDb.process(TestDb.bucket())
      const writer = yield* process.open().pipe(Effect.provide(BlockCache.layerNoop))
      for (let i = 0; i < 6000; i++) yield* writer.put(`${10_000 + i}`, "v".repeat(100), later)
      yield* writer.flush("memtable")
      yield* writer.close
      const db = yield* process.open()
      const [table] = yield* process.faults.requests({ operation: "putIfAbsent", path: "compacted/" })
      yield* process.faults.reset
      yield* Stream.runDrain(db.scan(KeyRange.all, { order }))
      const requests = yield* process.faults.requests({ operation: "getRange" })
      const fetched = requests.reduce((sum, { bytes }) => sum + bytes, 0)
      assert.isAbove(fetched, 600_000)
      assert.isAtMost(fetched, table?.bytes ?? 0)
    }).pipe(uncached)
  )

  it.effect.each(orders)("larger than the table fetches the rest at once in the end, %s", (order) =>
    Effect.gen(function* () {
      const stretches = yield* asked({ order, readAheadBytes: 2 ** 30 })
      assert.isAtMost(stretches.length, 8)
    }).pipe(uncached)
  )
})

describe("cacheBlocks", () => {
  const requestsOfSecond = Effect.fnUntraced(function* (cacheBlocks: boolean | undefined) {
    const cache = BlockCache.makeMemory({ blockBytesMax: 2 ** 20, metaBytesMax: 2 ** 20 })
    const { db, process } = yield* inOneTable.pipe(Effect.provideService(BlockCache.BlockCache, cache))
    yield* numbers(db, KeyRange.all, { cacheBlocks })
    yield* process.faults.reset
    yield* numbers(db, KeyRange.all, { cacheBlocks })
    return { requests: (yield* process.faults.requests()).length, kept: cache.stats().blockBytes }
  })

  it.effect("true keeps all that was read, false nothing, and without it what the scan begins with", () =>
    Effect.gen(function* () {
      const all = yield* requestsOfSecond(true)
      assert.deepStrictEqual(all.requests, 0)
      assert.isAbove(all.kept, 100_000)
      const none = yield* requestsOfSecond(false)
      assert.strictEqual(none.kept, 0)
      assert.isAbove(none.requests, 2)
      const first = yield* requestsOfSecond(undefined)
      assert.isAbove(first.kept, 0)
      assert.isBelow(first.kept, all.kept / 20)
    })
  )
})

describe("a scan under which the database goes on", () => {
  it.effect.each(orders)(
    "shows the moment of its start: flushes, a compaction and writes change nothing, %s",
    (order) =>
      Effect.gen(function* () {
        const { bucket, db } = yield* spread
        yield* db.flush("memtable")
        const found: Array<number> = []
        let chunks = 0
        yield* Stream.runForEachArray(db.scan(KeyRange.all, { order }), (entries) =>
          Effect.gen(function* () {
            for (const { key, value } of entries) {
              const i = Number(TestDb.text(key).slice(1)) - 1000
              assert.strictEqual(TestDb.text(value), valueOf(i))
              found.push(i)
            }
            if (chunks++ % 8 > 0) return
            for (let i = 0; i < 500; i += 7) {
              yield* i % 2 === 0 ? db.delete(keyOf(i), later) : db.put(keyOf(i), `after ${chunks}`, later)
            }
            yield* db.put(`k0 ${chunks}`, "before all", later)
            yield* db.flush("memtable")
            yield* OtherProcess.compact(bucket)
            yield* TestClock.adjust("1 second")
          })
        )
        assert.deepStrictEqual(found, inOrder(range(0, 500), order))
      }).pipe(uncached)
  )

  it.effect("ends, though memtables are flushed faster than the store gives blocks that nobody keeps", () =>
    Effect.gen(function* () {
      const { db, process } = yield* inOneTable
      yield* process.faults.add({ operation: "getRange", fault: Fault.delay("100 millis") })
      const writes = Effect.gen(function* () {
        for (let i = 0; ; i++) {
          yield* db.put("z", `${i}`, later)
          yield* db.flush("memtable")
          yield* Effect.sleep("40 millis")
        }
      })
      yield* Effect.forkScoped(writes)
      const found = yield* TestDb.awaitWithTime(
        numbers(db, KeyRange.prefix("k"), { cacheBlocks: false, readLevel: "committed", readAheadBytes: 4096 })
      )
      assert.deepStrictEqual(found, range(0, 500))
    }).pipe(uncached)
  )

  it.effect("fails when the database closes, with its reason", () =>
    Effect.gen(function* () {
      const { db } = yield* inOneTable
      const error = yield* Effect.flip(
        Stream.runForEachArray(db.scan(KeyRange.all, { readAheadBytes: 0 }), () => db.close)
      )
      assert.strictEqual(error.reason._tag, "Closed")
    }).pipe(uncached)
  )
})
