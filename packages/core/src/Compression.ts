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
