/**
 * The keys of a generation in order: one entry, the key's head row, for each key.
 *
 * Entries lie in leaves of 128. An entry is a {@link KeyNumber} and a row; a
 * search compares numbers and goes to the bytes of a key only where they tie. A
 * directory holds the leaves in order, with each leaf's first entry.
 *
 *     directory   [ first | leaf 0 ]  [ first | leaf 2 ]  [ first | leaf 1 ]
 *                          │                   │                   │
 *     leaves       n n n n . .          n n n n n n          n n n . . .
 *                  r r r r . .          r r r r r r          r r r . . .
 *
 * A leaf that is full splits in the middle; at its end a neighbour with room takes
 * the entry, or a fresh leaf does, so that ascending and descending keys fill leaves
 * whole. Entries are never removed and leaves never merged.
 *
 * Where many keys share more than their numbers tell apart, an insert goes to the bytes of
 * up to log2(keys) others: three microseconds instead of one, never more.
 *
 * A *place* is where an entry lies: `leaf * 256 + position`. It holds until the
 * leaf's version moves; whoever kept one then asks `placeOf` again. Leaf numbers and
 * the links between neighbours hold for ever.
 */
import { KeyNumber } from "../model/KeyNumber.ts"
import type { RowRecords } from "./RowRecords.ts"

const leafBits = 7
export const leafEntriesMax = 1 << leafBits
const slabBits = 3
const slabLeaves = 1 << slabBits
const slabMask = slabLeaves - 1
const slabBytes = slabLeaves * leafEntriesMax * 12
/** So many keys first decide what numbers skip; once there are eight times as many, those decide anew. */
const renumberFirst = 512
const renumberLast = 4096

/** No leaf, at either end of the list. */
export const noLeaf = -1

export const leafOf = (place: number): number => place >> 8
export const positionOf = (place: number): number => place & 0xff
const placeAt = (leaf: number, position: number): number => (leaf << 8) | position

export class OrderedLeaves {
  /** Number of entries. */
  size = 0
  /** The size at which to choose numbers anew; 0 for never again. */
  private renumberAt = renumberFirst
  private readonly rows: RowRecords
  private numbering: KeyNumber
  private readonly numberSlabs: Array<Float64Array> = []
  private readonly rowSlabs: Array<Int32Array> = []
  private leafCount = 0
  /** By leaf: entries, version, and the neighbours. */
  private counts = new Int32Array(slabLeaves)
  private versions = new Int32Array(slabLeaves)
  private nexts = new Int32Array(slabLeaves)
  private previouses = new Int32Array(slabLeaves)
  /** By rank: the leaf, its first entry's number and row. */
  private leaves = new Int32Array(slabLeaves)
  private firstNumbers = new Float64Array(slabLeaves)
  private firstRows = new Int32Array(slabLeaves)

  constructor(rows: RowRecords, numbering: KeyNumber) {
    this.rows = rows
    this.numbering = numbering
    this.insertLeaf(0)
  }

  get allocatedBytes(): number {
    return this.numberSlabs.length * slabBytes + this.counts.length * 32
  }

  /** The place of the first entry. */
  get firstPlace(): number {
    return placeAt(this.leaves[0] as number, 0)
  }

  /** The place behind the last entry. */
  get endPlace(): number {
    const last = this.leaves[this.leafCount - 1] as number
    return placeAt(last, this.countOf(last))
  }

  countOf(leaf: number): number {
    return this.counts[leaf] as number
  }

  versionOf(leaf: number): number {
    return this.versions[leaf] as number
  }

  /** The leaf after this one, or {@link noLeaf}. */
  nextOf(leaf: number): number {
    return this.nexts[leaf] as number
  }

  /** The leaf before this one, or {@link noLeaf}. */
  previousOf(leaf: number): number {
    return this.previouses[leaf] as number
  }

  rowAt(leaf: number, position: number): number {
    return (this.rowSlabs[leaf >> slabBits] as Int32Array)[entryAt(leaf, position)] as number
  }

  numberAt(leaf: number, position: number): number {
    return (this.numberSlabs[leaf >> slabBits] as Float64Array)[entryAt(leaf, position)] as number
  }

  /** The number of any key; comparable with {@link numberAt} until a leaf's version moves. */
  numberOf(key: Uint8Array, start: number, end: number): number {
    return this.numbering.of(key, start, end)
  }

  /** Below, at or above zero, as the key, whose number is `number`, sorts to an entry. */
  compare(number: number, key: Uint8Array, start: number, end: number, entryNumber: number, entryRow: number): number {
    if (number !== entryNumber) return number < entryNumber ? -1 : 1
    return this.rows.compareKey(key, start, end, entryRow, this.numbering.sharedBytes(number))
  }

