/**
 * LZ4, in the framing of SlateDB's tables: the size as u32 little-endian, then one
 * raw block.
 *
 *     sequence   token | [literal length - 15 ...] | literals | u16 LE distance | [match length - 19 ...]
 *     token      literal length (15: more follows), match length - 4 (15: more follows)
 *
 * Further length bytes add up, until one below 255. The last sequence ends after
 * its literals.
 *
 * Decompression trusts nothing: the size is checked against the caller's bound and
 * against what the input can hold before memory is taken, each copy against both
 * buffers.
 */
import { LzMatcher } from "./LzMatcher.ts"
import { copyLiterals, copyMatch } from "./LzBytes.ts"

const headerBytes = 4

/** No input byte makes more than this many output bytes: it is a length byte, at most. */
const expansionMax = 255

const matcher = new LzMatcher()

export const compress = (bytes: Uint8Array): Uint8Array => {
  const length = bytes.length
  const output = new Uint8Array(headerBytes + length + Math.ceil(length / 255) + 16)
  output[0] = length
  output[1] = length >>> 8
  output[2] = length >>> 16
  output[3] = length >>> 24
  let at = headerBytes
  matcher.begin(bytes)
  while (matcher.next()) {
    const literals = matcher.matchStart - matcher.literalStart
    const match = matcher.matchLength - 4
    at = writeLiterals(output, at, bytes, matcher.literalStart, literals, Math.min(match, 15))
    output[at++] = matcher.distance
    output[at++] = matcher.distance >>> 8
    if (match >= 15) at = writeLength(output, at, match - 15)
  }
  at = writeLiterals(output, at, bytes, matcher.literalStart, length - matcher.literalStart, 0)
  return output.slice(0, at)
}

/** Throws an `Error` that says what is wrong. */
export const decompress = (bytes: Uint8Array, sizeMax: number): Uint8Array => {
  const end = bytes.length
  if (end < headerBytes + 1) throw new Error(`lz4: ${end} bytes, too few for a block`)
  const size =
    ((bytes[0] as number) |
      ((bytes[1] as number) << 8) |
      ((bytes[2] as number) << 16) |
      ((bytes[3] as number) << 24)) >>>
    0
  const bound = Math.min(sizeMax, (end - headerBytes) * expansionMax)
  if (size > bound) throw new Error(`lz4: claims size=${size}, at most ${bound}`)
  const output = new Uint8Array(size)
  const lengths = new LengthReader(bytes, headerBytes)
  let at = 0
  for (;;) {
    if (lengths.position >= end) throw new Error(`lz4: ends inside a sequence, output=${at}`)
    const token = bytes[lengths.position++] as number
    const literals = lengths.read(token >>> 4)
    if (literals > end - lengths.position || literals > size - at) throw new Error(`lz4: ${literals} literals too long`)
    copyLiterals(bytes, lengths.position, literals, output, at)
    lengths.position += literals
    at += literals
    if (lengths.position === end) break
    if (end - lengths.position < 2) throw new Error(`lz4: ends inside a distance, output=${at}`)
    const distance = (bytes[lengths.position] as number) | ((bytes[lengths.position + 1] as number) << 8)
    lengths.position += 2
    const match = lengths.read(token & 15) + 4
    if (distance === 0 || distance > at) throw new Error(`lz4: distance=${distance} at ${at}`)
    if (match > size - at) throw new Error(`lz4: match of ${match} too long, output=${at} of ${size}`)
    copyMatch(output, at, distance, match)
    at += match
  }
  if (at !== size) throw new Error(`lz4: size=${at}, claimed ${size}`)
  return output
}

class LengthReader {
  position: number
  private readonly bytes: Uint8Array

  constructor(bytes: Uint8Array, position: number) {
    this.bytes = bytes
    this.position = position
  }

  /** The length that a token's four bits begin. Stops at the end of the input; the caller's checks fail then. */
  read(nibble: number): number {
    if (nibble < 15) return nibble
    let length = 15
    for (;;) {
      const more = this.bytes[this.position]
      if (more === undefined) throw new Error("lz4: ends inside a length")
      this.position++
      length += more
      if (more !== 255) return length
    }
  }
}

const writeLiterals = (
  output: Uint8Array,
  at: number,
  bytes: Uint8Array,
  start: number,
  literals: number,
  matchNibble: number
): number => {
  output[at++] = (Math.min(literals, 15) << 4) | matchNibble
  if (literals >= 15) at = writeLength(output, at, literals - 15)
  copyLiterals(bytes, start, literals, output, at)
  return at + literals
}

const writeLength = (output: Uint8Array, at: number, length: number): number => {
  for (; length >= 255; length -= 255) output[at++] = 255
  output[at++] = length
  return at
}
