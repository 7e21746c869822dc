/**
 * The portable codecs: against themselves, against streams made by hand, and
 * against what no compressor makes. That the official engine's streams are read is
 * shown by the fixture tables.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Lz4 from "../../../src/internal/format/Lz4.ts"
import * as Snappy from "../../../src/internal/format/Snappy.ts"
import { concat, text } from "./TableRows.ts"

const codecs = { lz4: Lz4, snappy: Snappy }
const names = ["lz4", "snappy"] as const

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"))

/** Bytes that repeat themselves now and then, more or less. */
const repetitive = (length: number, alphabet: number, seed: number): Uint8Array => {
  let state = seed | 1
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0
    return (state >>> 16) % alphabet
  })
}

describe.each(names)("%s", (name) => {
  const { compress, decompress } = codecs[name]
  const survives = (input: Uint8Array): Uint8Array => {
    const before = input.slice()
    const stored = compress(input)
    assert.deepStrictEqual(input, before)
    assert.deepStrictEqual(Buffer.from(decompress(stored, input.length)), Buffer.from(input))
    return stored
  }

  it("gives back inputs of every small length", () => {
    for (let length = 0; length < 300; length++) {
      for (const alphabet of [1, 2, 4, 256]) survives(repetitive(length, alphabet, length))
    }
  })

  it.each([4_095, 4_096, 65_535, 65_536, 65_537, 70_000, 300_000])("gives back %d bytes", (length) => {
    for (const alphabet of [1, 3, 256]) survives(repetitive(length, alphabet, length))
  })

  it.prop("gives back any bytes, also twice", [Schema.Uint8Array], ([input]) => {
    survives(input)
    survives(concat([input, input, input]))
  })

  it("makes repetitions small, and hardly lengthens what has none", () => {
    const repeated = text("key/00001=value-1;".repeat(200))
    assert.isBelow(survives(repeated).length, repeated.length / 15)
    const random = repetitive(65_536, 256, 3)
    assert.isBelow(survives(random).length, random.length * 1.01)
  })

  it("finds repetitions as far back as a distance of 16 bits reaches, and none beyond", () => {
    const phrase = repetitive(1_000, 256, 7)
    const near = concat([phrase, repetitive(64_000, 256, 8), phrase])
    const far = concat([phrase, repetitive(65_536, 256, 8), phrase])
    assert.isBelow(survives(near).length, 65_400)
    assert.isAbove(survives(far).length, 67_000)
  })

  it("keeps inputs apart: nothing of an earlier one is taken for a repetition", () => {
    for (let i = 0; i < 50; i++) survives(repetitive(500, 4, i % 3))
  })

  it("refuses to make more than it may", () => {
    const stored = compress(new Uint8Array(10_000))
    assert.strictEqual(decompress(stored, 10_000).length, 10_000)
    assert.throws(() => decompress(stored, 9_999), /claims size=10000, at most 9999/)
  })

  it("with any bit flipped or cut off anywhere answers or throws an Error, and makes no more than it may", () => {
    const inputs = [text("key/00001=value-1;".repeat(9)), repetitive(200, 3, 1), repetitive(60, 256, 1)]
    for (const input of inputs) {
      const stored = compress(input)
      const hostile = [
        ...Array.from({ length: stored.length }, (_, length) => stored.slice(0, length)),
        ...Array.from({ length: stored.length * 8 }, (_, bit) => {
          const flipped = stored.slice()
          flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
          return flipped
        })
      ]
      for (const stream of hostile) {
        try {
          assert.isAtMost(decompress(stream, 1_000).length, 1_000)
        } catch (error) {
          assert.match(error instanceof Error ? error.message : "", new RegExp(`^${name}: `))
        }
      }
    }
  })

  it.prop("takes any bytes for a stream without harm", [Schema.Uint8Array], ([stream]) => {
    for (const prefix of [[], [200, 1, 0, 0], [64]]) {
      try {
        assert.isAtMost(decompress(concat([Uint8Array.from(prefix), stream]), 4_096).length, 4_096)
      } catch (error) {
        assert.match(error instanceof Error ? error.message : "", new RegExp(`^${name}: `))
      }
    }
  })
})

