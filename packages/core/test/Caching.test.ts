/** What reads ask of the store, and what they need not ask again. */
import * as BlockCache from "@effect-slatedb/core/BlockCache"
import * as Db from "@effect-slatedb/core/Db"
import * as DbReader from "@effect-slatedb/core/DbReader"
import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import type * as Settings from "@effect-slatedb/core/Settings"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as Fault from "@effect-slatedb/testkit/Fault"
import * as FaultyObjectStore from "@effect-slatedb/testkit/FaultyObjectStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as TestClock from "effect/testing/TestClock"
import { Block } from "../src/internal/format/Block.ts"
import * as TestDb from "./support/TestDb.ts"

const later = { awaitDurable: false } as const
const settings: Settings.Input = { blockSizeBytes: 1024, minFilterKeys: 1, walFlush: "manual" }

const keyOf = (i: number) => `k${1000 + i}`
const value = "v".repeat(400)

/**
 * A table of 200 rows, two in each block. Those asked for have odd numbers: the newest version of a key that
 * begins a block might lie in the block before it, so that is looked at, too. Another handle, with no cache,
 * flushed it.
 */
const filled = (cache: BlockCache.BlockCache, rows = 200) =>
  Effect.gen(function* () {
    const process = yield* TestDb.process(TestDb.bucket())
    const writer = yield* process.open(settings).pipe(Effect.provide(BlockCache.layerNoop))
    for (let i = 0; i < rows; i++) yield* writer.put(keyOf(i), value, later)
    yield* writer.flush("memtable")
    yield* writer.close
    const db = yield* process.open(settings)
    yield* process.faults.reset
    const asked = Effect.map(process.faults.requests({ operation: "getRange" }), (requests) => requests.length)
    return { process, db, asked }
  }).pipe(Effect.provideService(BlockCache.BlockCache, cache))

const cache = (blockBytesMax = 2 ** 20, metaBytesMax = 2 ** 20) =>
  BlockCache.makeMemory({ blockBytesMax, metaBytesMax })

const found = (read: Effect.Effect<Option.Option<Uint8Array>, unknown>) =>
  Effect.map(read, (option) => assert.strictEqual(TestDb.textOption(option), value))

describe("a lookup", () => {
  it.effect("asks for filter and index together, then for one block; then for nothing", () =>
    Effect.gen(function* () {
      const { asked, db, process } = yield* filled(cache())
      yield* found(db.getOption(keyOf(7)))
      const requests = yield* process.faults.requests({ operation: "getRange" })
      assert.lengthOf(requests, 2)
      assert.isAtMost(requests[1]?.bytes ?? Infinity, 1000)
      yield* found(db.getOption(keyOf(7)))
      assert.strictEqual(yield* asked, 2)
      yield* found(db.getOption(keyOf(9)))
      assert.strictEqual(yield* asked, 3, "another block")
    })
  )

  it.effect("of a key that the filter does not know asks for no block; outside the table's range, for nothing", () =>
    Effect.gen(function* () {
      const { asked, db } = yield* filled(cache())
      for (const key of ["a", "z", "k", "k2"]) yield* db.getOption(key)
      assert.strictEqual(yield* asked, 0)
      for (let i = 0; i < 100; i++) assert.isTrue(Option.isNone(yield* db.getOption(`${keyOf(i)}x`)))
      // One request for filter and index, and a block for the false positives: one in a hundred.
      assert.isAtMost(yield* asked, 8)
    })
  )

  it.effect("of a small table fetches it whole", () =>
    Effect.gen(function* () {
      const { db, process } = yield* filled(cache(), 60)
      for (let i = 0; i < 60; i++) yield* found(db.getOption(keyOf(i)))
      assert.lengthOf(yield* process.faults.requests(), 1)
    })
  )

  it.effect("with cacheBlocks false leaves the block out of the cache", () =>
    Effect.gen(function* () {
      const { asked, db } = yield* filled(cache())
      yield* found(db.getOption(keyOf(7), { cacheBlocks: false }))
      yield* found(db.getOption(keyOf(7), { cacheBlocks: false }))
      assert.strictEqual(yield* asked, 3)
    })
  )

  it.effect("works with a cache too small for a block, and with one that keeps nothing", () =>
    Effect.gen(function* () {
      for (const [blockBytesMax, metaBytesMax] of [
        [500, 2 ** 20],
        [0, 0],
        [2 ** 20, 0],
        [1500, 100]
      ] as const) {
        const small = cache(blockBytesMax, metaBytesMax)
        const { asked, db } = yield* filled(small)
        for (const i of [0, 7, 7, 199]) yield* found(db.getOption(keyOf(i)))
        assert.lengthOf(yield* TestDb.lines(db, { start: undefined, end: undefined }), 200)
        assert.isAbove(yield* asked, 4)
        const { blockBytes, metaBytes } = small.stats()
        assert.isAtMost(blockBytes, blockBytesMax)
        assert.isAtMost(metaBytes, metaBytesMax)
      }
    })
  )

  it.effect("layerNoop is a cache that keeps nothing", () =>
    Effect.gen(function* () {
      const { asked, db } = yield* filled(yield* BlockCache.BlockCache)
      yield* found(db.getOption(keyOf(7)))
      yield* found(db.getOption(keyOf(7)))
      assert.strictEqual(yield* asked, 4)
    }).pipe(Effect.provide(BlockCache.layerNoop))
  )
})

