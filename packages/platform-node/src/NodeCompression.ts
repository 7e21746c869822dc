/**
 * zlib, zstd and a native CRC-32 for the tables of effect-slatedb, from `node:zlib`.
 *
 * Core has portable codecs; this adds what only the platform has. All of it is
 * synchronous: a block is a few kilobytes, and a hop to a thread costs more than
 * the work.
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as Compression from "@effect-slatedb/core/Compression"
import * as Layer from "effect/Layer"
import * as zlib from "node:zlib"

/**
 * Every codec of SlateDB's tables, as far as this runtime has them.
 *
 * **When to use**
 *
 * When a database is, or may have been, written with zlib or zstd; and for faster
 * checksums in any case.
 *
 * **Gotchas**
 *
 * zstd needs a `node:zlib` that has it (Node.js 22.15). Where it is missing, opening
 * a table that needs it is a typed error, as without this layer.
 *
 * **Example** (Opening a database whose blocks are compressed with zstd)
 *
 * ```ts
 * import { NodeCompression } from "@effect-slatedb/platform-node"
 * import * as Effect from "effect/Effect"
 *
 * const withAllCodecs = <A, E, R>(program: Effect.Effect<A, E, R>) =>
 *   Effect.provide(program, NodeCompression.layer)
 * ```
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<never> = Layer.sync(Compression.Compression, () => make())

/**
 * What {@link layer} provides.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = (): Compression.Compression => ({
  codecs: {
    ...Compression.portable.codecs,
    zlib: {
      compress: (bytes) => zlib.deflateSync(bytes),
      decompress: (bytes, sizeMax) => exact(zlib.inflateSync(bytes, { maxOutputLength: outputMax(sizeMax) }))
    },
    ...(hasZstd
      ? {
          zstd: {
            compress: (bytes: Uint8Array) => zlib.zstdCompressSync(bytes, { params: zstdParameters }),
            decompress: (bytes: Uint8Array, sizeMax: number) =>
              exact(zlib.zstdDecompressSync(bytes, { maxOutputLength: outputMax(sizeMax) }))
          }
        }
      : {})
  },
  crc32: hasCrc32 ? crc32 : Compression.portable.crc32
})

const hasZstd = typeof zlib.zstdCompressSync === "function" && typeof zlib.zstdDecompressSync === "function"

const hasCrc32 = typeof zlib.crc32 === "function"

/** The level that the official engine writes with. */
const zstdParameters = hasZstd ? { [zlib.constants.ZSTD_c_compressionLevel]: 3 } : {}

/** From so many bytes on, a call into native code is faster than the portable loop (measured on Node.js 24). */
const nativeCrcBytesMin = 288

const crc32 = (bytes: Uint8Array, start: number, end: number): number =>
  end - start < nativeCrcBytesMin
    ? Compression.portable.crc32(bytes, start, end)
    : zlib.crc32(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end))

/** `node:zlib` takes no bound of 0. */
const outputMax = (sizeMax: number): number => Math.max(1, sizeMax)

/** What `node:zlib` returns is a piece of a larger buffer, which a cached block would keep alive. */
const exact = (bytes: Uint8Array): Uint8Array => {
  const copy = new Uint8Array(bytes.length)
  copy.set(bytes)
  return copy
}
