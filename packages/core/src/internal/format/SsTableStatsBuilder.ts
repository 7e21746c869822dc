/**
 * Collects the counts of a table's blocks while it is written, and writes its stats.
 *
 *     root | u32 count | u32 offset of block i, count times | blocks' tables, vtables between them
 *     └ encode ──────────────────────────────────────────┘ └ add ─────────────────────────────┘
 *
 * The bytes are those of `SsTableStatsCodec`: each block's table is written when the
 * block ends, in the very place behind the vector that the codec would give it. So what
 * is left to the end of the table is a number per block.
 */
import * as SsTableStatsCodec from "./SsTableStatsCodec.ts"

/** A vtable of three slots and a table with all three, at most, with what aligns them. */
const blockBytesMax = 10 + 2 + 10

export class SsTableStatsBuilder {
  private puts = 0
  private deletes = 0
  private merges = 0
  private blocks = new Uint8Array(256)
  private view = new DataView(this.blocks.buffer)
  private end = 0
  /** Where each block's table begins in `blocks`. */
  private readonly tables: Array<number> = []
  /** Where the vtable of each set of counts that are not zero begins in `blocks`. */
  private readonly vtables = new Map<number, number>()
  private first = { puts: 0, deletes: 0, merges: 0 }
  private firstEnd = 0

  /** A block with so many rows of each kind. */
  add(puts: number, deletes: number, merges: number): void {
    this.puts += puts
    this.deletes += deletes
    this.merges += merges
    if (this.end + blockBytesMax > this.blocks.length) this.grow()
    const vtable = this.vtable(puts, deletes, merges)
    this.end += -this.end & 3
    const table = this.end
    this.view.setInt32(table, table - vtable, true)
    this.end += 4
    if (puts !== 0) this.u16(puts)
    if (deletes !== 0) this.u16(deletes)
    if (merges !== 0) this.u16(merges)
    if (this.tables.push(table) > 1) return
    this.first = { puts, deletes, merges }
    this.firstEnd = this.end
  }

  /** The stats as they are stored, before compression. */
  encode(rawKeyBytes: number, rawValueBytes: number): Uint8Array {
    const { deletes, merges, puts, tables } = this
    const blocks = tables.length === 0 ? [] : [this.first]
    const short = SsTableStatsCodec.encode({ puts, deletes, merges, rawKeyBytes, rawValueBytes, blocks })
    if (tables.length < 2) return short
    // All in front of the vector is the same for any number of blocks.
    const vector = short.length - this.firstEnd - 8
    const start = vector + 4 + 4 * tables.length
    const bytes = new Uint8Array(start + this.end)
    bytes.set(short.subarray(0, vector))
    bytes.set(this.blocks.subarray(0, this.end), start)
    const view = new DataView(bytes.buffer)
    view.setUint32(vector, tables.length, true)
    for (let i = 0, at = vector + 4; i < tables.length; i++, at += 4) {
      view.setUint32(at, start + (tables[i] as number) - at, true)
    }
    return bytes
  }

  private vtable(puts: number, deletes: number, merges: number): number {
    const shape = (puts === 0 ? 0 : 1) | (deletes === 0 ? 0 : 2) | (merges === 0 ? 0 : 4)
    const known = this.vtables.get(shape)
    if (known !== undefined) return known
    const position = this.end
    this.vtables.set(shape, position)
    const slots = 32 - Math.clz32(shape)
    const present = (shape & 1) + ((shape >> 1) & 1) + (shape >> 2)
    this.u16(4 + 2 * slots)
    this.u16(4 + 2 * present)
    for (let slot = 0, at = 4; slot < slots; slot++) {
      const isPresent = (shape & (1 << slot)) !== 0
      this.u16(isPresent ? at : 0)
      if (isPresent) at += 2
    }
    return position
  }

  private u16(value: number): void {
    this.view.setUint16(this.end, value, true)
    this.end += 2
  }

  private grow(): void {
    const larger = new Uint8Array(2 * this.blocks.length)
    larger.set(this.blocks)
    this.blocks = larger
    this.view = new DataView(larger.buffer)
  }
}