  /** The place of the first entry at or after the key. Its position may be one past the leaf's last. */
  seek(key: Uint8Array, start: number, end: number): number {
    const number = this.numbering.of(key, start, end)
    const leaf = this.leaves[this.rankOf(number, key, start, end)] as number
    return placeAt(leaf, this.positionIn(leaf, number, key, start, end))
  }

  /** The place of an entry. */
  placeOf(row: number): number {
    const start = this.rows.keyStartOf(row)
    return this.seek(this.rows.chunkOf(row), start, start + this.rows.keyLengthOf(row))
  }

  /** Adds the head row of a key that has no entry yet. */
  insert(row: number): void {
    const key = this.rows.chunkOf(row)
    const start = this.rows.keyStartOf(row)
    const end = start + this.rows.keyLengthOf(row)
    const number = this.numbering.of(key, start, end)
    const rank = this.rankOf(number, key, start, end)
    const leaf = this.leaves[rank] as number
    const position = this.positionIn(leaf, number, key, start, end)
    if (this.counts[leaf] === leafEntriesMax) this.insertFull(rank, leaf, position, number, row)
    else this.insertAt(rank, leaf, position, number, row)
    if (this.countEntry()) this.renumber()
  }

  /** Adds an entry that sorts after all there are. Builds an order from sorted entries. */
  push(number: number, row: number): void {
    let rank = this.leafCount - 1
    if (this.counts[this.leaves[rank] as number] === leafEntriesMax) this.insertLeaf(++rank)
    const leaf = this.leaves[rank] as number
    this.insertAt(rank, leaf, this.counts[leaf] as number, number, row)
    this.countEntry()
  }

  /** Counts an entry, and says whether enough have come to choose numbers anew. */
  private countEntry(): boolean {
    if (++this.size !== this.renumberAt) return false
    this.renumberAt = this.renumberAt === renumberFirst ? renumberLast : 0
    return true
  }

