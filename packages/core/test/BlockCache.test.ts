import * as BlockCache from "@effect-slatedb/core/BlockCache"
import { assert, it } from "@effect/vitest"
import { Block } from "../src/internal/format/Block.ts"

const block = (n: number) => Block.make(new Uint8Array(10).fill(n), 2)
const weight = block(0).sizeBytes

it("all who ask for a table share its blocks, in whatever order they asked and kept", () => {
  const cache = BlockCache.makeMemory({ blockBytesMax: 3 * weight, metaBytesMax: 0 })
  const first = cache.table("t")
  const second = cache.table("t")
  second.keepBlock(3, block(3))
  assert.deepStrictEqual(first.block(3), block(3))
  // A second copy of a block that is there would take the place of another.
  first.keepBlock(3, block(3))
  assert.strictEqual(cache.stats().blockBytes, weight)
  const other = cache.table("u")
  for (const n of [0, 1, 2, 3, 4]) other.keepBlock(n, block(n))
  assert.isUndefined(first.block(3))
  first.keepBlock(4, block(4))
  assert.deepStrictEqual(second.block(4), block(4))
  assert.deepStrictEqual(cache.table("t").block(4), block(4))
})

it("the block that was not used goes first, and what is too heavy is not kept", () => {
  const cache = BlockCache.makeMemory({ blockBytesMax: 2 * weight, metaBytesMax: 0 })
  const table = cache.table("t")
  table.keepBlock(0, block(0))
  table.keepBlock(1, block(1))
  table.block(0)
  table.keepBlock(2, block(2))
  assert.deepStrictEqual(
    [0, 1, 2].map((n) => table.block(n)),
    [block(0), undefined, block(2)]
  )
  table.keepBlock(3, Block.make(new Uint8Array(2 * weight), 2))
  assert.isUndefined(table.block(3))
  assert.strictEqual(cache.stats().blockBytes, 2 * weight)
})

it("a use saves a block once: what comes in later goes round", () => {
  const cache = BlockCache.makeMemory({ blockBytesMax: 2 * weight, metaBytesMax: 0 })
  const table = cache.table("t")
  table.keepBlock(0, block(0))
  table.keepBlock(1, block(1))
  table.block(0)
  table.keepBlock(2, block(2))
  table.keepBlock(3, block(3))
  assert.deepStrictEqual(
    [0, 1, 2, 3].filter((n) => table.block(n) !== undefined),
    [2, 3]
  )
})

it("where all were used the oldest goes, and a table of many blocks keeps its last ones", () => {
  const cache = BlockCache.makeMemory({ blockBytesMax: 100 * weight, metaBytesMax: 0 })
  const table = cache.table("t")
  for (let n = 0; n < 250; n++) {
    table.keepBlock(n, block(n))
    table.block(n)
  }
  assert.strictEqual(cache.stats().blockBytes, 100 * weight)
  assert.deepStrictEqual(table.block(249), block(249))
  assert.isUndefined(table.block(0))
  const kept = Array.from({ length: 250 }, (_, n) => n).filter((n) => table.block(n) !== undefined)
  assert.deepStrictEqual(
    kept,
    Array.from({ length: 100 }, (_, i) => 150 + i)
  )
})

it("knows which blocks were used since the hand passed, and a retired table's go without a second chance", () => {
  const cache = BlockCache.makeMemory({ blockBytesMax: 3 * weight, metaBytesMax: 0 })
  const table = cache.table("t")
  const other = cache.table("u")
  assert.isFalse(table.isBlockUsed(0))
  table.retire()
  for (const n of [0, 1]) table.keepBlock(n, block(n))
  other.keepBlock(0, block(0))
  assert.isFalse(table.isBlockUsed(0))
  for (const n of [0, 1]) table.block(n)
  other.block(0)
  const { blockHits, blockMisses } = cache.stats()
  assert.isTrue(cache.table("t").isBlockUsed(0))
  assert.isFalse(table.isBlockUsed(2))
  assert.deepInclude(cache.stats(), { blockHits, blockMisses })
  table.retire()
  assert.isFalse(table.isBlockUsed(0))
  assert.isTrue(other.isBlockUsed(0))
  table.block(1)
  other.keepBlock(1, block(1))
  assert.deepStrictEqual(
    [table.block(0), table.block(1), other.block(0), other.block(1)],
    [undefined, block(1), block(0), block(1)]
  )
})
