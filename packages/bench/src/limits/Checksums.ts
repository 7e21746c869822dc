/** CRC-32 of blocks and of rows: zlib's, and eight bytes at a step in plain JavaScript. */
import { crc32 } from "node:zlib"
import * as Random from "../Random.ts"
import type { Limit, Variant } from "./Limit.ts"
import { keep } from "./Limit.ts"

const sourceBytes = 16 << 20
const blockBytes = 4096
const rowBytes = 100
const megabyte = 1e6

export const limits = (): ReadonlyArray<Limit> => {
  const random = Random.make(1)
  const source = Buffer.allocUnsafe(sourceBytes)
  for (let i = 0; i < sourceBytes; i += 4) source.writeUInt32LE(random(), i)
  const sliced = slicingBy8()
  if (sliced(source, 0, blockBytes) !== crc32(source.subarray(0, blockBytes))) throw new Error("the crc is wrong")

  const native = (from: number, to: number) => crc32(source.subarray(from, to))
  const portable = (from: number, to: number) => sliced(source, from, to)
  return [
    {
      title: "crc32",
      unit: "MB",
      variants: [
        variant("zlib.crc32, 16 MiB", sourceBytes, sourceBytes, native),
        variant("zlib.crc32, 4 KiB", blockBytes, sourceBytes, native),
        variant("zlib.crc32, 100 B", rowBytes, sourceBytes / 4, native),
        variant("slicing by 8, 4 KiB", blockBytes, sourceBytes / 2, portable),
        variant("slicing by 8, 100 B", rowBytes, sourceBytes / 2, portable)
      ]
    }
  ]
}

/** Sums piece after piece of the first `bytes`. */
const variant = (
  name: string,
  pieceBytes: number,
  bytes: number,
  checksum: (from: number, to: number) => number
): Variant => ({
  name,
  run: () => {
    let from = 0
    for (; from + pieceBytes <= bytes; from += pieceBytes) keep(checksum(from, from + pieceBytes))
    return from / megabyte
  }
})

const slicingBy8 = (): ((bytes: Uint8Array, from: number, to: number) => number) => {
  const table = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
    table[byte] = crc
  }
  for (let i = 256; i < table.length; i++) {
    const before = table[i - 256] as number
    table[i] = (before >>> 8) ^ (table[before & 0xff] as number)
  }
  const at = (slice: number, byte: number): number => table[(slice << 8) | (byte & 0xff)] as number
  return (bytes, from, to) => {
    const byte = (i: number): number => bytes[i] as number
    let crc = -1
    let i = from
    for (; i + 8 <= to; i += 8) {
      crc =
        at(7, crc ^ byte(i)) ^
        at(6, (crc >>> 8) ^ byte(i + 1)) ^
        at(5, (crc >>> 16) ^ byte(i + 2)) ^
        at(4, (crc >>> 24) ^ byte(i + 3)) ^
        at(3, byte(i + 4)) ^
        at(2, byte(i + 5)) ^
        at(1, byte(i + 6)) ^
        at(0, byte(i + 7))
    }
    for (; i < to; i++) crc = (crc >>> 8) ^ at(0, crc ^ byte(i))
    return (crc ^ -1) >>> 0
  }
}
