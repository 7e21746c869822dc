/**
 * Writes blocks, format version 2: rows that share key prefixes, and the
 * offsets at which they do not.
 *
 *     row 0 .. row n-1 | u16 offset of a restart, r times | u16 r
 *
 * Every sixteenth row, beginning with the first, is a restart: its key is
 * stored whole, so that a reader can search among restarts.
 *
 * A builder writes into the buffer that its owner points it at, so that a block
 * is built where it will be stored. One that turns out too small is replaced by a
 * larger copy; an owner who minds makes room for `bytesMax` first. A builder lives
 * for many blocks:
 *
 *     begin(buffer, start) ─> add(row, common)* ─> end() ─> begin ...
 *
 * Invariants:
 * - a block is at most `blockSizeBytes` long, unless one row alone is longer;
 * - a restart offset is below 65,536: no row beyond begins a restart;
 * - `lastKey` is the key of the last row added, across blocks.
 *
 * It does not judge the order of rows: that is the table's law, and WAL objects
 * have another one.
 */
import { copyInto } from "../model/ByteCopy.ts"
import { Kind, type RowView } from "../model/RowEntry.ts"
import * as Integer64 from "./Integer64.ts"
import * as Row from "./Row.ts"

/** Rows from one restart to the next. A power of two. */
export const restartInterval = 16

/** Largest block size, in bytes: restart offsets have 16 bits. */
export const blockBytesMax = 0x1_0000

/** The shortest row: three varints of one byte, no key suffix, no value, no times. */
const rowBytesMin = 3 + 8 + 1

export class BlockBuilder {
  buffer: Uint8Array = new Uint8Array(0)
  rowCount = 0
  /** Where the next row goes in the buffer. */
  position = 0
  /** The last row's key, in the first `lastKeyLength` bytes. */
  lastKey: Uint8Array = new Uint8Array(256)
  lastKeyLength = 0
  private readonly blockSizeBytes: number
  private start = 0
  private restartCount = 0
  private readonly restarts: Uint16Array

  constructor(blockSizeBytes: number) {
    this.blockSizeBytes = blockSizeBytes
    const sharedBytesMax = Math.min(blockSizeBytes, blockBytesMax)
    this.restarts = new Uint16Array(Math.ceil(sharedBytesMax / rowBytesMin / restartInterval) + 1)
  }

  /** Points the builder at the place of the next block. */
  begin(buffer: Uint8Array, start: number): void {
    this.buffer = buffer
    this.start = start
    this.position = start
    this.rowCount = 0
    this.restartCount = 0
  }

  /** Bytes of the block if it ended now. */
  get sizeBytes(): number {
    return this.rowCount === 0 ? 0 : this.position - this.start + 2 * this.restartCount + 2
  }

  /** How many bytes `row`'s key has in common with the last one. */
  sharedWithLast(row: RowView): number {
    const last = this.lastKey
    const key = row.key
    const start = row.keyStart
    const length = Math.min(row.keyEnd - start, this.lastKeyLength)
    let shared = 0
    while (shared < length && last[shared] === key[start + shared]) shared++
    return shared
  }

  /**
   * Adds a row, or answers `false` when it does not fit: then this block ends and
   * the row begins the next. The first row of a block always fits. `common` is
   * `sharedWithLast(row)`.
   */
  add(row: RowView, common: number): boolean {
    const offset = this.position - this.start
    const isRestart = (this.rowCount & (restartInterval - 1)) === 0 && offset < blockBytesMax
    const shared = isRestart ? 0 : common
    const keyLength = row.keyEnd - row.keyStart
    const unshared = keyLength - shared
    const isTombstone = row.kind === Kind.tombstone
    const valueLength = isTombstone ? 0 : row.valueEnd - row.valueStart
    const flags = Row.flagsOf(row)
    const restartCount = this.restartCount + (isRestart ? 1 : 0)

    if (this.rowCount !== 0) {
      const rowBytes =
        Row.varintSize(shared) +
        Row.varintSize(unshared) +
        Row.varintSize(valueLength) +
        unshared +
        valueLength +
        (Row.sequenceBytes + 1) +
        Row.timeBytes(flags)
      if (offset + rowBytes + 2 * restartCount + 2 > this.blockSizeBytes) return false
    }
    const end = this.position + Row.overheadBytesMax + unshared + valueLength + 2 * restartCount + 2
    if (end > this.buffer.length) this.buffer = grown(this.buffer, this.position, end)
    if (isRestart) this.restarts[this.restartCount] = offset
    this.restartCount = restartCount
    this.rowCount++

    const buffer = this.buffer
    let at = Row.writeVarint(buffer, this.position, shared)
    at = Row.writeVarint(buffer, at, unshared)
    at = Row.writeVarint(buffer, at, valueLength)
    copyInto(row.key, row.keyStart + shared, row.keyEnd, buffer, at)
    at += unshared
    copyInto(row.value, row.valueStart, row.valueStart + valueLength, buffer, at)
    at += valueLength
    Integer64.write(buffer, at, row.sequence)
    at += Row.sequenceBytes
    buffer[at++] = flags
    if ((flags & Row.Flag.hasExpireTime) !== 0) {
      Integer64.write(buffer, at, row.expireTime)
      at += 8
    }
    if ((flags & Row.Flag.hasCreateTime) !== 0) {
      Integer64.write(buffer, at, row.createTime)
      at += 8
    }
    this.position = at

    if (keyLength > this.lastKey.length) this.lastKey = grown(this.lastKey, common, keyLength)
    copyInto(row.key, row.keyStart + common, row.keyEnd, this.lastKey, common)
    this.lastKeyLength = keyLength
    return true
  }

  /** Writes the restarts and answers where the block ends in the buffer. It has at least one row. */
  end(): number {
    const buffer = this.buffer
    let at = this.position
    for (let i = 0; i < this.restartCount; i++) {
      const restart = this.restarts[i] as number
      buffer[at++] = restart >>> 8
      buffer[at++] = restart
    }
    buffer[at++] = this.restartCount >>> 8
    buffer[at++] = this.restartCount
    return at
  }
}

/**
 * Room that a block beginning with `row` takes at most. It is more than the block:
 * whether a row still has room is asked with the longest that its varints and times
 * could be.
 */
export const bytesMax = (blockSizeBytes: number, row: RowView): number =>
  Math.max(blockSizeBytes, row.keyEnd - row.keyStart + (row.valueEnd - row.valueStart) + 4) + Row.overheadBytesMax

const grown = (bytes: Uint8Array, kept: number, length: number): Uint8Array => {
  const larger = new Uint8Array(Math.max(length, bytes.length * 2))
  larger.set(bytes.subarray(0, kept))
  return larger
}
