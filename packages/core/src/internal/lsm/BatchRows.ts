/**
 * From the operations of a batch to its rows: at most one for each key, in key order (law L19).
 *
 * All rows of a batch share a sequence number, and a store holds one row for a key
 * and a sequence number: two would be one too many to order. So operations on a key
 * are folded, as if they had happened one after the other:
 *
 *     | before             | then put or delete | then merge                     |
 *     | put                | the later one      | put, if both expire together   |
 *     | delete             | the later one      | put                            |
 *     | merge              | the later one      | merge, if both expire together |
 *
 * Operations with different expiry cannot become one row: when the first expires, the second
 * still counts. Such a batch is refused, unless a later put or delete of the key makes it moot.
 */
import * as Result from "effect/Result"
import * as ByteOrder from "../model/ByteOrder.ts"
import { Kind, neverExpires } from "../model/RowEntry.ts"
import * as Shapes from "../model/Shapes.ts"
import type { MergeFunction } from "./MergeFold.ts"

/**
 * A checked operation, and what it becomes.
 *
 * A class, not a literal: of literals that many of survive one scavenge, as those of a batch do, V8 makes the later
 * ones in the old generation, where they and all that they refer to wait for a full collection.
 */
export class BatchRow {
  readonly kind: Kind
  readonly key: Uint8Array
  /** Empty for a tombstone. */
  readonly value: Uint8Array
  readonly expireTime: number

  constructor(kind: Kind, key: Uint8Array, value: Uint8Array, expireTime: number) {
    this.kind = kind
    this.key = key
    this.value = value
    this.expireTime = expireTime
  }
}

Shapes.keep(new BatchRow(Kind.put, new Uint8Array(0), new Uint8Array(0), neverExpires))

/** Why a batch has no rows: two operations on this key expire at different times and would have to be one row. */
export interface DifferentExpiry {
  readonly key: Uint8Array
}

/**
 * The rows of a batch. Values are those of the operations or what `merge` returned.
 *
 * Requires a merge function if any operation is a merge.
 */
export const fold = (
  operations: ReadonlyArray<BatchRow>,
  merge: MergeFunction | undefined
): Result.Result<ReadonlyArray<BatchRow>, DifferentExpiry> => {
  if (isAscending(operations)) return Result.succeed(operations)
  // The sort is stable: operations on a key stay in the order they were added.
  const sorted = operations.toSorted(byKey)
  const rows: Array<BatchRow> = []
  for (let start = 0; start < sorted.length;) {
    const end = endOfKey(sorted, start)
    const row = end === start + 1 ? sorted[start] : foldKey(sorted, start, end, merge)
    if (row === undefined) return Result.fail({ key: (sorted[start] as BatchRow).key })
    rows.push(row)
    start = end
  }
  return Result.succeed(rows)
}

const byKey = (a: BatchRow, b: BatchRow): number => ByteOrder.compare(a.key, b.key)

/** Whether the operations are in key order and no key repeats, as those of most batches are. */
const isAscending = (operations: ReadonlyArray<BatchRow>): boolean => {
  for (let i = 1; i < operations.length; i++) {
    if (byKey(operations[i - 1] as BatchRow, operations[i] as BatchRow) >= 0) return false
  }
  return true
}

const endOfKey = (sorted: ReadonlyArray<BatchRow>, start: number): number => {
  const { key } = sorted[start] as BatchRow
  let end = start + 1
  while (end < sorted.length && ByteOrder.compare(key, (sorted[end] as BatchRow).key) === 0) end++
  return end
}

/** The row of a key's operations `[start, end)`; `undefined` when they expire at different times. */
const foldKey = (
  sorted: ReadonlyArray<BatchRow>,
  start: number,
  end: number,
  merge: MergeFunction | undefined
): BatchRow | undefined => {
  let from = end - 1
  while (from > start && (sorted[from] as BatchRow).kind === Kind.merge) from--
  let row = sorted[from] as BatchRow
  for (let i = from + 1; i < end; i++) {
    const { expireTime, value } = sorted[i] as BatchRow
    if (merge === undefined) throw new Error("L19: a batch has a merge, and the database no merge operator")
    if (row.kind !== Kind.tombstone && row.expireTime !== expireTime) return undefined
    const folded = merge(row.key, row.kind === Kind.tombstone ? undefined : row.value, value)
    row = new BatchRow(row.kind === Kind.merge ? Kind.merge : Kind.put, row.key, folded, expireTime)
  }
  return row
}
