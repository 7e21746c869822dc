/**
 * The rows of a generation, in the order they were appended.
 *
 * A row is its bytes in the {@link Arena} and a record of 40 bytes here. Records
 * lie in segments of 4,096: growth copies nothing but the first segment, while that
 * doubles. All that a lookup asks of a row lies in one record, so it costs one
 * trip to memory, where a column per field would cost one per field.
 *
 *     word 0  chunk, low 12 bits | offset in it, 20 bits
 *     word 1  chunk, high 14 bits | kind, 2 bits | key length, 16 bits
 *     word 2  value length
 *     word 3  older   \
 *     word 4  jump     | the chain of the key's versions, see VersionChain
 *     word 5  head    /
 *     words 6 to 9  sequence, creation time, as 64-bit floats
 *
 * Expiries, which most rows have none of, are a column beside the segments in which a row has one: there they
 * are a second trip.
 *
 * A row's index is its rank, so indexes rise with sequence numbers. Records do
 * not change once written, except the chain's words of a key's first row.
 */
import { copyInto } from "../model/ByteCopy.ts"
import * as ByteOrder from "../model/ByteOrder.ts"
import { type Kind, neverExpires, type RowView } from "../model/RowEntry.ts"
import type { Sequence } from "../model/Sequence.ts"
import { type Arena, offsetBits } from "./Arena.ts"

const segmentBits = 12
const segmentRows = 1 << segmentBits
const segmentMask = segmentRows - 1
const firstSegmentRows = 64
const recordWords = 10
const recordFloats = recordWords / 2
const recordBytes = recordWords * 4

const offsetMask = (1 << offsetBits) - 1
const chunkLowBits = 32 - offsetBits
const keyLengthMask = 0xffff
const kindShift = 16
const chunkHighShift = 18

/** Keys are no longer than this; the format's own bound. */
export const keyBytesMax = 0xffff

export class RowRecords {
  count = 0
  private readonly arena: Arena
  /** The same memory twice: as words and as floats. */
  private readonly words: Array<Int32Array> = []
  private readonly floats: Array<Float64Array> = []
  /** By segment; absent where no row expires. */
  private readonly expiries: Array<Float64Array | undefined> = []
  private capacity = 0
  private recordsAllocatedBytes = 0

  /** No rows yet, in an arena that nobody else allocates from. */
  constructor(arena: Arena) {
    this.arena = arena
  }

  get allocatedBytes(): number {
    return this.recordsAllocatedBytes + this.arena.allocatedBytes
  }

  /** Copies a row in and returns its index. The chain's words are still to be written. */
  append(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    sequence: Sequence,
    kind: Kind,
    createTime: number,
    expireTime: number
  ): number {
    const keyLength = keyEnd - keyStart
    const valueLength = valueEnd - valueStart
    if (keyLength > keyBytesMax)
      throw new Error(`a key is longer than its bound: length=${keyLength} max=${keyBytesMax}`)
    const row = this.count
    if (row === this.capacity) this.grow()
    const arena = this.arena
    const chunk = arena.allocate(keyLength + valueLength)
    copyInto(key, keyStart, keyEnd, chunk, arena.offset)
    copyInto(value, valueStart, valueEnd, chunk, arena.offset + keyLength)
    const words = this.words[row >> segmentBits] as Int32Array
    const floats = this.floats[row >> segmentBits] as Float64Array
    const at = (row & segmentMask) * recordWords
    words[at] = arena.offset | (arena.chunk << offsetBits)
    words[at + 1] = keyLength | (kind << kindShift) | ((arena.chunk >>> chunkLowBits) << chunkHighShift)
    words[at + 2] = valueLength
    const floatAt = at >> 1
    floats[floatAt + 3] = sequence
    floats[floatAt + 4] = createTime
    if (expireTime !== neverExpires) this.setExpiry(row, expireTime)
    this.count = row + 1
    return row
  }

  sequenceOf(row: number): Sequence {
    return (this.floats[row >> segmentBits] as Float64Array)[(row & segmentMask) * recordFloats + 3] as number
  }

  olderOf(row: number): number {
    return this.word(row, 3)
  }

  jumpOf(row: number): number {
    return this.word(row, 4)
  }

  headOf(row: number): number {
    return this.word(row, 5)
  }

  setChain(row: number, older: number, jump: number, head: number): void {
    const words = this.words[row >> segmentBits] as Int32Array
    const at = (row & segmentMask) * recordWords
    words[at + 3] = older
    words[at + 4] = jump
    words[at + 5] = head
  }

  /** The chunk that holds the row's bytes. */
  chunkOf(row: number): Uint8Array {
    const words = this.words[row >> segmentBits] as Int32Array
    const at = (row & segmentMask) * recordWords
    return this.chunkAt(words[at] as number, words[at + 1] as number)
  }

