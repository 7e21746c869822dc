/**
 * 64-bit integers of the row format: big-endian, as JavaScript numbers.
 *
 * Two 32-bit halves cost a quarter of a BigInt. A number holds 53 bits; what a
 * file holds beyond them comes out above `Number.MAX_SAFE_INTEGER` in size, so
 * one comparison after the read tells a caller that it must refuse.
 */

const twoTo32 = 0x1_0000_0000

/** The unsigned number at `at`; above `Number.MAX_SAFE_INTEGER` it may be rounded. */
export const readUnsigned = (bytes: Uint8Array, at: number): number =>
  read32(bytes, at) * twoTo32 + read32(bytes, at + 4)

/** The two's complement number at `at`; beyond `Number.MAX_SAFE_INTEGER` in size it may be rounded. */
export const readSigned = (bytes: Uint8Array, at: number): number =>
  (read32(bytes, at) | 0) * twoTo32 + read32(bytes, at + 4)

/** Writes a safe integer, negative ones in two's complement. */
export const write = (bytes: Uint8Array, at: number, value: number): void => {
  const high = Math.floor(value / twoTo32)
  // ToInt32 takes a number modulo 2^32: these are the low half's bits.
  const low = value | 0
  bytes[at] = high >>> 24
  bytes[at + 1] = high >>> 16
  bytes[at + 2] = high >>> 8
  bytes[at + 3] = high
  bytes[at + 4] = low >>> 24
  bytes[at + 5] = low >>> 16
  bytes[at + 6] = low >>> 8
  bytes[at + 7] = low
}

const read32 = (bytes: Uint8Array, at: number): number =>
  (((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)) >>>
  0