describe("a table that was flushed", () => {
  const flushed = (cache: BlockCache.BlockCache, more: Settings.Input = {}) =>
    Effect.gen(function* () {
      const process = yield* TestDb.alone
      const db = yield* process.open({ ...settings, ...more })
      for (let i = 0; i < 200; i++) yield* db.put(keyOf(i), value, later)
      yield* db.flush("memtable")
      yield* process.faults.reset
      const asked = Effect.map(process.faults.requests(), (requests) => requests.length)
      return { db, asked }
    }).pipe(Effect.provideService(BlockCache.BlockCache, cache))

  it.effect.each(["none", "lz4"] as const)("is in the cache, index, filter and blocks: %s", (compression) =>
    Effect.gen(function* () {
      const kept = cache()
      const { asked, db } = yield* flushed(kept, { compression })
      assert.isAbove(kept.stats().metaBytes, 0)
      assert.isAbove(kept.stats().blockBytes, 200 * 400)
      for (let i = 0; i < 200; i++) assert.strictEqual(TestDb.text(yield* db.get(keyOf(i))), value)
      assert.lengthOf(yield* TestDb.lines(db, { start: undefined, end: undefined }), 200)
      assert.strictEqual(yield* asked, 0)
    })
  )

  it.effect("takes half the room for blocks at most, from its first on, and leaves other tables the rest", () =>
    Effect.gen(function* () {
      const kept = cache(100_000)
      const other = kept.table("other")
      const weightless = Block.make(new Uint8Array(0), 2).sizeBytes
      const weighing1000 = Block.make(new Uint8Array(1000 - weightless), 2)
      for (let block = 0; block < 50; block++) other.keepBlock(block, weighing1000)
      const { asked, db } = yield* flushed(kept)
      const { blockBytes } = kept.stats()
      assert.isAbove(blockBytes, 99_000)
      assert.isAtMost(blockBytes, 100_000)
      for (let block = 0; block < 50; block++) assert.isDefined(other.block(block))
      yield* found(db.getOption(keyOf(0)))
      assert.strictEqual(yield* asked, 0)
      yield* found(db.getOption(keyOf(199)))
      assert.strictEqual(yield* asked, 1)
    })
  )
})

