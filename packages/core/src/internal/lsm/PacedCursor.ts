/**
 * A cursor that says `blocked` after every so many rows, though nothing is missing:
 * whoever walks it then lets others have a turn, also where almost every row is
 * passed by and none comes out.
 */
import type { RowView } from "../model/RowEntry.ts"
import { type Cursor, Step } from "./Cursor.ts"

export class PacedCursor implements Cursor {
  readonly #source: Cursor
  readonly #rowsPerTurn: number
  #left: number

  constructor(source: Cursor, rowsPerTurn: number) {
    this.#source = source
    this.#rowsPerTurn = rowsPerTurn
    this.#left = rowsPerTurn
  }

  get row(): RowView {
    return this.#source.row
  }

  next(): Step {
    if (this.#left === 0) {
      this.#left = this.#rowsPerTurn
      return Step.blocked
    }
    this.#left--
    return this.#source.next()
  }
}
