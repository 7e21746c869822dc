/** When a lookup asks the filter of a table, and what that saves. */
import * as BlockCache from "@effect-slatedb/core/BlockCache"
import type * as Db from "@effect-slatedb/core/Db"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { BloomFilter } from "../src/internal/format/BloomFilter.ts"
import * as TestDb from "./support/TestDb.ts"

const later = { awaitDurable: false } as const
const settings = { blockSizeBytes: 1024, minFilterKeys: 1 } as const
const rows = 200
const present = (i: number) => `k${1000 + (i % rows)}`
const absent = (i: number) => `${present(i)}x`

/** A cache that counts how often the filters of its tables were asked. */
const counting = (blockBytesMax: number) => {
  const asked = new Map<string, number>()
  const cache = BlockCache.makeMemory({ blockBytesMax, metaBytesMax: 2 ** 20 })
  const table = (key: string): BlockCache.CachedTable => {
    const cached = cache.table(key)
    const meta = () => {
      const meta = cached.meta()
      const filter = meta?.filter
      if (meta === undefined || filter === undefined) return meta
      const counted = new BloomFilter(new Uint8Array(8), 0, 8, 1)
      counted.mightContain = (low, high) => {
        asked.set(key, (asked.get(key) ?? 0) + 1)
        return filter.mightContain(low, high)
      }
      return { ...meta, filter: counted }
    }
    return { ...cached, meta }
  }
  return { asked, cache: { ...cache, table } satisfies BlockCache.BlockCache }
}

const fill = Effect.fnUntraced(function* (db: Db.Db["Service"]) {
  for (let i = 0; i < rows; i++) yield* db.put(present(i), new Uint8Array(300), later)
  yield* db.flush("memtable")
  for (let i = 0; i < rows; i++) yield* db.get(present(i))
})

const loaded = Effect.fnUntraced(function* () {
  const { asked, cache } = counting(2 ** 20)
  const process = yield* TestDb.process(TestDb.bucket())
  const db = yield* process.open(settings).pipe(Effect.provideService(BlockCache.BlockCache, cache))
  yield* fill(db)
  const asks = (keys: (i: number) => string, count: number) => {
    asked.clear()
    for (let i = 0; i < count; i++) db.getUnsafe(keys(i))
    return [...asked.values()]
  }
  return { asks, db }
})

describe("the filter of the last table", () => {
  it.effect("is not asked while keys are found, and is where they are not", () =>
    Effect.gen(function* () {
      const { asks } = yield* loaded()
      assert.deepStrictEqual(asks(present, 100), [])
      const [ofAbsent = 0] = asks(absent, 100)
      assert.isAtLeast(ofAbsent, 90)
      assert.isAtMost(ofAbsent, 99)
      const [ofPresent = 0] = asks(present, 100)
      assert.isAtLeast(ofPresent, 1)
      assert.isAtMost(ofPresent, 20)
      assert.deepStrictEqual(asks(present, 100), [])
    })
  )

  it.effect("is asked where every second key is not found", () =>
    Effect.gen(function* () {
      const { asks } = yield* loaded()
      const mixed = (i: number) => (i % 2 === 0 ? present(i) : absent(i))
      asks(mixed, 100)
      assert.deepStrictEqual(asks(mixed, 100), [100])
    })
  )

  it.effect("saves the request for a block that is not in memory, however many keys were found", () =>
    Effect.gen(function* () {
      const process = yield* TestDb.process(TestDb.bucket())
      const { cache } = counting(0)
      const db = yield* process.open(settings).pipe(Effect.provideService(BlockCache.BlockCache, cache))
      yield* fill(db)
      yield* process.faults.reset
      for (let i = 0; i < 4; i++) assert.strictEqual((yield* db.getOption(absent(i)))._tag, "None")
      assert.deepStrictEqual(yield* process.faults.requests({ operation: "getRange" }), [])
    })
  )
})

it.effect("the filters of tables that others are asked after are always asked", () =>
  Effect.gen(function* () {
    const { asks, db } = yield* loaded()
    yield* db.put("k0", "in a table of its own", later)
    yield* db.put("z", "in a table of its own", later)
    yield* db.flush("memtable")
    assert.deepStrictEqual(asks(present, 100), [100])
    assert.deepStrictEqual(asks(present, 100), [100])
  })
)
