import { assert, describe, it } from "@effect/vitest"
import * as v8 from "node:v8"
import { chunkBytes, ChunkPool, FreeChunks } from "../../../src/internal/model/ChunkPool.ts"
import { Slab } from "../../../src/internal/model/Slab.ts"

const taken = (free: FreeChunks): ReadonlyArray<Uint8Array> => {
  const chunks: Array<Uint8Array> = []
  for (let chunk = free.take(); chunk !== undefined; chunk = free.take()) chunks.push(chunk)
  return chunks
}

it("gives what it was given, each chunk once", () => {
  const free = new FreeChunks()
  assert.isUndefined(free.take())
  const slab = new Slab()
  const given = Array.from({ length: 40 }, () => slab.take(chunkBytes))
  for (const chunk of given) free.give(chunk)
  const found = new Set(taken(free))
  assert.strictEqual(found.size, given.length)
  assert.isTrue(given.every((chunk) => found.has(chunk)))
  assert.isUndefined(free.take())
})

it("keeps sixteen buffers, and the pieces of one slab", () => {
  const free = new FreeChunks()
  const [first, second] = [new Slab(), new Slab()]
  for (const slab of [first, second]) for (let n = 0; n < 30; n++) free.give(slab.take(chunkBytes))
  const found = taken(free)
  assert.lengthOf(
    found.filter(({ buffer }) => buffer.byteLength === chunkBytes),
    16
  )
  const pieces = found.filter(({ buffer }) => buffer.byteLength > chunkBytes)
  assert.lengthOf(pieces, 14)
  assert.strictEqual(new Set(pieces.map(({ buffer }) => buffer)).size, 1)
  // With none of the first slab left, the next one is as good.
  const piece = Array.from({ length: 40 }, () => second.take(chunkBytes)).at(-1)
  if (piece !== undefined) free.give(piece)
  assert.strictEqual(free.take(), piece)
})

it("keeps no chunk of another size", () => {
  const free = new FreeChunks()
  for (const bytes of [chunkBytes - 1, chunkBytes + 1]) free.give(new Uint8Array(bytes))
  assert.isUndefined(free.take())
})

describe("what is free", () => {
  /** After a full collection. */
  const held = async () => {
    await new Promise((resolve) => setImmediate(resolve))
    return v8.queryObjects(FreeChunks, { format: "count" })
  }

  it("is one list for all who hold it, and goes with the last of them", async () => {
    const pool = new ChunkPool()
    const before = await held()
    const leases = [pool.lease()]
    leases[0]?.give(new Uint8Array(chunkBytes))
    assert.strictEqual(await held(), before + 1)
    leases.push(pool.lease())
    assert.strictEqual(leases[0], leases[1])
    leases.length = 0
    assert.strictEqual(await held(), before)
    assert.isUndefined(pool.lease().take())
  })
})
