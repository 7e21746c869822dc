/**
 * Collects the blocks of a table while it is written, and writes its index.
 *
 * The layout is the one that the official engine's FlatBuffers library makes:
 * from the end of the buffer to its front, children before parents, the first
 * block last, one vtable for all entries of a shape. So equal blocks give equal
 * bytes, and goldens can be compared whole.
 *
 * The size of the buffer is known at the end, so entries are written then, in slices
 * if somebody else shall have a turn.
 */

import { SsTableIndex } from "./SsTableIndex.ts"

/** Bytes per block beyond its key, at most: key length, padding, table, vtable, vector slot. */
const entryBytesMax = 4 + 3 + 20 + 8 + 4

/** Bytes around the entries, at most: vector length, root table, its vtable, root offset, padding. */
const frameBytesMax = 4 + 8 + 6 + 4 + 8

/** Slots, in bytes: the vtable's own length, the table's, then where offset and first key lie. */
const shapeFirst = [8, 8, 0, 4] as const
const shapeAligned = [8, 16, 8, 4] as const
const shapePadded = [8, 20, 8, 4] as const

export class SsTableIndexBuilder {
  private readonly offsets: Array<number> = []
  /** Where each separator ends in `separators`. */
  private readonly separatorEnds: Array<number> = []
  private separators = new Uint8Array(256)
  private separatorBytes = 0

  // The buffer being written, and how many of its last bytes are done.
  private bytes = new Uint8Array(0)
  private view = new DataView(this.bytes.buffer)
  private done = 0
  /** Where the table of each entry that is placed begins, counted from the buffer's end; empty before the first. */
  private tables = new Uint32Array(0)
  private readonly vtables = new Map<object, number>()
  private placed = 0

  get blockCount(): number {
    return this.offsets.length
  }

  /** Bytes held for the index so far. */
  get sizeBytes(): number {
    return this.separatorBytes + 16 * this.offsets.length
  }

  /** A block at `offset`, greater than all before, whose separator is `key[start, end)`. */
  add(offset: number, key: Uint8Array, start: number, end: number): void {
    const separatorEnd = this.separatorBytes + (end - start)
    if (separatorEnd > this.separators.length) {
      const larger = new Uint8Array(Math.max(separatorEnd, 2 * this.separators.length))
      larger.set(this.separators)
      this.separators = larger
    }
    for (let i = start, at = this.separatorBytes; i < end; i++, at++) this.separators[at] = key[i] as number
    this.separatorBytes = separatorEnd
    this.offsets.push(offset)
    this.separatorEnds.push(separatorEnd)
  }

  /** The index as a reader has it, of a table whose data ends at `dataEnd`. */
  built(dataEnd: number): SsTableIndex {
    const keys = new Uint32Array(2 * this.offsets.length)
    for (let i = 0, start = 0; i < this.offsets.length; i++) {
      keys[2 * i] = start
      start = this.separatorEnds[i] as number
      keys[2 * i + 1] = start
    }
    return new SsTableIndex(
      this.separators.slice(0, this.separatorBytes),
      Float64Array.from(this.offsets),
      keys,
      dataEnd
    )
  }

  /** Writes up to `entriesMax` more entries and says whether that was all. No block is added from the first call on. */
  place(entriesMax: number): boolean {
    const count = this.offsets.length
    if (this.placed === 0) {
      this.bytes = new Uint8Array(frameBytesMax + count * entryBytesMax + this.separatorBytes)
      this.view = new DataView(this.bytes.buffer)
      this.tables = new Uint32Array(count)
    }
    const end = Math.min(count, this.placed + entriesMax)
    for (; this.placed < end; this.placed++) this.tables[this.placed] = this.entry(this.placed)
    return this.placed === count
  }

  /** The index as it is stored, before compression. Called once. */
  encode(): Uint8Array {
    this.place(Infinity)
    const { tables } = this
    const count = tables.length
    for (let i = count - 1; i >= 0; i--) this.offsetTo(tables[i] as number)
    this.u32(count)
    const vector = this.done

    this.offsetTo(vector)
    this.u32(6) // The root table: its vtable is the 6 bytes before it.
    const root = this.done
    this.u16(4)
    this.u16(8)
    this.u16(6)
    this.align(4, count > 1 ? 8 : 4)
    this.offsetTo(root)
    return this.bytes.subarray(this.bytes.length - this.done)
  }

  /** Writes entry `index` and says where its table begins, counted from the buffer's end. */
  private entry(index: number): number {
    const start = index === 0 ? 0 : (this.separatorEnds[index - 1] as number)
    const key = this.separators.subarray(start, this.separatorEnds[index])
    this.align(key.length, 4)
    this.done += key.length
    this.bytes.set(key, this.bytes.length - this.done)
    this.u32(key.length)
    const keyAt = this.done

    const tableEnd = this.done
    const offset = this.offsets[index] as number
    if (offset !== 0) {
      this.align(8, 8)
      this.u32(Math.floor(offset / 0x1_0000_0000))
      this.u32(offset)
    }
    this.offsetTo(keyAt)
    this.u32(0)
    const table = this.done
    const tableBytes = table - tableEnd
    const shape = tableBytes === 8 ? shapeFirst : tableBytes === 16 ? shapeAligned : shapePadded
    let vtable = this.vtables.get(shape)
    if (vtable === undefined) {
      for (let i = 3; i >= 0; i--) this.u16(shape[i] as number)
      vtable = this.done
      this.vtables.set(shape, vtable)
    }
    this.view.setInt32(this.bytes.length - table, vtable - table, true)
    return table
  }

  /** Pads, so that after `size` more bytes the position is a multiple of `alignment`. */
  private align(size: number, alignment: number): void {
    this.done += (alignment - ((this.done + size) % alignment)) % alignment
  }

  private offsetTo(position: number): void {
    this.u32(this.done + 4 - position)
  }

  private u32(value: number): void {
    this.done += 4
    this.view.setUint32(this.bytes.length - this.done, value, true)
  }

  private u16(value: number): void {
    this.done += 2
    this.view.setUint16(this.bytes.length - this.done, value, true)
  }
}