  /** Where the row's key begins in its chunk. */
  keyStartOf(row: number): number {
    return this.word(row, 0) & offsetMask
  }

  keyLengthOf(row: number): number {
    return this.word(row, 1) & keyLengthMask
  }

  valueLengthOf(row: number): number {
    return this.word(row, 2) >>> 0
  }

  /** Whether the row's key is `key[start, end)`. */
  keyEquals(row: number, key: Uint8Array, start: number, end: number): boolean {
    const words = this.words[row >> segmentBits] as Int32Array
    const at = (row & segmentMask) * recordWords
    const length = end - start
    const meta = words[at + 1] as number
    if ((meta & keyLengthMask) !== length) return false
    const place = words[at] as number
    const chunk = this.chunkAt(place, meta)
    const shift = (place & offsetMask) - start
    for (let i = start; i < end; i++) {
      if (key[i] !== chunk[i + shift]) return false
    }
    return true
  }

  /** Below, at or above zero, as `key[start, end)` sorts before, with or after the row's key. Skips `same` equal bytes. */
  compareKey(key: Uint8Array, start: number, end: number, row: number, same: number): number {
    const words = this.words[row >> segmentBits] as Int32Array
    const at = (row & segmentMask) * recordWords
    const meta = words[at + 1] as number
    const place = words[at] as number
    const keyStart = place & offsetMask
    const chunk = this.chunkAt(place, meta)
    return ByteOrder.compareRange(key, start + same, end, chunk, keyStart + same, keyStart + (meta & keyLengthMask))
  }

  /** Moves the window onto the row. */
  view(row: number, into: RowView): void {
    const words = this.words[row >> segmentBits] as Int32Array
    const floats = this.floats[row >> segmentBits] as Float64Array
    const at = (row & segmentMask) * recordWords
    const place = words[at] as number
    const meta = words[at + 1] as number
    const chunk = this.chunkAt(place, meta)
    const keyStart = place & offsetMask
    const keyEnd = keyStart + (meta & keyLengthMask)
    into.key = chunk
    into.keyStart = keyStart
    into.keyEnd = keyEnd
    into.value = chunk
    into.valueStart = keyEnd
    into.valueEnd = keyEnd + ((words[at + 2] as number) >>> 0)
    into.kind = ((meta >>> kindShift) & 3) as Kind
    const floatAt = at >> 1
    into.sequence = floats[floatAt + 3] as number
    into.createTime = floats[floatAt + 4] as number
    const expiries = this.expiries[row >> segmentBits]
    into.expireTime = expiries === undefined ? neverExpires : (expiries[row & segmentMask] as number)
  }

  /** The first row whose sequence number is above `sequence`; `count` when there is none. */
  firstAbove(sequence: Sequence): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.sequenceOf(middle) > sequence) high = middle
      else low = middle + 1
    }
    return low
  }

  private word(row: number, index: number): number {
    return (this.words[row >> segmentBits] as Int32Array)[(row & segmentMask) * recordWords + index] as number
  }

  private chunkAt(place: number, meta: number): Uint8Array {
    const index = (place >>> offsetBits) | ((meta >>> chunkHighShift) << chunkLowBits)
    return this.arena.chunks[index] as Uint8Array
  }

  private grow(): void {
    if (this.capacity < segmentRows) {
      this.capacity = this.capacity === 0 ? firstSegmentRows : this.capacity * 2
      this.setSegment(0, this.capacity)
    } else {
      this.capacity += segmentRows
      this.setSegment(this.words.length, segmentRows)
    }
  }

  private setExpiry(row: number, expireTime: number): void {
    const index = row >> segmentBits
    const expiries = this.expiries[index] ?? this.makeExpiries(index)
    expiries[row & segmentMask] = expireTime
  }

  /** A column for a segment that has none, or had one before it grew. */
  private makeExpiries(index: number): Float64Array {
    const before = this.expiries[index]
    const rows = Math.min(this.capacity, segmentRows)
    const expiries = new Float64Array(rows).fill(neverExpires)
    if (before !== undefined) {
      expiries.set(before)
      this.recordsAllocatedBytes -= before.byteLength
    }
    this.expiries[index] = expiries
    this.recordsAllocatedBytes += expiries.byteLength
    return expiries
  }

  private setSegment(index: number, rows: number): void {
    const { buffer, byteOffset } = this.arena.slab.take(rows * recordBytes)
    const words = new Int32Array(buffer, byteOffset, (rows * recordBytes) / 4)
    const before = this.words[index]
    if (before !== undefined) {
      words.set(before)
      this.recordsAllocatedBytes -= before.byteLength
    }
    this.words[index] = words
    this.floats[index] = new Float64Array(buffer, byteOffset, (rows * recordBytes) / 8)
    this.recordsAllocatedBytes += words.byteLength
    if (before === undefined) this.expiries.push(undefined)
    else if (this.expiries[index] !== undefined) this.makeExpiries(index)
  }
}
