import * as Compression from "@effect-slatedb/core/Compression"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as zlib from "node:zlib"
import { NodeCompression } from "@effect-slatedb/platform-node"

const names = ["none", "snappy", "lz4", "zlib", "zstd"] as const
const added = ["zlib", "zstd"] as const
const input = new TextEncoder().encode("key/00001=value-1;".repeat(300))

const codecOf = ({ codecs }: Compression.Compression, name: Compression.CodecName): Compression.Codec => {
  const codec = codecs[name]
  return codec ?? assert.fail(`no codec ${name}`)
}

describe("NodeCompression", () => {
  it.effect("without the layer there are none, snappy and lz4", () =>
    Effect.gen(function* () {
      const { codecs } = yield* Compression.Compression
      assert.hasAllKeys(codecs, ["none", "snappy", "lz4"])
    })
  )

  it.effect("with the layer there are all five, and each gives back what it was given", () =>
    Effect.gen(function* () {
      const compression = yield* Compression.Compression
      assert.hasAllKeys(compression.codecs, names)
      for (const name of names) {
        const codec = codecOf(compression, name)
        for (const bytes of [input, new Uint8Array(0), Uint8Array.of(7)]) {
          const stored = codec.compress(bytes)
          assert.deepStrictEqual(new Uint8Array(codec.decompress(stored, Math.max(1, bytes.length))), bytes)
        }
      }
    }).pipe(Effect.provide(NodeCompression.layer))
  )

  it("zlib writes the zlib format, zstd a frame that says its size", () => {
    const compression = NodeCompression.make()
    const stored = codecOf(compression, "zlib").compress(input)
    assert.deepStrictEqual(new Uint8Array(zlib.inflateSync(stored)), input)
    const frame = codecOf(compression, "zstd").compress(input)
    assert.deepStrictEqual([...frame.subarray(0, 4)], [0x28, 0xb5, 0x2f, 0xfd])
    assert.strictEqual((frame[4] as number) & 0xc0, 0x40, "a content size of two bytes")
  })

  it.each(added)("%s makes no more bytes than it may, and only its own from its own", (name) => {
    const codec = codecOf(NodeCompression.make(), name)
    const bomb = codec.compress(new Uint8Array(1_000_000))
    assert.throws(() => codec.decompress(bomb, 999_999))
    assert.strictEqual(codec.decompress(bomb, 1_000_000).length, 1_000_000)
    for (const wrong of [new Uint8Array(0), bomb.slice(0, -1), Uint8Array.of(1, 2, 3), input]) {
      assert.throws(() => codec.decompress(wrong, 1_000_000))
    }
  })

  it.each(added)("%s gives blocks that keep no larger buffer alive", (name) => {
    const codec = codecOf(NodeCompression.make(), name)
    const block = codec.decompress(codec.compress(input), input.length)
    assert.strictEqual(block.buffer.byteLength, input.length)
  })

  it("its checksum is the portable one, below and above the size where native code takes over", () => {
    const { crc32 } = NodeCompression.make()
    const bytes = Uint8Array.from({ length: 1_000 }, (_, i) => (i * 2_654_435_761) >>> 24)
    for (let end = 0; end <= bytes.length; end++) {
      const start = end % 7 <= end ? end % 7 : 0
      assert.strictEqual(crc32(bytes, start, end), Compression.portable.crc32(bytes, start, end))
    }
    assert.strictEqual(crc32(bytes, 0, bytes.length), zlib.crc32(bytes))
  })
})
