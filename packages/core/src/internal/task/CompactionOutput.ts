/**
 * One table that a compaction writes: takes rows until it is full.
 *
 *     rows   a9 a7 │ b8 │ c9 c4 c2 │ d1 ...
 *                            ^ maxSizeBytes  ^ full: the border between c and d
 *
 * A table never ends between two versions of a key: readers find all that a key has in
 * one table, and who goes on behind it need not look for the key's older versions.
 */
import { type Cursor, Step } from "../lsm/Cursor.ts"
import type { SsTableWriter } from "../format/SsTableWriter.ts"

/** `blocked` and `done` are the rows'; `full`: they stand on the first row of the next table. */
export type Outcome = "written" | "blocked" | "full" | "done"

export class CompactionOutput {
  readonly writer: SsTableWriter
  readonly #maxSizeBytes: number

  constructor(writer: SsTableWriter, maxSizeBytes: number) {
    this.writer = writer
    this.#maxSizeBytes = maxSizeBytes
  }

  /** Writes the rows behind the one that the cursor stands on, about `bytesMax` of them. */
  write(rows: Cursor, bytesMax: number): Outcome {
    const { writer } = this
    const end = writer.sizeBytes + bytesMax
    while (writer.sizeBytes < end) {
      const step = rows.next()
      if (step !== Step.row) return step === Step.done ? "done" : "blocked"
      if (writer.sizeBytes >= this.#maxSizeBytes && !writer.isOfLastKey(rows.row)) return "full"
      writer.add(rows.row)
    }
    return "written"
  }

  /** Takes the row on which the table before became full. */
  begin(rows: Cursor): void {
    this.writer.add(rows.row)
  }
}
