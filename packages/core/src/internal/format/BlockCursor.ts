/**
 * Walks the rows of one block, both ways, and finds a key in it.
 *
 * A cursor is made once and loaded with block after block. It owns one
 * {@link RowView}: the key is put together in a buffer of the cursor, because keys
 * share prefixes with the row before; the value stays a window into the block.
 * Nothing is allocated per row.
 *
 *     enter(block) ─> seekToFirst | seekToLast | seek | seekDescending | find
 *                  ─> next | previous ...
 *
 * Each of the moves answers a {@link BlockStep}: `row` when `row` is a row,
 * `done` past either end (the opposite move then comes back), `corrupt` when the
 * bytes are not a block; `error` then says where, counted from the block's start,
 * and the cursor gives no more rows.
 *
 * The payload is not trusted. Restarts were checked when the block was made, each row's
 * lengths are when it is reached; no read leaves the payload. Seeks rely on ascending
 * keys, which only tables of kind `compacted` have.
 *
 * How a seek avoids building keys: let `matched` be the bytes that the row before
 * has in common with the target, below which it sorts. A row that shares more
 * than `matched` with it differs from the target at the same byte, so it too
 * sorts below: skip it unread. Otherwise its suffix is compared where it lies. The
 * row that is found shares at most `matched` bytes, and these are the target's.
 *
 * How `find` avoids even that: numbers lead to the one row, or the few, that may be the
 * key's. Where the key's number is exact, a row of this number and length is the key's;
 * else a row's own suffix is compared, then those of the rows that its prefix comes
 * from (its parents), back to where nothing is shared: each a trip to memory.
 */
import { compareRange } from "../model/ByteOrder.ts"
import type { KeyNumber } from "../model/KeyNumber.ts"
import { Kind, RowView } from "../model/RowEntry.ts"
import type { SstFormatVersion } from "../model/SsTable.ts"
import { Block } from "./Block.ts"
import * as BlockDirectory from "./BlockDirectory.ts"
import { FormatError } from "./FormatError.ts"
import * as Row from "./Row.ts"

/** What a move came to. The first two values are those of every cursor's `Step`. */
export const BlockStep = { row: 0, done: 2, corrupt: 3 } as const
export type BlockStep = (typeof BlockStep)[keyof typeof BlockStep]

const noBytes = new Uint8Array(0)
const noBlock = Block.make(noBytes, 2)
const noRows = new Int32Array(0)

/** Room for a key at first. So small an array is part of the heap, and costs a tenth of one with a buffer of its own. */
const firstKeyBytes = 64

/** Rows whose keys are kept while walking backwards. A restart interval of every known writer is 16. */
const intervalRowsMax = 32

export class BlockCursor {
  /** The row it stands on. One object for the cursor's whole life. */
  readonly row = new RowView()
  /** Why the last move answered `corrupt`. */
  error: FormatError | undefined = undefined

  private block = noBlock
  private payload: Uint8Array = noBytes
  /** Where rows end and restarts begin. */
  private rowsEnd = 0
  private restartCount = 0
  /** The row it stands on: `[rowStart, rowEnd)`. Before the first both are 0, after the last both `rowsEnd`. */
  private rowStart = 0
  private rowEnd = 0
  private keyBuffer: Uint8Array = new Uint8Array(firstKeyBytes)

  // The header last read.
  private shared = 0
  private unshared = 0
  private suffixStart = 0
  private valueEnd = 0
  private headerRowEnd = 0
  private varintEnd = 0

  // Rows before the one it stands on, while walking backwards: where they start, and their keys, one after the other.
  private intervalStarts = noRows
  private intervalKeys = noRows
  private intervalBytes: Uint8Array = noBytes
  private intervalIndex = 0

  constructor(payload?: Uint8Array, formatVersion: SstFormatVersion = 2) {
    this.row.key = this.keyBuffer
    if (payload !== undefined) this.load(payload, formatVersion)
  }

  /** Takes another block, its payload without checksum, and stands before its first row. */
  load(payload: Uint8Array, formatVersion: SstFormatVersion): void {
    this.enter(Block.make(payload, formatVersion))
  }

