/** What a get asks of the store for a table whose index is in memory, and whose blocks are not. */
import * as BlockCache from "@effect-slatedb/core/BlockCache"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestDb from "./support/TestDb.ts"

const later = { awaitDurable: false } as const
const rows = 200
const keyOf = (i: number) => `k${1000 + i}`

/** One table with three rows in a block: every third key is the separator of its block. */
const cold = Effect.fnUntraced(function* (blockBytesMax: number) {
  const cache = BlockCache.makeMemory({ blockBytesMax, metaBytesMax: 2 ** 20 })
  const process = yield* TestDb.process(TestDb.bucket())
  const settings = { blockSizeBytes: 1024 }
  const writer = yield* process.open(settings).pipe(Effect.provide(BlockCache.layerNoop))
  for (let i = 0; i < rows; i++) yield* writer.put(keyOf(i), new Uint8Array(300).fill(i), later)
  yield* writer.flush("memtable")
  yield* writer.close
  const db = yield* process.open(settings).pipe(Effect.provideService(BlockCache.BlockCache, cache))
  yield* db.get(keyOf(0))
  yield* process.faults.reset
  return { db, process }
})

const valueIs = (value: Uint8Array, i: number) => assert.deepStrictEqual(value, new Uint8Array(300).fill(i))

describe("a cold get", () => {
  for (const blockBytesMax of [0, 2 ** 20]) {
    it.effect(`asks once, also for a key that begins a block: blockBytesMax=${blockBytesMax}`, () =>
      Effect.gen(function* () {
        const { db, process } = yield* cold(blockBytesMax)
        const asked: Array<number> = []
        for (let i = rows - 1; i > 3; i--) {
          yield* process.faults.reset
          valueIs(yield* db.get(keyOf(i)), i)
          const requests = yield* process.faults.requests({ operation: "getRange" })
          asked.push(requests.length)
          for (const { bytes } of requests) assert.isAtMost(bytes, blockBytesMax > 0 ? 1024 : 2048)
        }
        assert.isAtMost(Math.max(...asked), 1)
        assert.strictEqual(asked.includes(0), blockBytesMax > 0, "what a cache has is not asked for")
      })
    )
  }

  it.effect("asks once for all that ask for one block at the same time", () =>
    Effect.gen(function* () {
      const { db, process } = yield* cold(2 ** 20)
      const keys = Array.from({ length: rows - 10 }, (_, i) => i + 10)
      const values = yield* Effect.forEach(keys, (i) => db.get(keyOf(i)), { concurrency: "unbounded" })
      for (const [at, i] of keys.entries()) valueIs(values[at] ?? new Uint8Array(0), i)
      const requests = yield* process.faults.requests({ operation: "getRange" })
      assert.isAtMost(requests.length, rows / 3 + 1)
    })
  )
})
