/**
 * CRC-32 (IEEE 802.3, the polynomial of zlib and gzip), in portable code.
 *
 * Eight table lookups take eight bytes at once ("slicing by eight"): the byte
 * that is `k` bytes from the end of the group goes through table `k`, which
 * holds the effect of a byte followed by `k` zero bytes. The tables are one
 * array, so that the loop has one bounds check to hoist.
 *
 * A platform may bring a faster one for long inputs; below some 200 bytes this
 * one is as fast as a call into native code.
 */

/** What guards a section: the CRC-32 of `bytes[start, end)`, unsigned. */
export type Checksum = (bytes: Uint8Array, start: number, end: number) => number

/** Bytes that a section's checksum takes, after what it guards. */
export const sizeBytes = 4

const tables = new Int32Array(8 * 256)
for (let byte = 0; byte < 256; byte++) {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1))
  tables[byte] = crc
}
for (let i = 256; i < tables.length; i++) {
  const previous = tables[i - 256] as number
  tables[i] = (previous >>> 8) ^ (tables[previous & 0xff] as number)
}

export const crc32: Checksum = (bytes, start, end) => {
  const t = tables
  let crc = -1
  let at = start
  for (const lastGroup = end - 8; at <= lastGroup; at += 8) {
    const low =
      crc ^
      ((bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24))
    crc =
      (t[0x700 + (low & 0xff)] as number) ^
      (t[0x600 + ((low >>> 8) & 0xff)] as number) ^
      (t[0x500 + ((low >>> 16) & 0xff)] as number) ^
      (t[0x400 + (low >>> 24)] as number) ^
      (t[0x300 + (bytes[at + 4] as number)] as number) ^
      (t[0x200 + (bytes[at + 5] as number)] as number) ^
      (t[0x100 + (bytes[at + 6] as number)] as number) ^
      (t[bytes[at + 7] as number] as number)
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ (t[(crc ^ (bytes[at] as number)) & 0xff] as number)
  return ~crc >>> 0
}