  /** Takes another block, and stands before its first row. */
  enter(block: Block): void {
    const { payload } = block
    this.error = block.error
    this.block = block
    this.payload = payload
    this.restartCount = block.restartCount
    this.rowsEnd = block.rowsEnd
    this.row.value = payload
    this.standAt(0)
  }

  /** Takes another block, for a search: gives it a directory, unless it has one or can have none. */
  enterWithDirectory(block: Block, numbering: KeyNumber): BlockDirectory.BlockDirectory | null {
    this.enter(block)
    if (block.directory === undefined) {
      block.setDirectory(this.directory(numbering))
      this.enter(block)
    }
    return block.directory ?? null
  }

  seekToFirst(): BlockStep {
    this.standAt(0)
    return this.next()
  }

  seekToLast(): BlockStep {
    this.standAt(this.rowsEnd)
    return this.previous()
  }

  /** Moves to the first row whose key is not below `key[start, end)`. */
  seek(key: Uint8Array, start: number, end: number): BlockStep {
    const at = this.firstAbove(key, start, end, true)
    if (this.error !== undefined) return BlockStep.corrupt
    return this.standOnFound(at, key, start)
  }

  /** As `seek`, by the block's directory, to a key whose number is `number`, and exact or not. */
  seekWith(key: Uint8Array, number: number, isExact: boolean, directory: BlockDirectory.BlockDirectory): BlockStep {
    const row = BlockDirectory.firstNotBelow(directory, number)
    if (row === BlockDirectory.rowCount(directory)) return this.standOnFound(this.rowsEnd, key, 0)
    // Of rows with its number only bytes can tell which are below it.
    if (directory[row] === number && !this.isKeyOf(directory, row, key, isExact)) return this.seek(key, 0, key.length)
    const at = BlockDirectory.startOf(directory, row)
    this.readHeader(at)
    return this.standOnFound(at, key, 0)
  }

  /** Moves to the last row whose key is below `key[start, end)`, or equal where `orEqual`. */
  seekDescending(key: Uint8Array, start: number, end: number, orEqual: boolean): BlockStep {
    const at = this.firstAbove(key, start, end, !orEqual)
    if (this.error !== undefined) return BlockStep.corrupt
    this.standAt(at)
    return this.previous()
  }

  /**
   * Moves to the first row of this very key, whose number is `number`, and exact or not; `done` where the block has
   * none, and then it stands nowhere. The row's key is the array that was given.
   */
  find(key: Uint8Array, number: number, isExact: boolean, directory: BlockDirectory.BlockDirectory): BlockStep {
    const rows = BlockDirectory.rowCount(directory)
    for (let i = BlockDirectory.firstNotBelow(directory, number); i < rows && directory[i] === number; i++) {
      if (!this.isKeyOf(directory, i, key, isExact)) continue
      const at = BlockDirectory.startOf(directory, i)
      this.readHeader(at)
      const row = this.row
      row.key = key
      row.keyStart = 0
      row.keyEnd = key.length
      return this.readRest(at)
    }
    return BlockStep.done
  }

  /** A draft of the directory of the block it is in; `null`: it can have none. It then stands before the first row. */
  directory(numbering: KeyNumber): BlockDirectory.BlockDirectory | null {
    const count = this.rowsEnd > BlockDirectory.startMax ? 0 : this.countRows()
    const directory = BlockDirectory.draft(count)
    const shared = BlockDirectory.draftShared(count)
    this.standAt(0)
    for (let i = 0; i < count; i++) {
      if (this.next() !== BlockStep.row) return null
      let parent = i - 1
      while (parent >= 0 && (shared[parent] as number) >= this.shared) parent--
      const distance = this.shared === 0 ? 0 : i - parent
      if (distance > BlockDirectory.parentMax) return null
      shared[i] = this.shared
      const { key, keyEnd, keyStart } = this.row
      BlockDirectory.setRow(directory, i, numbering.of(key, keyStart, keyEnd), this.rowStart, distance)
    }
    this.standAt(0)
    return count === 0 ? null : directory
  }

