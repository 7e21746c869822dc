/**
 * The merge operands of one key, gathered newest first, and what they come to.
 *
 * Operands are copied when gathered, as the cursors they come from move on.
 */
import { copyOf } from "../model/ByteCopy.ts"
import type { RowView } from "../model/RowEntry.ts"

/** Folds one operand onto the older value; associative. */
export type MergeFunction = (key: Uint8Array, existing: Uint8Array | undefined, operand: Uint8Array) => Uint8Array

export class MergeFold {
  readonly #operands: Array<Uint8Array> = []

  get isEmpty(): boolean {
    return this.#operands.length === 0
  }

  clear(): void {
    this.#operands.length = 0
  }

  /** Adds the next older operand. */
  addOlder(row: RowView): void {
    this.#operands.push(copyOf(row.value, row.valueStart, row.valueEnd))
  }

  /** The same, with bytes that nobody else has. */
  addOlderBytes(operand: Uint8Array): void {
    this.#operands.push(operand)
  }

  /** Adds the next newer operand. */
  addNewer(row: RowView): void {
    this.#operands.unshift(copyOf(row.value, row.valueStart, row.valueEnd))
  }

  /** Folds all operands, oldest first, onto `base`; there is at least one. */
  fold(merge: MergeFunction, key: Uint8Array, base: Uint8Array | undefined): Uint8Array {
    let value = base
    for (let i = this.#operands.length - 1; i >= 0; i--) {
      value = merge(key, value, this.#operands[i] as Uint8Array)
    }
    return value as Uint8Array
  }
}
