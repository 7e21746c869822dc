import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as KeyHash from "../../../src/internal/lsm/KeyHash.ts"

/** HalfSipHash as its paper draws it, with the count of rounds open, so that published results of 2-4 vouch for 1-3. */
const halfSipHash = (rounds: number, finalRounds: number, low: number, high: number, key: Uint8Array): number => {
  const rotate = (word: number, by: number) => (word << by) | (word >>> (32 - by))
  const v = [low, high, 0x6c796765 ^ low, 0x74656462 ^ high] as [number, number, number, number]
  const round = () => {
    v[0] = (v[0] + v[1]) | 0
    v[1] = rotate(v[1], 5) ^ v[0]
    v[0] = rotate(v[0], 16)
    v[2] = (v[2] + v[3]) | 0
    v[3] = rotate(v[3], 8) ^ v[2]
    v[0] = (v[0] + v[3]) | 0
    v[3] = rotate(v[3], 7) ^ v[0]
    v[2] = (v[2] + v[1]) | 0
    v[1] = rotate(v[1], 13) ^ v[2]
    v[2] = rotate(v[2], 16)
  }
  const padded = new Uint8Array((key.length & ~3) + 4)
  padded.set(key)
  padded[padded.length - 1] = key.length
  for (let at = 0; at < padded.length; at += 4) {
    const word = new DataView(padded.buffer).getInt32(at, true)
    v[3] ^= word
    for (let i = 0; i < rounds; i++) round()
    v[0] ^= word
  }
  v[2] ^= 0xff
  for (let i = 0; i < finalRounds; i++) round()
  return v[1] ^ v[3]
}

const counting = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i)

describe("KeyHash", () => {
  it("is tested against a HalfSipHash that gives the published results", () => {
    // Of HalfSipHash-2-4 for the key 00 01 ... 07 and the inputs of 0 to 3 bytes 00 01 02.
    const published = [0x5b9f35a9, 0xb85a4727, 0x03a662fa, 0x04e7fe8a]
    for (const [length, expected] of published.entries()) {
      assert.strictEqual(halfSipHash(2, 4, 0x03020100, 0x07060504, counting(length)) >>> 0, expected)
    }
  })

  it.prop(
    "is HalfSipHash-1-3 of the range, whatever lies around it",
    {
      key: Schema.Uint8Array,
      seed: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }))
    },
    ({ key, seed }) => {
      const around = new Uint8Array(key.length + 5).fill(0xee)
      around.set(key, 2)
      const halves = KeyHash.seed(seed)
      assert.strictEqual(
        KeyHash.hash(halves, around, 2, 2 + key.length),
        halfSipHash(1, 3, halves.low, halves.high, key)
      )
    }
  )

  it("uses all 53 bits of the seed", () => {
    const hashes = new Set<number>()
    for (let bit = 0; bit < 53; bit++) hashes.add(KeyHash.hash(KeyHash.seed(2 ** bit), counting(16), 0, 16))
    assert.strictEqual(hashes.size, 53)
  })
})
