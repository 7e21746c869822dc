/**
 * The bytes of a sequence tracker, inside the manifest:
 *
 *     u8 version = 1 | u32 LE count | sequences | seconds
 *
 * each of the two a bit stream, most significant bit first, padded with zeros to
 * a byte:
 *
 *     u32 count | u64 first value | per further value: its delta, less the delta before it
 *
 *     delta of deltas        prefix   bits after it, two's complement
 *     0                      0        -
 *     -63 .. 63              10       7
 *     -255 .. 255            110      9
 *     -2047 .. 2047          1110     12
 *     other                  1111     32
 *
 * (The counts inside are big-endian, as all bit fields are.) The delta before the
 * first one is 0. A regular series costs one bit a value.
 */
import * as Result from "effect/Result"
import type { SequenceTracker } from "../model/SequenceTracker.ts"
import { corrupt, type FormatError, unsupported } from "./FormatError.ts"

const version = 1

/** Eight times what any writer keeps. A bit can stand for a value, so the count alone would let a file fill memory. */
const countMax = 65_536

/** By magnitude. A jump wider than the last class cannot be written. */
const classes = [
  { prefix: 0b10, prefixBits: 2, bits: 7, max: 63 },
  { prefix: 0b110, prefixBits: 3, bits: 9, max: 255 },
  { prefix: 0b1110, prefixBits: 4, bits: 12, max: 2047 },
  { prefix: 0b1111, prefixBits: 4, bits: 32, max: 0x7fff_ffff }
] as const

/**
 * A point is left out, with all before it, when 32 bits cannot hold the jump to
 * it: 68 years or two thousand million sequence numbers. The tracker then begins
 * there.
 */
export const encode = (tracker: SequenceTracker): Uint8Array => {
  const start = firstEncodable(tracker)
  const bits = new BitWriter(32 + 10 * (tracker.sequences.length - start))
  bits.write(version, 8)
  for (let shift = 0; shift < 32; shift += 8) bits.write(((tracker.sequences.length - start) >>> shift) & 0xff, 8)
  encodeSeries(bits, tracker.sequences, start)
  encodeSeries(bits, tracker.seconds, start)
  return bits.finish()
}

export const decode = (bytes: Uint8Array): Result.Result<SequenceTracker, FormatError> => {
  if (bytes.length < 5) return corrupt("sequence tracker", 0, "5 bytes or more", bytes.length)
  if (bytes[0] !== version) return unsupported("sequence tracker version", 0, `${version}`, bytes[0] as number)
  const count = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1, true)
  if (count > countMax) return corrupt("sequence tracker", 1, `at most ${countMax} points`, count)
  return Result.gen(function* () {
    const bits = new BitReader(bytes, 5)
    const sequences = yield* decodeSeries("sequence tracker sequences", bits, count)
    const seconds = yield* decodeSeries("sequence tracker seconds", bits, count)
    if (bits.byte < bytes.length) {
      return yield* corrupt("sequence tracker", bits.byte, "the end", `${bytes.length - bits.byte} bytes`)
    }
    return { sequences, seconds }
  })
}

/** Where to begin, so that no jump that cannot be written comes after. */
const firstEncodable = (tracker: SequenceTracker): number => {
  let start = 0
  for (;;) {
    const later = Math.max(startAfterJump(tracker.sequences, start), startAfterJump(tracker.seconds, start))
    if (later === start) return start
    start = later
  }
}

/** A later start, before or behind the last value that cannot be written; `start` when all can. */
const startAfterJump = (values: ReadonlyArray<number>, start: number): number => {
  for (let i = values.length - 1; i > start; i--) {
    if (fits(deltaOfDeltas(values, start, i))) continue
    // A series that begins with the value before has no delta before this one to subtract.
    return fits(deltaOfDeltas(values, i - 1, i)) ? i - 1 : i
  }
  return start
}

const fits = (value: number): boolean => Math.abs(value) <= classes[3].max

const deltaOfDeltas = (values: ReadonlyArray<number>, start: number, i: number): number => {
  const delta = (values[i] as number) - (values[i - 1] as number)
  return i - 1 === start ? delta : delta - ((values[i - 1] as number) - (values[i - 2] as number))
}

const encodeSeries = (bits: BitWriter, values: ReadonlyArray<number>, start: number): void => {
  bits.write(values.length - start, 32)
  if (values.length > start) {
    const first = values[start] as number
    bits.write(Math.floor(first / 0x1_0000_0000), 32)
    bits.write(first % 0x1_0000_0000, 32)
  }
  for (let i = start + 1; i < values.length; i++) {
    const value = deltaOfDeltas(values, start, i)
    if (value === 0) {
      bits.write(0, 1)
      continue
    }
    const magnitude = Math.abs(value)
    const width = classes.find((candidate) => magnitude <= candidate.max) ?? classes[3]
    bits.write(width.prefix, width.prefixBits)
    bits.write(value, width.bits)
  }
  bits.align()
}

const decodeSeries = (
  part: string,
  bits: BitReader,
  count: number
): Result.Result<ReadonlyArray<number>, FormatError> => {
  const start = bits.byte
  const found = bits.read(32)
  if (found !== count) return corrupt(part, start, `${count} values, as at the front`, found)
  const values: Array<number> = []
  let delta = 0
  let value = count === 0 ? 0 : bits.read(32) * 0x1_0000_0000 + bits.read(32)
  while (values.length < count && !bits.overrun) {
    if (value < 0 || value > Number.MAX_SAFE_INTEGER) return corrupt(part, bits.byte, "0 to 2^53 - 1", value)
    values.push(value)
    if (values.length < count) delta += readDeltaOfDeltas(bits)
    value += delta
  }
  if (bits.overrun) return corrupt(part, start, `${count} values`, `the end after ${values.length}`)
  bits.align()
  return Result.succeed(values)
}

const readDeltaOfDeltas = (bits: BitReader): number => {
  if (bits.read(1) === 0) return 0
  for (const { bits: width } of classes) {
    if (width === 32 || bits.read(1) === 0) {
      const value = bits.read(width)
      return value >= 2 ** (width - 1) ? value - 2 ** width : value
    }
  }
  return 0
}

/** Reads past the end as zeros, and remembers that it did. */
class BitReader {
  overrun = false
  private readonly bytes: Uint8Array
  private bit: number

  constructor(bytes: Uint8Array, byte: number) {
    this.bytes = bytes
    this.bit = byte * 8
  }

  /** The byte of the next bit. */
  get byte(): number {
    return this.bit >>> 3
  }

  read(count: number): number {
    let value = 0
    for (let i = 0; i < count; i++, this.bit++) {
      const byte = this.bytes[this.bit >>> 3]
      if (byte === undefined) this.overrun = true
      value = value * 2 + (((byte ?? 0) >>> (7 - (this.bit & 7))) & 1)
    }
    return value
  }

  align(): void {
    this.bit = (this.bit + 7) & ~7
  }
}

class BitWriter {
  private readonly bytes: Uint8Array
  private bit = 0

  constructor(bytesMax: number) {
    this.bytes = new Uint8Array(bytesMax)
  }

  /** The low `count` bits, at most 32, of an integer. */
  write(value: number, count: number): void {
    for (let i = count - 1; i >= 0; i--, this.bit++) {
      const byte = this.bit >>> 3
      this.bytes[byte] = (this.bytes[byte] as number) | (((value >>> i) & 1) << (7 - (this.bit & 7)))
    }
  }

  align(): void {
    this.bit = (this.bit + 7) & ~7
  }

  finish(): Uint8Array {
    return this.bytes.slice(0, this.bit >>> 3)
  }
}