  /** Moves to the next row: keys ascending and within a key the newest first, as they are stored. */
  next(): BlockStep {
    const at = this.rowEnd
    if (at >= this.rowsEnd) {
      this.standAt(at)
      return this.error === undefined ? BlockStep.done : BlockStep.corrupt
    }
    const row = this.row
    const keyLengthBefore = at === 0 ? 0 : row.keyEnd - row.keyStart
    if (row.key !== this.keyBuffer) this.takeKeyBack()
    if (!this.readHeader(at)) return BlockStep.corrupt
    if (this.shared > keyLengthBefore) return this.failShared(at, keyLengthBefore)
    this.makeRoomForKey(this.shared)
    return this.standOnHeader(at)
  }

  /** Moves to the row before: the exact reverse of `next`. */
  previous(): BlockStep {
    if (this.rowStart === 0) {
      this.rowEnd = 0
      return this.error === undefined ? BlockStep.done : BlockStep.corrupt
    }
    if (this.row.key !== this.intervalBytes || this.intervalIndex === 0) {
      if (!this.loadInterval(this.rowStart)) return BlockStep.corrupt
    }
    const index = --this.intervalIndex
    const at = this.intervalStarts[index] as number
    if (!this.readHeader(at)) return BlockStep.corrupt
    const row = this.row
    row.key = this.intervalBytes
    row.keyStart = this.intervalKeys[index] as number
    row.keyEnd = this.intervalKeys[index + 1] as number
    return this.readRest(at)
  }

  /** How many rows the block has; 0 where they cannot be read. */
  private countRows(): number {
    let count = 0
    for (let at = 0; at < this.rowsEnd; at = this.headerRowEnd) {
      if (!this.readHeader(at)) return 0
      count++
    }
    return count
  }

  /** Whether row `index`, which has the key's number, has the key. Rows of a directory were checked. */
  private isKeyOf(directory: BlockDirectory.BlockDirectory, index: number, key: Uint8Array, isExact: boolean): boolean {
    const payload = this.payload
    let row = index
    this.readLengths(BlockDirectory.startOf(directory, row))
    if (this.shared + this.unshared !== key.length) return false
    if (isExact) return true
    for (let end = key.length; ;) {
      const shift = this.suffixStart - this.shared
      for (let i = end - 1; i >= this.shared; i--) {
        if (payload[shift + i] !== key[i]) return false
      }
      if (this.shared === 0) return true
      end = this.shared
      row -= BlockDirectory.parentOf(directory, row)
      this.readLengths(BlockDirectory.startOf(directory, row))
    }
  }

  /** Makes the key buffer hold the key whose header was read; its first `kept` bytes stay. */
  private makeRoomForKey(kept: number): void {
    const length = this.shared + this.unshared
    if (length > this.keyBuffer.length) this.keyBuffer = grown(this.keyBuffer, kept, length)
  }

  /** Stands on the first row that is not below a key, whose header was read; past the last, if there is none. */
  private standOnFound(at: number, key: Uint8Array, start: number): BlockStep {
    this.standAt(at)
    if (at === this.rowsEnd) return BlockStep.done
    // The bytes this row shares with the one before are the key's.
    this.makeRoomForKey(0)
    for (let i = 0; i < this.shared; i++) this.keyBuffer[i] = key[start + i] as number
    return this.standOnHeader(at)
  }

  /** Stands before the row at `at`, on none. */
  private standAt(at: number): void {
    this.row.key = this.keyBuffer
    this.rowStart = at
    this.rowEnd = at
  }

  /** Completes the key in the key buffer, whose first `shared` bytes are right, and reads the rest. */
  private standOnHeader(at: number): BlockStep {
    const payload = this.payload
    const buffer = this.keyBuffer
    const row = this.row
    let source = this.suffixStart
    let target = this.shared
    const keyEnd = target + this.unshared
    while (target < keyEnd) buffer[target++] = payload[source++] as number
    row.key = buffer
    row.keyStart = 0
    row.keyEnd = keyEnd
    return this.readRest(at)
  }

