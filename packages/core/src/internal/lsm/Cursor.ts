/**
 * The contract of everything that walks rows: a generation's order, a table, a merge.
 *
 * A cursor stands on a row or on none. It moves by plain function calls; only
 * when it runs out of loaded bytes does it say `blocked`, and its owner performs
 * one effect (a block's fetch) before it calls again. So a scan pays one Effect
 * per block and none per row.
 *
 *     next() ─> row      `row` is the next row; borrowed until the cursor moves
 *            ─> blocked  nothing moved; load, then call next() again
 *            ─> done     past the last row; stays so
 *
 * Ascending order is keys ascending and, within a key, sequence numbers
 * descending: the newest version first. Descending order is the exact reverse:
 * keys descending, within a key the oldest version first.
 */
import type { RowView } from "../model/RowEntry.ts"

export const Step = { row: 0, blocked: 1, done: 2 } as const
export type Step = (typeof Step)[keyof typeof Step]

export interface Cursor {
  /** The row it stands on, after `next` said `row`. Ask for it anew after each move: a merge passes on its sources' rows. */
  readonly row: RowView
  readonly next: () => Step
}
