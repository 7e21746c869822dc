/**
 * Sorts the keys of a generation that has no order yet, a slice at a time.
 *
 * Numbers every key, sorting runs of 16 as it goes, merges runs bottom up between two
 * pairs of arrays, and fills the leaves. Each step of that may be interrupted and resumed, so that a
 * generation of any size is ordered without stalling the event loop. Rows that
 * are appended meanwhile are not seen: whoever owns the build inserts them after it.
 *
 *     sampling ─> numbering ─> merging (width 16, 32, ...) ─> filling ─> done
 *
 * Work is counted in units of about ten nanoseconds.
 */
import type { KeyNumber } from "../model/KeyNumber.ts"
import { numberingFor, numberOfRow, OrderedLeaves } from "./OrderedLeaves.ts"
import type { RowRecords } from "./RowRecords.ts"
import * as VersionChain from "./VersionChain.ts"

const sampleKeysMax = 128
const numberingUnits = 16
const fillUnits = 2
/** What comparing two keys' bytes takes, where numbers tie, and how many bytes, as a power of two, take one unit more. */
const tieUnits = 32
const tieBytesShift = 3
const runEntries = 16

export class OrderBuild {
  /** The rows before this one are in the build. */
  readonly rowsEnd: number
  readonly leaves: OrderedLeaves
  private readonly rows: RowRecords
  private readonly numbering: KeyNumber
  private numbers: Float64Array
  private heads: Int32Array
  private mergedNumbers: Float64Array
  private mergedHeads: Int32Array
  /** How many keys were found. */
  private count = 0
  private rowsNumbered = 0
  /** Runs of this many entries are sorted. */
  private width = runEntries
  /** The merge under way: where its two runs begin, and how far each was read. */
  private start = 0
  private left = 0
  private right = runEntries
  private filled = 0
  /** Whether all keys so far came in order. */
  private isAscending = true
  /** What comparing tied keys took in this step. */
  private tied = 0

  constructor(rows: RowRecords) {
    this.rows = rows
    this.rowsEnd = rows.count
    this.numbering = numberingFor(rows, sample(rows))
    this.leaves = new OrderedLeaves(rows, this.numbering)
    this.numbers = new Float64Array(rows.count)
    this.heads = new Int32Array(rows.count)
    this.mergedNumbers = new Float64Array(rows.count)
    this.mergedHeads = new Int32Array(rows.count)
  }

  get allocatedBytes(): number {
    return this.rowsEnd * 24 + this.leaves.allocatedBytes
  }

  get isDone(): boolean {
    return this.rowsNumbered === this.rowsEnd && this.width >= this.count && this.filled === this.count
  }

  /** Works for about so many units and returns those that are left. */
  advance(units: number): number {
    let left = this.number(units)
    if (left > 0) left = this.merge(left)
    if (left > 0) left = this.fill(left)
    return left
  }

  private number(units: number): number {
    let left = units
    while (left > 0 && this.rowsNumbered < this.rowsEnd) {
      const row = this.rowsNumbered++
      left -= numberingUnits
      if (!VersionChain.isHead(this.rows, row)) continue
      this.tied = 0
      this.addToRun(row)
      left -= this.tied
    }
    if (this.rowsNumbered === this.rowsEnd && this.isAscending) this.width = Math.max(this.width, this.count)
    return left
  }

  /** Puts a key into the last run of 16, in order. */
  private addToRun(row: number): void {
    const { heads, numbers } = this
    const number = numberOfRow(this.rows, this.numbering, row)
    let at = this.count++
    this.isAscending &&= at === 0 || !this.isKeyBefore(number, row, at - 1)
    const start = at - (at % runEntries)
    while (at > start && this.isKeyBefore(number, row, at - 1)) {
      numbers[at] = numbers[at - 1] as number
      heads[at] = heads[at - 1] as number
      at--
    }
    numbers[at] = number
    heads[at] = row
  }

  private merge(units: number): number {
    let left = units
    while (left > 0 && this.width < this.count) {
      if (this.start >= this.count) {
        this.nextWidth()
        continue
      }
      const middle = Math.min(this.start + this.width, this.count)
      const end = Math.min(middle + this.width, this.count)
      left = this.mergeRuns(middle, end, left)
      if (this.left === middle && this.right === end) this.nextRuns(end)
    }
    return left
  }

  /** Merges two runs for about so many units and returns those that are left. */
  private mergeRuns(middle: number, end: number, units: number): number {
    const { heads, mergedHeads, mergedNumbers, numbers } = this
    let left = this.left
    let right = this.right
    let out = left + right - middle
    const first = out
    this.tied = 0
    while (out < end && out - first + this.tied < units) {
      const from = right === end || (left < middle && this.isBefore(left, right)) ? left++ : right++
      mergedNumbers[out] = numbers[from] as number
      mergedHeads[out] = heads[from] as number
      out++
    }
    this.left = left
    this.right = right
    return units - (out - first) - this.tied
  }

  private nextRuns(start: number): void {
    this.start = start
    this.left = start
    this.right = Math.min(start + this.width, this.count)
  }

  private nextWidth(): void {
    const { heads, numbers } = this
    this.numbers = this.mergedNumbers
    this.heads = this.mergedHeads
    this.mergedNumbers = numbers
    this.mergedHeads = heads
    this.width *= 2
    this.nextRuns(0)
  }

  private fill(units: number): number {
    let left = units
    while (left > 0 && this.filled < this.count) {
      const at = this.filled++
      this.leaves.push(this.numbers[at] as number, this.heads[at] as number)
      left -= fillUnits
    }
    return left
  }

  private isBefore(a: number, b: number): boolean {
    return this.isKeyBefore(this.numbers[a] as number, this.heads[a] as number, b)
  }

  /** Whether a row's key sorts before the one at an index. No two keys are the same. */
  private isKeyBefore(number: number, row: number, index: number): boolean {
    const other = this.numbers[index] as number
    if (number !== other) return number < other
    this.tied += tieUnits + (this.rows.keyLengthOf(row) >>> tieBytesShift)
    return compareRows(this.rows, row, this.heads[index] as number) < 0
  }
}

const compareRows = (rows: RowRecords, a: number, b: number): number => {
  const start = rows.keyStartOf(a)
  return rows.compareKey(rows.chunkOf(a), start, start + rows.keyLengthOf(a), b, 0)
}

/** Some of the rows, spread over all and sorted by key. */
const sample = (rows: RowRecords): ReadonlyArray<number> => {
  const stride = Math.max(1, Math.floor(rows.count / sampleKeysMax))
  const sampled: Array<number> = []
  for (let row = 0; row < rows.count; row += stride) sampled.push(row)
  return sampled.toSorted((a, b) => compareRows(rows, a, b))
}
