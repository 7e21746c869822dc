/**
 * The merge operands of one key, gathered newest first, and what they come to.
 *
 * Operands are copied when gathered, as the cursors they come from move on.
 */
import { copyOf } from "../model/ByteCopy.ts"
import type { RowView } from "../model/RowEntry.ts"

/** Folds one operand onto the older value; associative. */
export type MergeFunction = (key: Uint8Array, existing: Uint8Array | undefined, operand: Uint8Array) => Uint8Array

/**
 * Operands that are folded one after another. More are first folded in groups of so many, as upstream does: results
 * that grow with every operand, as of `append`, would otherwise be copied once for each operand.
 */
const groupOperands = 32

/** No operands. Most keys have none, so there are no arrays until one comes. */
const none: Array<Uint8Array> = []

export class MergeFold {
  /** Those met from new to old. */
  #older = none
  /** Those met from old to new: all of them newer. */
  #newer = none

  get isEmpty(): boolean {
    return this.#older.length === 0 && this.#newer.length === 0
  }

  clear(): void {
    this.#older = none
    this.#newer = none
  }

  /** Adds the next older operand. */
  addOlder(row: RowView): void {
    if (this.#older === none) this.#older = []
    this.#older.push(copyOf(row.value, row.valueStart, row.valueEnd))
  }

  /** Adds the next newer operand. */
  addNewer(row: RowView): void {
    if (this.#newer === none) this.#newer = []
    this.#newer.push(copyOf(row.value, row.valueStart, row.valueEnd))
  }

  /** Folds all operands, oldest first, onto `base`; there is at least one. */
  fold(merge: MergeFunction, key: Uint8Array, base: Uint8Array | undefined): Uint8Array {
    let operands = this.#older.toReversed().concat(this.#newer)
    while (operands.length > groupOperands) {
      const groups: Array<Uint8Array> = []
      for (let i = 0; i < operands.length; i += groupOperands) {
        groups.push(foldOnto(merge, key, undefined, operands.slice(i, i + groupOperands)))
      }
      operands = groups
    }
    return foldOnto(merge, key, base, operands)
  }
}

/** Oldest operand first; there is at least one. */
const foldOnto = (
  merge: MergeFunction,
  key: Uint8Array,
  base: Uint8Array | undefined,
  operands: ReadonlyArray<Uint8Array>
): Uint8Array =>
  operands.reduce((existing: Uint8Array | undefined, operand) => merge(key, existing, operand), base) as Uint8Array
