/**
 * A row: one version of one key.
 *
 * Rows live as bytes in a generation's arena or in a block, and travel through
 * merges as a {@link RowView}: a window that a cursor moves from row to row. An
 * object per row exists only where a row leaves the engine.
 *
 *     generation arena ─┐
 *     block of a table ─┴─> RowView (borrowed) ──> merge ──> visibility ──> copy
 */
import { copyOf } from "./ByteCopy.ts"
import type { Sequence } from "./Sequence.ts"

/**
 * What a row says about its key.
 *
 * - `put`: the key has this value.
 * - `tombstone`: the key has no value; its value bytes are empty.
 * - `merge`: an operand, to be folded onto whatever older rows say.
 */
export const Kind = { put: 0, tombstone: 1, merge: 2 } as const
export type Kind = (typeof Kind)[keyof typeof Kind]

/** The expiry of a row that never expires. Greater than every time, so `expire <= now` is false. */
export const neverExpires = Infinity

/** The creation time of a row that has none. Smaller than every time, so the greatest of several ignores it. */
export const noCreateTime = -Infinity

const noBytes = new Uint8Array(0)

/**
 * A window onto one row. Its owner, a cursor, changes it in place when it moves:
 * a reader that keeps bytes beyond the next move copies them. Where the value lies, nothing is ever written again.
 *
 * Times are whole milliseconds since the Unix epoch.
 */
export class RowView {
  key: Uint8Array = noBytes
  keyStart = 0
  keyEnd = 0
  value: Uint8Array = noBytes
  valueStart = 0
  valueEnd = 0
  sequence: Sequence = 0
  kind: Kind = Kind.put
  createTime: number = noCreateTime
  expireTime: number = neverExpires
}

/** A row as plain data, for tools and tests. Never used on a hot path. */
export interface RowEntry {
  readonly key: Uint8Array
  readonly value: Uint8Array
  readonly sequence: Sequence
  readonly kind: Kind
  readonly createTime: number
  readonly expireTime: number
}

/** Copies the row under the window. */
export const copy = (view: RowView): RowEntry => ({
  key: copyOf(view.key, view.keyStart, view.keyEnd),
  value: copyOf(view.value, view.valueStart, view.valueEnd),
  sequence: view.sequence,
  kind: view.kind,
  createTime: view.createTime,
  expireTime: view.expireTime
})
