/**
 * Bloom filters: which keys a table surely does not have.
 *
 *     legacy     u16 probes | bits
 *     composite  u16 count | (u16 name length | name | u64 length | legacy payload)*
 *
 * A key's 64-bit SipHash gives `probes` bit positions by enhanced double hashing;
 * a key is absent when one of its bits is clear. Whatever a reader does not
 * understand answers "perhaps", which costs a block read and never a row.
 *
 * A filter is sized by its rows, which are known at the end, so the builder keeps
 * hashes (8 bytes a row) and sets bits when it is finished. Setting them can be
 * done in slices.
 */
import * as Result from "effect/Result"
import type { SsTableInfo } from "../model/SsTable.ts"
import { corrupt, type FormatError } from "./FormatError.ts"
import * as Integer64 from "./Integer64.ts"

/**
 * Probes that are looked at; a filter may ask for more. A filter of 64 bits per
 * key has 44 probes. Leaving probes out only makes "perhaps" likelier.
 */
const probesMax = 64

/** The filter over whole keys, in the composite form. Others answer questions about prefixes. */
const wholeKeyName = "_bf"

/** Hashes in the first segment of a builder, and in every later one. */
const segmentHashes = 4096

export class BloomFilter {
  private readonly bytes: Uint8Array
  /** Where the bits begin. */
  private readonly start: number
  private readonly bitCount: number
  private readonly probes: number

  constructor(bytes: Uint8Array, start: number, end: number, probes: number) {
    this.bytes = bytes
    this.start = start
    const bitCount = 8 * (end - start)
    // Positions are 32-bit; a larger filter than that is not consulted.
    this.bitCount = bitCount > 0xffff_ffff ? 0 : bitCount
    this.probes = probes
  }

  /** What it weighs in memory. */
  get sizeBytes(): number {
    return this.bytes.length
  }

  /** `false`: no row of the table has a key with this hash. The halves are those of `SipHash`. */
  mightContain(hashLow: number, hashHigh: number): boolean {
    const { bitCount, bytes, probes, start } = this
    if (bitCount === 0) return true
    // Said to be of 32 bits, it is one instruction; otherwise a division of doubles.
    let bit = (hashLow >>> 0) % (bitCount >>> 0)
    let step = (hashHigh >>> 0) % (bitCount >>> 0)
    for (let i = 0; i < probes; i++) {
      step += i
      // Remainders of sums below twice the divisor, and in tiny filters of any.
      if (step >= bitCount) step %= bitCount
      if (((bytes[start + (bit >>> 3)] as number) & (1 << (bit & 7))) === 0) return false
      bit += step
      if (bit >= bitCount) bit -= bitCount
    }
    return true
  }
}

/** A filter from its payload. It keeps the bytes: they must not change. */
export const decode = (
  payload: Uint8Array,
  format: SsTableInfo["filterFormat"]
): Result.Result<BloomFilter, FormatError> =>
  format === "legacy" ? decodeBloom(payload, 0, payload.length) : decodeComposite(payload)

/** How many probes go with so many bits per key. The official engine computes it in 32-bit floats. */
export const probesFor = (bitsPerKey: number): number =>
  Math.trunc(Math.fround(Math.fround(bitsPerKey) * Math.fround(0.69)))

export class BloomFilterBuilder {
  private readonly bitsPerKey: number
  /** Low and high halves in turn; all segments but the last are full. */
  private readonly segments: Array<Uint32Array> = []
  private last = new Uint32Array(0)
  private lastLength = 0
  private count = 0
  private bytes: Uint8Array | undefined = undefined
  private placed = 0

  constructor(bitsPerKey: number) {
    this.bitsPerKey = bitsPerKey
  }

  /** Bytes held for the hashes so far. */
  get sizeBytes(): number {
    return this.segments.length * segmentHashes * 8
  }

