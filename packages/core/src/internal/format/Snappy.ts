/**
 * Snappy, the raw format (not the stream format): the size as a varint, then
 * elements.
 *
 *     literal   llllll00 [length - 1 in 1 to 4 bytes, when l is 60 to 63] bytes
 *     copy      dddlll01 dddddddd                length l + 4, distance of 11 bits
 *               llllll10 u16 LE distance         length l + 1
 *               llllll11 u32 LE distance         length l + 1
 *
 * Decompression trusts nothing: the size is checked against the caller's bound and
 * against what the input can hold before memory is taken, each copy against both
 * buffers.
 */
import { LzMatcher } from "./LzMatcher.ts"
import { copyLiterals, copyMatch } from "./LzBytes.ts"

/** The densest element makes 64 bytes out of three. */
const expansionMax = 22

const matcher = new LzMatcher()

export const compress = (bytes: Uint8Array): Uint8Array => {
  const length = bytes.length
  const output = new Uint8Array(32 + length + Math.ceil(length / 6))
  let at = 0
  let rest = length
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) output[at++] = (rest & 0x7f) | 0x80
  output[at++] = rest
  matcher.begin(bytes)
  while (matcher.next()) {
    at = writeLiterals(output, at, bytes, matcher.literalStart, matcher.matchStart - matcher.literalStart)
    at = writeCopy(output, at, matcher.distance, matcher.matchLength)
  }
  at = writeLiterals(output, at, bytes, matcher.literalStart, length - matcher.literalStart)
  return output.slice(0, at)
}

/** Throws an `Error` that says what is wrong. */
export const decompress = (bytes: Uint8Array, sizeMax: number): Uint8Array => {
  const end = bytes.length
  let position = 0
  let size = 0
  for (let scale = 1; ; scale *= 0x80) {
    const byte = bytes[position++] as number
    if (position > 5) throw new Error("snappy: no size")
    size += (byte & 0x7f) * scale
    if (byte < 0x80) break
  }
  const bound = Math.min(sizeMax, (end - position) * expansionMax)
  if (size > bound) throw new Error(`snappy: claims size=${size}, at most ${bound}`)
  const output = new Uint8Array(size)
  let at = 0
  while (position < end) {
    const tag = bytes[position++] as number
    const type = tag & 3
    // How many bytes after the tag say the literal's length, or the distance.
    const extra = type === 0 ? Math.max(0, (tag >>> 2) - 59) : type === 3 ? 4 : type
    if (extra > end - position) throw new Error(`snappy: ends inside an element, output=${at}`)
    const number = readLittleEndian(bytes, position, extra)
    position += extra
    if (type === 0) {
      const literals = (extra === 0 ? tag >>> 2 : number) + 1
      if (literals > end - position || literals > size - at) throw new Error(`snappy: ${literals} literals too long`)
      copyLiterals(bytes, position, literals, output, at)
      position += literals
      at += literals
    } else {
      const length = type === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1
      const distance = type === 1 ? ((tag >>> 5) << 8) | number : number
      if (distance === 0 || distance > at) throw new Error(`snappy: distance=${distance} at ${at}`)
      if (length > size - at) throw new Error(`snappy: copy of ${length} too long, output=${at} of ${size}`)
      copyMatch(output, at, distance, length)
      at += length
    }
  }
  if (at !== size) throw new Error(`snappy: size=${at}, claimed ${size}`)
  return output
}

const readLittleEndian = (bytes: Uint8Array, at: number, count: number): number => {
  let value = 0
  for (let i = 0; i < count; i++) value |= (bytes[at + i] as number) << (8 * i)
  return value >>> 0
}

const writeLiterals = (output: Uint8Array, at: number, bytes: Uint8Array, start: number, literals: number): number => {
  if (literals === 0) return at
  const length = literals - 1
  if (length < 60) output[at++] = length << 2
  else {
    const extra = length < 0x100 ? 1 : length < 0x1_0000 ? 2 : length < 0x100_0000 ? 3 : 4
    output[at++] = (59 + extra) << 2
    for (let i = 0; i < extra; i++) output[at++] = length >>> (8 * i)
  }
  copyLiterals(bytes, start, literals, output, at)
  return at + literals
}

/** A copy holds at most 64 bytes; of a longer one the last piece keeps at least 4, for the short form. */
const writeCopy = (output: Uint8Array, at: number, distance: number, length: number): number => {
  while (length > 64) {
    const piece = length >= 68 ? 64 : 60
    at = writeLongCopy(output, at, distance, piece)
    length -= piece
  }
  if (length < 4 || length > 11 || distance >= 2048) return writeLongCopy(output, at, distance, length)
  output[at++] = ((distance >>> 8) << 5) | ((length - 4) << 2) | 1
  output[at++] = distance
  return at
}

const writeLongCopy = (output: Uint8Array, at: number, distance: number, length: number): number => {
  output[at++] = ((length - 1) << 2) | 2
  output[at++] = distance
  output[at++] = distance >>> 8
  return at
}
