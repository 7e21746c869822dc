/**
 * The codecs that tables are stored with.
 *
 * A codec works on one block at a time and is synchronous. Core brings portable
 * `snappy` and `lz4`; `zlib` and `zstd` need the platform, for example
 * `NodeCompression.layer` of `@effect-slatedb/platform-node`. The service has a
 * default, so a program that uses none of it provides nothing.
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Checksum from "./internal/format/Checksum.ts"
import * as Lz4 from "./internal/format/Lz4.ts"
import * as Snappy from "./internal/format/Snappy.ts"
import type { CompressionCodec } from "./internal/model/SsTable.ts"

/**
 * The name of a codec, as settings and table infos spell it.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type CodecName = CompressionCodec

/**
 * One codec, in the framing of SlateDB's tables.
 *
 * **Details**
 *
 * - `compress` returns new bytes (or its input, for `none`).
 * - `decompress` throws an `Error` that says what is wrong when the bytes are not
 *   its own, and never produces more than `sizeMax` bytes, whatever they claim.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Codec {
  readonly compress: (bytes: Uint8Array) => Uint8Array
  readonly decompress: (bytes: Uint8Array, sizeMax: number) => Uint8Array
}

/**
 * The codecs at hand, and the CRC-32 that guards what is stored.
 *
 * **Details**
 *
 * `crc32` is the IEEE polynomial, as zlib's, of `bytes[start, end)`, unsigned.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export interface Compression {
  readonly codecs: { readonly [Name in CodecName]?: Codec }
  readonly crc32: (bytes: Uint8Array, start: number, end: number) => number
}

/**
 * The service. Its default, {@link portable}, is there without a layer.
 *
 * **Example** (Adding zlib and zstd on Node.js)
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
 * @category services
 * @since 0.1.0
 */
export const Compression: Context.Reference<Compression> = Context.Reference<Compression>(
  "@effect-slatedb/core/Compression",
  { defaultValue: () => portable }
)

/**
 * What runs anywhere: `none`, `snappy`, `lz4`, and a CRC-32 in JavaScript. A
 * platform package adds to it.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const portable: Compression = {
  codecs: {
    none: { compress: (bytes) => bytes, decompress: (bytes) => bytes },
    snappy: { compress: Snappy.compress, decompress: Snappy.decompress },
    lz4: { compress: Lz4.compress, decompress: Lz4.decompress }
  },
  crc32: Checksum.crc32
}