describe("what is being fetched is fetched once", () => {
  it.effect.each([true, false])("by many that ask at the same time, with a cache: %s", (hasCache) =>
    Effect.gen(function* () {
      const { asked, db, process } = yield* filled(hasCache ? cache() : cache(0, 0))
      yield* process.faults.add({ operation: "getRange", fault: Fault.delay("10 millis") })
      const gets = Effect.all(
        Array.from({ length: 50 }, () => found(db.getOption(keyOf(7)))),
        { concurrency: "unbounded" }
      )
      yield* TestDb.awaitWithTime(Effect.andThen(gets, db.getMany(Array.from({ length: 20 }, () => keyOf(7)))))
      assert.strictEqual(yield* asked, hasCache ? 2 : 4)
    })
  )

  it.effect("a failure is that of all who waited, and the next try asks again", () =>
    Effect.gen(function* () {
      const { asked, db, process } = yield* filled(cache())
      yield* db.getOption(keyOf(0))
      yield* process.faults.reset
      const gate = yield* process.faults.hold({ operation: "getRange", times: 1 })
      yield* process.faults.add({ operation: "getRange", times: 1, fault: Fault.failBefore() })
      const gets = yield* Effect.forEach([1, 2, 3], () =>
        Effect.forkChild(Effect.flip(db.getOption(keyOf(7))), { startImmediately: true })
      )
      yield* gate.open
      for (const get of gets) assert.strictEqual((yield* Fiber.join(get)).reason._tag, "Unavailable")
      assert.strictEqual(yield* asked, 1)
      yield* found(db.getOption(keyOf(7)))
    })
  )

  it.effect("who is interrupted while fetching takes nobody along", () =>
    Effect.gen(function* () {
      const { asked, db, process } = yield* filled(cache())
      yield* db.getOption(keyOf(0))
      yield* process.faults.reset
      yield* process.faults.add({ operation: "getRange", fault: Fault.delay("10 millis") })
      const [first, second] = yield* Effect.all([
        Effect.forkChild(db.getOption(keyOf(7)), { startImmediately: true }),
        Effect.forkChild(found(db.getOption(keyOf(7))), { startImmediately: true })
      ])
      yield* TestClock.adjust("5 millis")
      yield* Fiber.interrupt(first)
      yield* TestDb.awaitWithTime(Fiber.join(second))
      assert.strictEqual(yield* asked, 2)
    })
  )
})

describe("one cache", () => {
  it.effect("serves all databases of a process on one store", () =>
    Effect.gen(function* () {
      const shared = cache()
      const { asked, db, process } = yield* filled(shared)
      const reader = yield* DbReader.make({ path: "db" }).pipe(
        Effect.provideService(ObjectStore.ObjectStore, process.faults.store),
        Effect.provideService(BlockCache.BlockCache, shared)
      )
      yield* found(db.getOption(keyOf(7)))
      yield* found(reader.getOption(keyOf(7)))
      assert.strictEqual(yield* asked, 2)
    })
  )

  it.effect("keeps tables of two stores apart, though they have one name", () =>
    Effect.gen(function* () {
      const shared = cache()
      const answers = yield* Effect.forEach(["one", "two"], (name) =>
        Effect.gen(function* () {
          // The clock stands still and chance is the same: so are the tables' names.
          const faults = yield* FaultyObjectStore.make(MemoryObjectStore.fromState(MemoryObjectStore.makeState()))
          const db = yield* Db.make({ path: "db" }).pipe(Effect.provideService(ObjectStore.ObjectStore, faults.store))
          yield* db.put("k", name, later)
          yield* db.flush("memtable")
          return [TestDb.text(yield* db.get("k")), (yield* faults.requests({ path: "compacted/" }))[0]?.path] as const
        }).pipe(Random.withSeed(1), Effect.provideService(BlockCache.BlockCache, shared))
      )
      assert.deepStrictEqual(
        answers.map(([value]) => value),
        ["one", "two"]
      )
      assert.strictEqual(answers[0]?.[1], answers[1]?.[1])
    })
  )
})