  /** Reads all but the key of the row whose header was read. */
  private readRest(at: number): BlockStep {
    const row = this.row
    row.valueStart = this.suffixStart + this.unshared
    row.valueEnd = this.valueEnd
    const error = Row.readStamp(this.payload, this.valueEnd, row)
    if (error !== undefined) return this.stop(error)
    if (row.kind === Kind.tombstone && row.valueEnd !== row.valueStart) {
      return this.fail("row value length", at, "0 in a tombstone", row.valueEnd - row.valueStart)
    }
    this.rowStart = at
    this.rowEnd = this.headerRowEnd
    return BlockStep.row
  }

  /** Reads the lengths of the row at `at`, and checks that it ends with the rows or before. */
  private readHeader(at: number): boolean {
    const valueLength = this.readLengths(at)
    const { suffixStart, shared, unshared } = this
    const keyLength = shared + unshared
    if (keyLength === 0 || keyLength > Row.keyBytesMax) {
      this.fail("row key length", at, `1 to ${Row.keyBytesMax}`, keyLength)
      return false
    }
    const flagsAt = suffixStart + unshared + valueLength + Row.sequenceBytes
    const end = flagsAt < this.rowsEnd ? flagsAt + 1 + Row.timeBytes(this.payload[flagsAt] as number) : flagsAt + 1
    if (end > this.rowsEnd) {
      this.fail("row length", at, `an end at or before ${this.rowsEnd}`, end)
      return false
    }
    this.valueEnd = suffixStart + unshared + valueLength
    this.headerRowEnd = end
    return true
  }

  /** Reads the lengths of the row at `at`, and returns that of its value. */
  private readLengths(at: number): number {
    const payload = this.payload
    let position = at
    let shared = payload[position] as number
    if (shared < 0x80) position++
    else {
      shared = this.readVarint(position)
      position = this.varintEnd
    }
    let unshared = payload[position] as number
    if (unshared < 0x80) position++
    else {
      unshared = this.readVarint(position)
      position = this.varintEnd
    }
    let valueLength = payload[position] as number
    if (valueLength < 0x80) position++
    else {
      valueLength = this.readVarint(position)
      position = this.varintEnd
    }
    this.shared = shared
    this.unshared = unshared
    this.suffixStart = position
    return valueLength
  }

  /** Reads a varint of several bytes at `at` and leaves its end in `varintEnd`. Infinity: it is none of 32 bits. */
  private readVarint(at: number): number {
    let value = 0
    let scale = 1
    for (let i = 0; i < 5; i++) {
      const byte = this.payload[at + i]
      if (byte === undefined) break
      value += (byte & 0x7f) * scale
      scale *= 0x80
      if (byte < 0x80) {
        this.varintEnd = at + i + 1
        return value <= 0xffff_ffff ? value : Infinity
      }
    }
    this.varintEnd = at
    return Infinity
  }

  /**
   * Where the first row above the target begins (or, where `orEqual`, the first
   * that is not below it), and `rowsEnd` when there is none. Its header was read.
   */
  private firstAbove(key: Uint8Array, start: number, end: number, orEqual: boolean): number {
    const payload = this.payload
    let at = this.restartBefore(key, start, end, orEqual)
    const targetLength = end - start
    let matched = 0
    let keyLengthBefore = 0
    while (at < this.rowsEnd) {
      if (!this.readHeader(at)) return this.rowsEnd
      const shared = this.shared
      const keyLength = shared + this.unshared
      if (shared > keyLengthBefore) {
        this.failShared(at, keyLengthBefore)
        return this.rowsEnd
      }
      if (shared <= matched) {
        const shift = this.suffixStart - shared
        const common = keyLength < targetLength ? keyLength : targetLength
        let i = shared
        while (i < common && payload[shift + i] === key[start + i]) i++
        matched = i
        const difference =
          i < common ? (payload[shift + i] as number) - (key[start + i] as number) : keyLength - targetLength
        if (difference > 0 || (orEqual && difference === 0)) return at
      }
      keyLengthBefore = keyLength
      at = this.headerRowEnd
    }
    return this.rowsEnd
  }