describe("lz4 streams", () => {
  it.each([
    ["nothing", "00000000 00", ""],
    ["literals", "03000000 30 616263", "abc"],
    ["an overlapping match", "0b000000 11 61 0100 50 6262626262", "aaaaaabbbbb"],
    ["a long run of literals", `14000000 f0 05 ${"78".repeat(20)}`, "x".repeat(20)],
    ["a long match", "18010000 1f 61 0100 ff 00 50 6262626262", `${"a".repeat(275)}bbbbb`]
  ])("with %s", (_, hex, expected) => {
    assert.strictEqual(Buffer.from(Lz4.decompress(bytes(hex), 1_000)).toString(), expected)
  })

  it.each([
    ["no size", "000000", /3 bytes, too few/],
    ["no block", "00000000", /4 bytes, too few/],
    ["a size that its bytes cannot make", "ffffff7f 10 61", /claims size=2147483647, at most 510/],
    ["a distance before its start", "0a000000 10 61 0200 50 6262626262", /distance=2 at 1/],
    ["a distance of nothing", "0a000000 10 61 0000 50 6262626262", /distance=0 at 1/],
    ["too many literals", "02000000 30 616263", /3 literals too long/],
    ["literals that are not there", "03000000 30 6162", /3 literals too long/],
    ["a match beyond its size", "05000000 12 61 0100 50 6262626262", /match of 6 too long/],
    ["half a distance", "0a000000 10 61 01", /ends inside a distance/],
    ["a length without end", "0a000000 f0 ff", /ends inside a length/],
    ["no last sequence", "05000000 10 61 0100", /ends inside a sequence/],
    ["less than it claims", "04000000 30 616263", /size=3, claimed 4/]
  ])("with %s are refused", (_, hex, message) => {
    assert.throws(() => Lz4.decompress(bytes(hex), 2 ** 32), message)
  })
})

describe("snappy streams", () => {
  it.each([
    ["nothing", "00", ""],
    ["literals", "03 08 616263", "abc"],
    ["literals of a length of one byte", `3d f0 3c ${"78".repeat(61)}`, "x".repeat(61)],
    ["literals of a length of four bytes", `03 fc 02000000 616263`, "abc"],
    ["a short copy that overlaps", "08 00 61 0d 01", "aaaaaaaa"],
    ["a copy of two-byte distance", "07 08 616263 0e 0300", "abcabca"],
    ["a copy of four-byte distance", "07 08 616263 0f 03000000", "abcabca"]
  ])("with %s", (_, hex, expected) => {
    assert.strictEqual(Buffer.from(Snappy.decompress(bytes(hex), 1_000)).toString(), expected)
  })

  it.each([
    ["no size", "", /no size/],
    ["a size without end", "808080808000", /no size/],
    ["a size that its bytes cannot make", "ffffffff0f 00 61", /claims size=4294967295, at most 44/],
    ["a distance before its start", "08 00 61 0d 02", /distance=2 at 1/],
    ["a distance of nothing", "08 00 61 0d 00", /distance=0 at 1/],
    ["a distance of 32 bits", "08 00 61 0f ffffffff", /distance=4294967295 at 1/],
    ["too many literals", "02 08 616263", /3 literals too long/],
    ["literals that are not there", "03 08 6162", /3 literals too long/],
    ["a copy beyond its size", "04 00 61 0d 01", /copy of 7 too long/],
    ["half a distance", "08 00 61 0e 01", /ends inside an element/],
    ["half a length", "08 f4 01", /ends inside an element/],
    ["less than it claims", "04 08 616263", /size=3, claimed 4/]
  ])("with %s are refused", (_, hex, message) => {
    assert.throws(() => Snappy.decompress(bytes(hex), 2 ** 32), message)
  })
})
