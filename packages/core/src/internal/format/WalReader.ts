/**
 * Walks all rows of a WAL object that is in memory, for replay.
 *
 *     open(bytes) ─> next() ─> row ... ─> done
 *
 * Rows come in the order they were written: sequence numbers ascend, rows of one
 * batch lie together. One row view serves the whole object; blocks are checked and
 * decompressed as the walk reaches them.
 *
 * A fence is a WAL object without rows, in each of its forms: no bytes at all, or
 * a table of either kind without blocks.
 */
import * as Result from "effect/Result"
import type { RowView } from "../model/RowEntry.ts"
import { BlockCursor, BlockStep } from "./BlockCursor.ts"
import { corrupt, type FormatError, shift } from "./FormatError.ts"
import * as SsTableReader from "./SsTableReader.ts"

export class WalReader {
  /** The row it stands on, after `next` said `row`. Borrowed until the next move. */
  readonly row: RowView
  /** Why the last move answered `corrupt`; its offset is in the object. */
  error: FormatError | undefined = undefined
  private readonly bytes: Uint8Array
  private readonly table: SsTableReader.Opened | undefined
  private readonly codecs: SsTableReader.Codecs
  private readonly cursor = new BlockCursor()
  private block = 0

  constructor(bytes: Uint8Array, table: SsTableReader.Opened | undefined, codecs: SsTableReader.Codecs) {
    this.bytes = bytes
    this.table = table
    this.codecs = codecs
    this.row = this.cursor.row
  }

  /** Whether the object has no rows. */
  get isFence(): boolean {
    return this.table === undefined || this.table.index.blockCount === 0
  }

  /** Moves to the next row of the object. */
  next(): BlockStep {
    for (;;) {
      const step = this.block === 0 ? BlockStep.done : this.cursor.next()
      if (step === BlockStep.row) return step
      if (step === BlockStep.corrupt) return this.fail(this.cursor.error)
      const { table } = this
      if (this.error !== undefined) return BlockStep.corrupt
      if (table === undefined || this.block === table.index.blockCount) return BlockStep.done
      const start = table.index.blockOffset(this.block)
      const end = table.index.blockEnd(this.block)
      const payload = SsTableReader.block(this.bytes, 0, start, end, table.info, this.codecs)
      if (Result.isFailure(payload)) {
        this.error = payload.failure
        return BlockStep.corrupt
      }
      this.cursor.load(payload.success, table.formatVersion)
      this.block++
    }
  }

  private fail(error: FormatError | undefined): BlockStep {
    const start = this.table?.index.blockOffset(this.block - 1) ?? 0
    if (this.error === undefined && error !== undefined) this.error = shift(error, start)
    return BlockStep.corrupt
  }
}

/** A reader before the first row of an object. It keeps the bytes: they must not change. */
export const open = (bytes: Uint8Array, codecs: SsTableReader.Codecs): Result.Result<WalReader, FormatError> => {
  if (bytes.length === 0) return Result.succeed(new WalReader(bytes, undefined, codecs))
  return Result.flatMap(SsTableReader.open(bytes, codecs), (table) =>
    table.info.kind === "wal" || table.index.blockCount === 0
      ? Result.succeed(new WalReader(bytes, table, codecs))
      : corrupt("sst type", 0, "a WAL object", table.info.kind)
  )
}
