import { assert, describe, it } from "@effect/vitest"
import { copyInto, copyOf } from "../../../src/internal/model/ByteCopy.ts"

const lengths = [0, 1, 7, 8, 9, 16, 39, 40, 41, 100, 255, 256, 1024, 70_000]
const bytesOf = (length: number) => Uint8Array.from({ length }, (_, i) => 1 + ((i * 31) % 255))

describe("copyInto", () => {
  for (const [what, before, after] of [
    ["a whole array", 0, 0],
    ["the begin of an array", 0, 3],
    ["the end of an array", 5, 0],
    ["the middle of an array", 5, 3]
  ] as const) {
    it(`writes ${what}, and no byte beside it`, () => {
      for (const length of lengths) {
        const from = bytesOf(before + length + after)
        const to = new Uint8Array(length + 20)
        copyInto(from, before, before + length, to, 11)
        assert.deepStrictEqual(to.subarray(11, 11 + length), from.subarray(before, before + length))
        assert.isTrue(to.subarray(0, 11).every((byte) => byte === 0) && to.subarray(11 + length).every((b) => b === 0))
      }
    })
  }

  it("writes what an array shows of its buffer, be it a Buffer of Node", () => {
    for (const length of lengths) {
      const buffer = bytesOf(length + 64).buffer
      for (const from of [new Uint8Array(buffer, 32, length), Buffer.from(buffer, 32, length)]) {
        const to = new Uint8Array(length)
        copyInto(from, 0, length, to, 0)
        assert.deepStrictEqual(to, new Uint8Array(buffer.slice(32, 32 + length)))
      }
    }
  })
})

describe("copyOf", () => {
  it("makes a plain array in memory of its own, of the whole and of a part, also of a Buffer of Node", () => {
    for (const length of lengths) {
      const bytes = bytesOf(length + 64)
      for (const from of [bytes, Buffer.from(bytes.buffer)]) {
        for (const [start, end] of [
          [0, length],
          [32, 32 + length],
          [64, 64 + length]
        ] as const) {
          const copy = copyOf(from, start, end)
          assert.strictEqual(copy.constructor, Uint8Array)
          assert.notStrictEqual(copy.buffer, bytes.buffer)
          assert.strictEqual(copy.buffer.byteLength, length)
          assert.deepStrictEqual(copy, bytes.subarray(start, end))
        }
        assert.deepStrictEqual(copyOf(from), bytes)
      }
    }
  })
})
