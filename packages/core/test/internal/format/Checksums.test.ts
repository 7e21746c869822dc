/**
 * The two functions of bytes that a format depends on to the bit, against other
 * implementations of them.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as zlib from "node:zlib"
import * as Checksum from "../../../src/internal/format/Checksum.ts"
import { SipHash } from "../../../src/internal/format/SipHash.ts"
import { text } from "./TableRows.ts"

describe("crc32", () => {
  it("is that of zlib, at every length and alignment", () => {
    const bytes = Uint8Array.from({ length: 300 }, (_, i) => (i * 2_654_435_761) >>> 13)
    for (let start = 0; start < 9; start++) {
      for (let end = start; end < bytes.length; end++) {
        assert.strictEqual(Checksum.crc32(bytes, start, end), zlib.crc32(bytes.subarray(start, end)))
      }
    }
  })

  it("of the check string is cbf43926", () => {
    assert.strictEqual(Checksum.crc32(text("123456789"), 0, 9), 0xcbf43926)
  })
})

const mask = (1n << 64n) - 1n
const rotate = (value: bigint, bits: bigint) => ((value << bits) | (value >> (64n - bits))) & mask

/** SipHash-1-3 with a zero key, word for word as its authors describe it. */
const reference = (bytes: Uint8Array): bigint => {
  let [v0, v1, v2, v3] = [0x736f6d6570736575n, 0x646f72616e646f6dn, 0x6c7967656e657261n, 0x7465646279746573n]
  const round = () => {
    v0 = (v0 + v1) & mask
    v1 = rotate(v1, 13n) ^ v0
    v0 = rotate(v0, 32n)
    v2 = (v2 + v3) & mask
    v3 = rotate(v3, 16n) ^ v2
    v0 = (v0 + v3) & mask
    v3 = rotate(v3, 21n) ^ v0
    v2 = (v2 + v1) & mask
    v1 = rotate(v1, 17n) ^ v2
    v2 = rotate(v2, 32n)
  }
  const padded = new Uint8Array((bytes.length >> 3) * 8 + 8)
  padded.set(bytes)
  padded[padded.length - 1] = bytes.length
  const view = new DataView(padded.buffer)
  for (let at = 0; at < padded.length; at += 8) {
    const word = view.getBigUint64(at, true)
    v3 ^= word
    round()
    v0 ^= word
  }
  v2 ^= 0xffn
  for (let i = 0; i < 3; i++) round()
  return v0 ^ v1 ^ v2 ^ v3
}

const hash = new SipHash()
const hashOf = (bytes: Uint8Array, start: number, end: number): bigint => {
  hash.hash(bytes, start, end)
  return (BigInt(hash.high) << 32n) | BigInt(hash.low)
}

describe("SipHash", () => {
  it.each([
    ["", 0xd1fba762150c532cn],
    ["a", 0x407448d2b89b1813n]
  ])("of '%s' is the one that the official engine's filters have", (key, expected) => {
    assert.strictEqual(hashOf(text(key), 0, key.length), expected)
  })

  it("is SipHash-1-3 at every length", () => {
    const bytes = Uint8Array.from({ length: 70 }, (_, i) => 0xff - 3 * i)
    for (let start = 0; start < 3; start++) {
      for (let end = start; end <= bytes.length; end++) {
        assert.strictEqual(hashOf(bytes, start, end), reference(bytes.subarray(start, end)))
      }
    }
  })

  it.prop("is SipHash-1-3 of any bytes", [Schema.Uint8Array], ([bytes]) => {
    assert.strictEqual(hashOf(bytes, 0, bytes.length), reference(bytes))
  })

  it("counts a length over 255 modulo 256", () => {
    const bytes = new Uint8Array(1000).fill(0x80)
    assert.strictEqual(hashOf(bytes, 0, 1000), reference(bytes))
  })
})
