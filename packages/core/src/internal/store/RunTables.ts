/**
 * The tables of a sorted run that overlap a range of keys, in the order of a walk.
 *
 *     tables   [a .. c] [e .. h] [h .. k] [m .. p] ...
 *     range               [g ....... l)
 *                       ^ searched         ^ looked at, and the end
 *
 * The first is searched for, and each that follows is looked at when its turn comes: so a short
 * scan costs a few comparisons, however many tables the run has. Tables show disjoint ranges, in
 * order (L7); one key may end a table and begin the next.
 */
import type { KeyRange } from "../../KeyRange.ts"
import type { TableReader } from "./TableReader.ts"

export class RunTables {
  readonly #tables: ReadonlyArray<TableReader>
  readonly #range: KeyRange
  readonly #step: 1 | -1
  #at: number
  #next: TableReader | undefined

  constructor(tables: ReadonlyArray<TableReader>, range: KeyRange, order: "ascending" | "descending") {
    this.#tables = tables
    this.#range = range
    this.#step = order === "ascending" ? 1 : -1
    const { end, start } = range
    // Of those before the last that begins below the start, none goes on there.
    if (this.#step === 1) this.#at = start === undefined ? 0 : Math.max(0, lastBelow(tables, start))
    else this.#at = end === undefined ? tables.length - 1 : lastBelow(tables, end)
    this.#next = this.#find()
  }

  /** Whether there are no more. */
  get isOver(): boolean {
    return this.#next === undefined
  }

  /** The next one. */
  take(): TableReader | undefined {
    const taken = this.#next
    if (taken !== undefined) this.#next = this.#find()
    return taken
  }

  #find(): TableReader | undefined {
    for (;;) {
      const reader = this.#tables[this.#at]
      if (reader === undefined || this.#isBeyond(reader)) return undefined
      this.#at += this.#step
      if (reader.overlaps(this.#range)) return reader
    }
  }

  /** Whether the walk is past the far end of the range. */
  #isBeyond(reader: TableReader): boolean {
    const { end, start } = this.#range
    return this.#step === 1
      ? end !== undefined && !reader.beginsBelow(end)
      : start !== undefined && reader.endsBefore(start)
  }
}

/** The last table that begins below the key; -1 where none does. */
const lastBelow = (tables: ReadonlyArray<TableReader>, key: Uint8Array): number => {
  let low = -1
  let high = tables.length
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if ((tables[middle] as TableReader).beginsBelow(key)) low = middle
    else high = middle
  }
  return low
}
