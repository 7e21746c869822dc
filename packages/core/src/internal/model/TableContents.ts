/**
 * What a walk over all rows of a table saw: facts about the whole, against which
 * the manifest and its neighbours can be held.
 */
import type { SstFormatVersion } from "./SsTable.ts"
import type { Sequence } from "./Sequence.ts"

export interface TableContents {
  /** Absent in an object of no bytes, and where the footer cannot be read. */
  readonly formatVersion: SstFormatVersion | undefined
  readonly blocks: number
  readonly rows: number
  readonly puts: number
  readonly deletes: number
  readonly merges: number
  readonly rawKeyBytes: number
  readonly rawValueBytes: number
  /** The least of all rows; `Infinity` without rows. */
  readonly firstSequence: Sequence
  /** The greatest of all rows; 0 without rows. */
  readonly lastSequence: Sequence
  /** The least of all rows that have one, milliseconds; `Infinity` where none has. */
  readonly firstCreateTime: number
  /** The greatest of all rows, milliseconds; `-Infinity` where no row has one. */
  readonly lastCreateTime: number
}
