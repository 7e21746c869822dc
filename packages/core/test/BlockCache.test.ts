import * as BlockCache from "@effect-slatedb/core/BlockCache"
import { assert, it } from "@effect/vitest"

const bytes = (n: number) => new Uint8Array(10).fill(n)

it("all who ask for a table share its blocks, in whatever order they asked and kept", () => {
  const cache = BlockCache.makeMemory({ blockBytesMax: 30, metaBytesMax: 0 })
  const first = cache.table("t")
  const second = cache.table("t")
  second.keepBlock(3, bytes(3))
  assert.deepStrictEqual(first.block(3), bytes(3))
  // A second copy of a block that is there would take the place of another.
  first.keepBlock(3, bytes(3))
  assert.strictEqual(cache.stats().blockBytes, 10)
  const other = cache.table("u")
  for (const n of [0, 1, 2]) other.keepBlock(n, bytes(n))
  assert.isUndefined(first.block(3))
  first.keepBlock(4, bytes(4))
  assert.deepStrictEqual(second.block(4), bytes(4))
  assert.deepStrictEqual(cache.table("t").block(4), bytes(4))
})

it("the block that was used longest ago goes first, and what is too heavy is not kept", () => {
  const cache = BlockCache.makeMemory({ blockBytesMax: 20, metaBytesMax: 0 })
  const table = cache.table("t")
  table.keepBlock(0, bytes(0))
  table.keepBlock(1, bytes(1))
  table.block(0)
  table.keepBlock(2, bytes(2))
  assert.deepStrictEqual(
    [0, 1, 2].map((n) => table.block(n)),
    [bytes(0), undefined, bytes(2)]
  )
  table.keepBlock(3, new Uint8Array(21))
  assert.isUndefined(table.block(3))
  assert.strictEqual(cache.stats().blockBytes, 20)
})
