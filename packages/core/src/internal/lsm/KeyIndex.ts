/**
 * From a key to its newest row: a hash table that never pauses to grow.
 *
 * It is split into shards by the hash's high bits. A shard is open addressing over
 * pairs of (hash, row), at most three quarters full. A small shard doubles; one of full size
 * splits in two by the next bit of the hash, as in extendible hashing. So no
 * step rehashes more than 3,072 keys, however many there are, and a small
 * database pays for eight shards of 16 slots.
 *
 *     directory[hash's high bits] ─> shard: [hash, ~row | hash, ~row | 0, 0 | ...]
 *
 * Rows are kept inverted, so that zeroed memory is an empty shard. The hash beside the
 * row spares a trip to the row for all keys but the right one, and growth never
 * looks at a key. Keys are never removed.
 */
import type { RowRecords } from "./RowRecords.ts"

const firstDepth = 3
/** Keys that agree in this many high bits share a shard, whatever its size. */
const depthMax = 16
const firstSlots = 16
const slotsMax = 4096

interface Shard {
  slots: Int32Array
  count: number
  /** How many high bits of the hash its keys have in common. */
  readonly depth: number
}

const makeShard = (depth: number, slots: number): Shard => ({ slots: new Int32Array(slots * 2), count: 0, depth })

export class KeyIndex {
  allocatedBytes = 0
  private depth = firstDepth
  private directory: Array<Shard> = []
  private readonly rows: RowRecords

  constructor(rows: RowRecords) {
    this.rows = rows
    for (let i = 0; i < 1 << firstDepth; i++) this.directory.push(this.allocate(firstDepth, firstSlots))
  }

  /** The newest row of `key[start, end)`, whose hash is `hash`, or -1. */
  find(hash: number, key: Uint8Array, start: number, end: number): number {
    const slots = (this.directory[hash >>> (32 - this.depth)] as Shard).slots
    const mask = slots.length - 1
    for (let at = (hash << 1) & mask; ; at = (at + 2) & mask) {
      const row = slots[at + 1] as number
      if (row === 0) return -1
      if (slots[at] === hash && this.rows.keyEquals(~row, key, start, end)) return ~row
    }
  }

  /** Makes `row` the newest row of the key and returns the one that was, or -1. */
  put(hash: number, key: Uint8Array, start: number, end: number, row: number): number {
    const shard = this.directory[hash >>> (32 - this.depth)] as Shard
    const slots = shard.slots
    const mask = slots.length - 1
    for (let at = (hash << 1) & mask; ; at = (at + 2) & mask) {
      const before = slots[at + 1] as number
      if (before === 0) {
        slots[at] = hash
        slots[at + 1] = ~row
        shard.count++
        if (shard.count * 8 > slots.length * 3) this.grow(hash, shard)
        return -1
      }
      if (slots[at] === hash && this.rows.keyEquals(~before, key, start, end)) {
        slots[at + 1] = ~row
        return ~before
      }
    }
  }

  private grow(hash: number, shard: Shard): void {
    const slots = shard.slots
    this.allocatedBytes -= slots.byteLength
    if (slots.length < slotsMax * 2 || shard.depth === depthMax) {
      const twice = this.allocate(shard.depth, slots.length)
      move(slots, twice, twice, 0)
      shard.slots = twice.slots
      return
    }
    if (shard.depth === this.depth) this.doubleDirectory()
    const low = this.allocate(shard.depth + 1, slotsMax)
    const high = this.allocate(shard.depth + 1, slotsMax)
    move(slots, low, high, 0x8000_0000 >>> shard.depth)
    const half = 1 << (this.depth - shard.depth - 1)
    const first = ((hash >>> (32 - this.depth)) & ~(2 * half - 1)) >>> 0
    this.directory.fill(low, first, first + half)
    this.directory.fill(high, first + half, first + 2 * half)
  }

  private doubleDirectory(): void {
    this.directory = this.directory.flatMap((shard) => [shard, shard])
    this.depth++
  }

  private allocate(depth: number, slots: number): Shard {
    const shard = makeShard(depth, slots)
    this.allocatedBytes += shard.slots.byteLength
    return shard
  }
}

/** Moves all pairs: those whose hash has the bit to `high`, the others to `low`. */
const move = (from: Int32Array, low: Shard, high: Shard, bit: number): void => {
  for (let i = 0; i < from.length; i += 2) {
    const row = from[i + 1] as number
    if (row === 0) continue
    const hash = from[i] as number
    const shard = (hash & bit) === 0 ? low : high
    const mask = shard.slots.length - 1
    let at = (hash << 1) & mask
    while (shard.slots[at + 1] !== 0) at = (at + 2) & mask
    shard.slots[at] = hash
    shard.slots[at + 1] = row
    shard.count++
  }
}
