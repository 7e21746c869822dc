/**
 * Walks the tables of a sorted run one after another: they are disjoint and in
 * order (L7), so only one of them is open at a time.
 */
import type * as Effect from "effect/Effect"
import type * as DbError from "../../DbError.ts"
import { type Cursor, Step } from "../lsm/Cursor.ts"
import { RowView } from "../model/RowEntry.ts"
import type { SsTableCursor } from "./SsTableCursor.ts"

const noRow = new RowView()

export class RunCursor implements Cursor {
  /** In the order of the walk. */
  readonly #tables: ReadonlyArray<() => SsTableCursor>
  #at = 0
  #open: SsTableCursor | undefined

  constructor(tables: ReadonlyArray<() => SsTableCursor>) {
    this.#tables = tables
    this.#open = tables[0]?.()
  }

  get row(): RowView {
    return this.#open?.row ?? noRow
  }

  next(): Step {
    while (this.#open !== undefined) {
      const step = this.#open.next()
      if (step !== Step.done) return step
      this.#open = this.#tables[++this.#at]?.()
    }
    return Step.done
  }

  /** Fetches what `next` said it lacks. */
  get load(): Effect.Effect<void, DbError.DbError> | undefined {
    return this.#open?.load
  }
}
