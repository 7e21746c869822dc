/**
 * Walks the tables of a sorted run one after another: they are disjoint and in
 * order (L7), so only one of them is walked at a time. The next one is opened when
 * the walk reaches it; or, for one who fetches ahead, when it is in the last stretch
 * of the one before.
 */
import type * as Effect from "effect/Effect"
import type * as DbError from "../../DbError.ts"
import { type Cursor, Step } from "../lsm/Cursor.ts"
import { RowView } from "../model/RowEntry.ts"
import type { SsTableCursor } from "./SsTableCursor.ts"

const noRow = new RowView()

export class RunCursor implements Cursor {
  readonly #following: () => SsTableCursor | undefined
  #open: SsTableCursor | undefined
  /** The table after the open one, if something of it was fetched ahead. */
  #next: SsTableCursor | undefined
  /** Bytes of the tables that were walked to their ends. */
  #walkedBytes = 0

  /** `following` gives the tables in the order of the walk, then nothing any more. */
  constructor(following: () => SsTableCursor | undefined) {
    this.#following = following
    this.#open = following()
  }

  get row(): RowView {
    return this.#open?.row ?? noRow
  }

  next(): Step {
    while (this.#open !== undefined) {
      const step = this.#open.next()
      if (step !== Step.done) return step
      this.#walkedBytes += this.#open.position
      this.#open = this.#next ?? this.#following()
      this.#next = undefined
    }
    return Step.done
  }

  /** Fetches what `next` said it lacks. */
  get load(): Effect.Effect<void, DbError.DbError> | undefined {
    return this.#open?.load
  }

  /** Fetches what a walk to the end will lack next; absent while that is in memory or on its way. */
  get ahead(): Effect.Effect<void, DbError.DbError> | undefined {
    const open = this.#open
    if (open === undefined || !open.isInLastStretch) return open?.ahead
    this.#next ??= this.#following()
    return this.#next?.ahead
  }

  /** Bytes of the tables' blocks in front of the one that it is in. */
  get position(): number {
    return this.#walkedBytes + (this.#open?.position ?? 0)
  }
}