  /** The last restart that lies before the row sought, by binary search; the first, if that row is in front of all. */
  private restartBefore(key: Uint8Array, start: number, end: number, orEqual: boolean): number {
    let low = 0
    let high = this.restartCount
    while (low < high) {
      const middle = (low + high) >>> 1
      const at = this.block.restart(middle)
      if (!this.readHeader(at)) return this.rowsEnd
      if (this.shared !== 0) {
        this.failShared(at, 0)
        return this.rowsEnd
      }
      const order = compareRange(this.payload, this.suffixStart, this.suffixStart + this.unshared, key, start, end)
      if (order < 0 || (order === 0 && !orEqual)) low = middle + 1
      else high = middle
    }
    return low === 0 ? 0 : this.block.restart(low - 1)
  }

  /** Walks from the last restart before `end` and keeps where the rows up to there start, and their keys. */
  private loadInterval(end: number): boolean {
    if (this.intervalKeys === noRows) {
      this.intervalStarts = new Int32Array(intervalRowsMax)
      this.intervalKeys = new Int32Array(intervalRowsMax + 1)
    }
    const { intervalKeys: keys, intervalStarts: starts } = this
    let at = this.block.lastRestartBelow(end)
    let count = 0
    let keyLengthBefore = 0
    while (at < end) {
      if (!this.readHeader(at)) return false
      const shared = this.shared
      if (shared > keyLengthBefore) {
        this.failShared(at, keyLengthBefore)
        return false
      }
      if (count === intervalRowsMax) {
        // An uncommonly long interval: its front is walked again when we get there.
        this.intervalBytes.copyWithin(0, keys[count - 1] as number, keys[count] as number)
        starts[0] = starts[count - 1] as number
        keys[1] = keyLengthBefore
        count = 1
      }
      const keyStart = keys[count] as number
      const keyEnd = keyStart + shared + this.unshared
      if (keyEnd > this.intervalBytes.length) this.intervalBytes = grown(this.intervalBytes, keyStart, keyEnd)
      const bytes = this.intervalBytes
      let source = keyStart - keyLengthBefore
      let target = keyStart
      for (const sharedEnd = keyStart + shared; target < sharedEnd;) bytes[target++] = bytes[source++] as number
      source = this.suffixStart
      while (target < keyEnd) bytes[target++] = this.payload[source++] as number
      starts[count++] = at
      keys[count] = keyEnd
      keyLengthBefore = keyEnd - keyStart
      at = this.headerRowEnd
    }
    if (at !== end) {
      this.fail("block rows", end, "a row to end here", at)
      return false
    }
    this.intervalIndex = count
    return true
  }

  /** Walking backwards ended: the key goes back to where `next` builds on it. */
  private takeKeyBack(): void {
    const row = this.row
    const length = row.keyEnd - row.keyStart
    if (length > this.keyBuffer.length) this.keyBuffer = grown(this.keyBuffer, 0, length)
    this.keyBuffer.set(row.key.subarray(row.keyStart, row.keyEnd))
    row.key = this.keyBuffer
    row.keyStart = 0
    row.keyEnd = length
  }

  private failShared(at: number, keyLengthBefore: number): BlockStep {
    return this.fail("row shared key bytes", at, `at most the ${keyLengthBefore} of the key before`, this.shared)
  }

  private fail(part: string, offset: number, expected: string, found: number): BlockStep {
    return this.stop(new FormatError({ kind: "corrupt", part, offset, expected, found: String(found) }))
  }

  /** Every later move ends here too: without rows and restarts there is nothing to move to. */
  private stop(error: FormatError): BlockStep {
    this.error = error
    this.rowsEnd = 0
    this.restartCount = 0
    this.standAt(0)
    return BlockStep.corrupt
  }
}

const grown = (bytes: Uint8Array, kept: number, length: number): Uint8Array => {
  const larger = new Uint8Array(Math.max(length, bytes.length * 2))
  larger.set(bytes.subarray(0, kept))
  return larger
}
