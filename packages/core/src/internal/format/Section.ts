/**
 * A section: how block, filter, index and stats lie in a table.
 *
 *     payload, compressed by the table's codec | u32 CRC-32 of the payload as it lies there
 *
 * So the checksum is verified before a codec sees a byte. The info section has
 * the same form and is never compressed.
 */
import * as Result from "effect/Result"
import * as Checksum from "./Checksum.ts"
import { corrupt, FormatError } from "./FormatError.ts"

/** What a codec is to this floor; `Compression.Codec` has the contract. */
export interface Codec {
  readonly compress: (bytes: Uint8Array) => Uint8Array
  readonly decompress: (bytes: Uint8Array, sizeMax: number) => Uint8Array
}

/**
 * Largest payload, in bytes: one row with the longest key and value, and then some.
 */
const payloadBytesMax = 2 ** 32 + 2 ** 20

/**
 * How much one stored byte can become. The densest of the four codecs is zstd,
 * which says "128 KiB of the same byte" in 4 bytes. No honest section is refused
 * by this bound, and what a short section claims cannot ask for much memory.
 */
const expansionMax = 2 ** 15

/** Bytes that a section of `storedBytes` may decompress to. */
export const payloadSizeMax = (storedBytes: number): number =>
  Math.min(payloadBytesMax, storedBytes * expansionMax + 0x1_0000)

/**
 * The payload of the section that is `bytes[start, end)`. Without a codec it is a
 * view of `bytes`. Offsets in errors are those of `bytes`.
 */
export const decode = (
  part: string,
  bytes: Uint8Array,
  start: number,
  end: number,
  codec: Codec | undefined,
  crc32: Checksum.Checksum
): Result.Result<Uint8Array, FormatError> => {
  const payloadEnd = end - Checksum.sizeBytes
  if (start < 0 || end > bytes.length || payloadEnd < start) {
    const there = start < 0 ? 0 : Math.max(0, Math.min(end, bytes.length) - start)
    return corrupt(part, start, `${end - start} bytes, at least ${Checksum.sizeBytes}`, there)
  }
  const stored =
    (((bytes[payloadEnd] as number) << 24) |
      ((bytes[payloadEnd + 1] as number) << 16) |
      ((bytes[payloadEnd + 2] as number) << 8) |
      (bytes[payloadEnd + 3] as number)) >>>
    0
  const computed = crc32(bytes, start, payloadEnd)
  if (computed !== stored) {
    return corrupt(`${part} crc`, payloadEnd, `0x${computed.toString(16)}`, `0x${stored.toString(16)}`)
  }
  const payload = plain(bytes, start, payloadEnd)
  if (codec === undefined) return Result.succeed(payload)
  return Result.try({
    try: () => {
      const decompressed = codec.decompress(payload, payloadSizeMax(payload.length))
      return plain(decompressed, 0, decompressed.length)
    },
    catch: (cause) =>
      new FormatError({
        kind: "corrupt",
        part: `${part} compression`,
        offset: start,
        expected: "bytes of the table's codec",
        found: cause instanceof Error ? cause.message : String(cause)
      })
  })
}

/** Writes the checksum of `bytes[start, end)` behind it, and says where that ends. */
export const seal = (bytes: Uint8Array, start: number, end: number, crc32: Checksum.Checksum): number => {
  const crc = crc32(bytes, start, end)
  bytes[end] = crc >>> 24
  bytes[end + 1] = crc >>> 16
  bytes[end + 2] = crc >>> 8
  bytes[end + 3] = crc
  return end + Checksum.sizeBytes
}

/**
 * A view that is a plain `Uint8Array`: a subclass, such as Node's `Buffer`, would
 * make every access of a cursor's loops handle two kinds of arrays.
 */
const plain = (bytes: Uint8Array, start: number, end: number): Uint8Array =>
  new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start)
