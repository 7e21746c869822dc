import { assert, it } from "@effect/vitest"
import { Slab } from "../../../src/internal/model/Slab.ts"

const MiB = 1024 * 1024

it("gives pieces of the length that was asked for, which share no byte, and begin at multiples of 16", () => {
  const slab = new Slab()
  const pieces = Array.from({ length: 70 }, (_, n) => slab.take(MiB - (n % 3)))
  pieces.forEach((piece, n) => {
    assert.strictEqual(piece.length, MiB - (n % 3))
    assert.strictEqual(piece.byteOffset % 16, 0)
    assert.isTrue(piece.every((byte) => byte === 0))
    piece.fill(n + 1)
  })
  pieces.forEach((piece, n) => assert.isTrue(piece.every((byte) => byte === n + 1)))
})

it("cuts them from few buffers above 32 MiB, once there are 16 MiB of them", () => {
  const slab = new Slab()
  const buffers = Array.from({ length: 80 }, () => slab.take(MiB).buffer)
  for (const buffer of buffers.slice(0, 16)) assert.strictEqual(buffer.byteLength, MiB)
  const slabs = Array.from(new Set(buffers.slice(16)), (buffer) => buffer.byteLength / MiB)
  assert.deepStrictEqual(slabs, [33, 33])
})

it("gives a piece of more than half of that a buffer of its own", () => {
  const slab = new Slab()
  const [before, large, after] = [17, 40, 1].map((mebibytes) => slab.take(mebibytes * MiB))
  assert.deepStrictEqual(
    [before, large, after].map((piece) => (piece?.buffer.byteLength ?? 0) / MiB),
    [17, 40, 33]
  )
})