  /** The rank of the last leaf whose first entry is not after the key; the first leaf when there is none. */
  private rankOf(number: number, key: Uint8Array, start: number, end: number): number {
    const numbers = this.firstNumbers
    let low = 0
    let high = this.leafCount - 1
    // Keys often arrive in order: look at the last leaf first.
    if (high > 0 && number > (numbers[high] as number)) return high
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      const first = numbers[middle] as number
      const isBefore =
        number === first
          ? this.compare(number, key, start, end, first, this.firstRows[middle] as number) < 0
          : number < first
      if (isBefore) high = middle - 1
      else low = middle
    }
    return low
  }

  /** The position of the leaf's first entry at or after the key. */
  private positionIn(leaf: number, number: number, key: Uint8Array, start: number, end: number): number {
    const numbers = this.numberSlabs[leaf >> slabBits] as Float64Array
    const base = entryAt(leaf, 0)
    let low = 0
    let high = this.counts[leaf] as number
    while (low < high) {
      const middle = (low + high) >>> 1
      const entry = numbers[base + middle] as number
      const isAfter =
        number === entry ? this.compare(number, key, start, end, entry, this.rowAt(leaf, middle)) > 0 : number > entry
      if (isAfter) low = middle + 1
      else high = middle
    }
    return low
  }

  private insertFull(rank: number, leaf: number, position: number, number: number, row: number): void {
    if (position === leafEntriesMax) {
      const next = this.nexts[leaf] as number
      if (next === noLeaf || this.counts[next] === leafEntriesMax) this.insertLeaf(rank + 1)
      this.insertAt(rank + 1, this.leaves[rank + 1] as number, 0, number, row)
    } else if (position === 0) {
      // Only the first leaf gets a key before its first one.
      this.insertLeaf(rank)
      this.insertAt(rank, this.leaves[rank] as number, 0, number, row)
    } else {
      this.split(rank, leaf)
      const half = leafEntriesMax / 2
      if (position <= half) this.insertAt(rank, leaf, position, number, row)
      else this.insertAt(rank + 1, this.leaves[rank + 1] as number, position - half, number, row)
    }
  }

  private insertAt(rank: number, leaf: number, position: number, number: number, row: number): void {
    const numbers = this.numberSlabs[leaf >> slabBits] as Float64Array
    const rows = this.rowSlabs[leaf >> slabBits] as Int32Array
    const at = entryAt(leaf, position)
    const count = this.counts[leaf] as number
    for (let i = at + count - position; i > at; i--) {
      numbers[i] = numbers[i - 1] as number
      rows[i] = rows[i - 1] as number
    }
    numbers[at] = number
    rows[at] = row
    this.counts[leaf] = count + 1
    this.versions[leaf] = (this.versions[leaf] as number) + 1
    if (position === 0) {
      this.firstNumbers[rank] = number
      this.firstRows[rank] = row
    }
  }

  /** Moves the upper half of a full leaf to a fresh one behind it. */
  private split(rank: number, leaf: number): void {
    this.insertLeaf(rank + 1)
    const fresh = this.leaves[rank + 1] as number
    const half = leafEntriesMax / 2
    const numbers = this.numberSlabs[leaf >> slabBits] as Float64Array
    const rows = this.rowSlabs[leaf >> slabBits] as Int32Array
    const freshNumbers = this.numberSlabs[fresh >> slabBits] as Float64Array
    const freshRows = this.rowSlabs[fresh >> slabBits] as Int32Array
    const from = entryAt(leaf, half)
    const to = entryAt(fresh, 0)
    for (let i = 0; i < half; i++) {
      freshNumbers[to + i] = numbers[from + i] as number
      freshRows[to + i] = rows[from + i] as number
    }
    this.counts[leaf] = half
    this.counts[fresh] = half
    this.versions[leaf] = (this.versions[leaf] as number) + 1
    this.firstNumbers[rank + 1] = freshNumbers[to] as number
    this.firstRows[rank + 1] = freshRows[to] as number
  }

  /** Puts a fresh, empty leaf at a rank of the directory. */
  private insertLeaf(rank: number): void {
    const leaf = this.leafCount
    if (leaf >> slabBits === this.numberSlabs.length) {
      this.numberSlabs.push(new Float64Array(slabLeaves * leafEntriesMax))
      this.rowSlabs.push(new Int32Array(slabLeaves * leafEntriesMax))
    }
    if (leaf === this.counts.length) this.growDirectory()
    this.leaves.copyWithin(rank + 1, rank, leaf)
    this.firstNumbers.copyWithin(rank + 1, rank, leaf)
    this.firstRows.copyWithin(rank + 1, rank, leaf)
    this.leaves[rank] = leaf
    const before = rank === 0 ? noLeaf : (this.leaves[rank - 1] as number)
    const after = rank === leaf ? noLeaf : (this.leaves[rank + 1] as number)
    this.previouses[leaf] = before
    this.nexts[leaf] = after
    if (before !== noLeaf) this.nexts[before] = leaf
    if (after !== noLeaf) this.previouses[after] = leaf
    this.leafCount = leaf + 1
  }

  private growDirectory(): void {
    const capacity = this.counts.length * 2
    this.counts = grown(this.counts, capacity)
    this.versions = grown(this.versions, capacity)
    this.nexts = grown(this.nexts, capacity)
    this.previouses = grown(this.previouses, capacity)
    this.leaves = grown(this.leaves, capacity)
    this.firstRows = grown(this.firstRows, capacity)
    const firstNumbers = new Float64Array(capacity)
    firstNumbers.set(this.firstNumbers)
    this.firstNumbers = firstNumbers
  }

  /** Chooses numbers anew, by the entries there are. The order stays; all versions move. */
  private renumber(): void {
    const sorted: Array<number> = []
    for (let leaf = this.leaves[0] as number; leaf !== noLeaf; leaf = this.nextOf(leaf)) {
      for (let i = 0; i < this.countOf(leaf); i++) sorted.push(this.rowAt(leaf, i))
    }
    this.numbering = numberingFor(this.rows, sorted)
    for (let rank = 0; rank < this.leafCount; rank++) {
      const leaf = this.leaves[rank] as number
      const numbers = this.numberSlabs[leaf >> slabBits] as Float64Array
      const count = this.counts[leaf] as number
      for (let i = 0; i < count; i++) {
        numbers[entryAt(leaf, i)] = numberOfRow(this.rows, this.numbering, this.rowAt(leaf, i))
      }
      this.versions[leaf] = (this.versions[leaf] as number) + 1
      this.firstNumbers[rank] = numbers[entryAt(leaf, 0)] as number
    }
  }
}

const entryAt = (leaf: number, position: number): number => ((leaf & slabMask) << leafBits) + position

const grown = (array: Int32Array, length: number): Int32Array<ArrayBuffer> => {
  const copy = new Int32Array(length)
  copy.set(array)
  return copy
}

/** The number of a row's key. */
export const numberOfRow = (rows: RowRecords, numbering: KeyNumber, row: number): number => {
  const start = rows.keyStartOf(row)
  return numbering.of(rows.chunkOf(row), start, start + rows.keyLengthOf(row))
}

/** The numbering for keys like those of some rows, sorted. */
export const numberingFor = (rows: RowRecords, sorted: ReadonlyArray<number>): KeyNumber =>
  KeyNumber.like(
    sorted.map((row) => {
      const start = rows.keyStartOf(row)
      return rows.chunkOf(row).subarray(start, start + rows.keyLengthOf(row))
    })
  )
