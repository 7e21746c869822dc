/**
 * A cursor that passes by the versions of one key down to a sequence number: the
 * rows of a merge that was interrupted behind that row.
 *
 *     k seq 9   k seq 7   k seq 5   l seq 8       after k, 7
 *     passed    passed    row       row
 *
 * The source begins with the key, or beyond it.
 */
import { equalsRange } from "../model/ByteOrder.ts"
import type { RowView } from "../model/RowEntry.ts"
import type { Sequence } from "../model/Sequence.ts"
import { type Cursor, Step } from "./Cursor.ts"

export class RowsAfter implements Cursor {
  readonly #source: Cursor
  readonly #key: Uint8Array
  readonly #sequence: Sequence
  #isPast = false

  constructor(source: Cursor, key: Uint8Array, sequence: Sequence) {
    this.#source = source
    this.#key = key
    this.#sequence = sequence
  }

  get row(): RowView {
    return this.#source.row
  }

  next(): Step {
    for (;;) {
      const step = this.#source.next()
      if (step !== Step.row || this.#isPast) return step
      const { key, keyEnd, keyStart, sequence } = this.#source.row
      this.#isPast = sequence < this.#sequence || !equalsRange(key, keyStart, keyEnd, this.#key, 0, this.#key.length)
      if (this.#isPast) return step
    }
  }
}