  add(hashLow: number, hashHigh: number): void {
    if (this.lastLength === this.last.length) {
      this.last = new Uint32Array(2 * segmentHashes)
      this.lastLength = 0
      this.segments.push(this.last)
    }
    this.last[this.lastLength++] = hashLow
    this.last[this.lastLength++] = hashHigh
    this.count++
  }

  /** Sets the bits of up to `keysMax` more keys and says whether that was all. No key is added from the first call on. */
  place(keysMax: number): boolean {
    const probes = probesFor(this.bitsPerKey)
    this.bytes ??= new Uint8Array(2 + Math.ceil((this.count * this.bitsPerKey) / 8))
    const bytes = this.bytes
    const bitCount = 8 * (bytes.length - 2)
    bytes[0] = probes >>> 8
    bytes[1] = probes
    const end = Math.min(this.count, this.placed + keysMax)
    for (; this.placed < end; this.placed++) {
      const segment = this.segments[Math.floor(this.placed / segmentHashes)] as Uint32Array
      const at = 2 * (this.placed % segmentHashes)
      let bit = (segment[at] as number) % bitCount
      let step = (segment[at + 1] as number) % bitCount
      for (let i = 0; i < probes; i++) {
        step += i
        if (step >= bitCount) step %= bitCount
        const byte = 2 + (bit >>> 3)
        bytes[byte] = (bytes[byte] as number) | (1 << (bit & 7))
        bit += step
        if (bit >= bitCount) bit -= bitCount
      }
    }
    return this.placed === this.count
  }

  /** The legacy payload. */
  finish(): Uint8Array {
    this.place(Infinity)
    return this.bytes ?? new Uint8Array(2)
  }

  /** The filter as a reader has it; it shares the payload's bytes. */
  built(): BloomFilter {
    const payload = this.finish()
    return new BloomFilter(payload, 2, payload.length, Math.min(probesFor(this.bitsPerKey), probesMax))
  }
}

const decodeBloom = (bytes: Uint8Array, start: number, end: number): Result.Result<BloomFilter, FormatError> => {
  if (end - start < 2) return corrupt("filter", start, "at least 2 bytes", end - start)
  const probes = ((bytes[start] as number) << 8) | (bytes[start + 1] as number)
  return Result.succeed(new BloomFilter(bytes, start + 2, end, Math.min(probes, probesMax)))
}

const decodeComposite = (payload: Uint8Array): Result.Result<BloomFilter, FormatError> => {
  const length = payload.length
  if (length < 2) return corrupt("filter count", 0, "at least 2 bytes", length)
  const count = ((payload[0] as number) << 8) | (payload[1] as number)
  // Without a filter that we understand: no bits, always "perhaps".
  let found = new BloomFilter(payload, 0, 0, 0)
  let at = 2
  for (let i = 0; i < count; i++) {
    const nameStart = at + 2
    const nameEnd = nameStart + (((payload[at] as number) << 8) | (payload[at + 1] as number))
    // Beyond the end two bytes are read as none, and the length is still missing.
    if (nameEnd + 8 > length) return corrupt("filter name", at, `${count} filters, each with a length`, i)
    const start = nameEnd + 8
    const end = start + Integer64.readUnsigned(payload, nameEnd)
    if (end > length) return corrupt("filter length", nameEnd, `an end at or before ${length}`, end)
    if (isNamed(payload, nameStart, nameEnd, wholeKeyName)) {
      const bloom = decodeBloom(payload, start, end)
      if (Result.isFailure(bloom)) return bloom
      found = bloom.success
    }
    at = end
  }
  return at === length ? Result.succeed(found) : corrupt("filter", at, `an end at ${length}`, at)
}

const isNamed = (bytes: Uint8Array, start: number, end: number, name: string): boolean => {
  if (end - start !== name.length) return false
  for (let i = 0; i < name.length; i++) if (bytes[start + i] !== name.charCodeAt(i)) return false
  return true
}
