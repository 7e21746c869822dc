/**
 * Puts a table that was written elsewhere into the cache, as if it had been written
 * here: in place of tables that were being read.
 *
 *     index, filter   always: the first lookups need them
 *     blocks          where most blocks of the tables that it replaces were used
 *
 * It is read as a scan reads it, a stretch after another, and gives way to others.
 */
import * as Effect from "effect/Effect"
import type * as DbError from "../../DbError.ts"
import { BlockCursor } from "../format/BlockCursor.ts"
import type { SsTableIndex } from "../format/SsTableIndex.ts"
import type { TableReader } from "./TableReader.ts"
import type { TurnMeter } from "./TurnMeter.ts"

const stretchBytesMax = 1024 * 1024
/** Blocks that get a directory in a step, 5 to 10 us each, and steps of a slice. */
const blocksPerStep = 8
const stepsPerSlice = 8

/** Whether most of these tables' blocks, by bytes, are in the cache and were used of late; none are where the index is not. */
export const areRead = (readers: ReadonlyArray<TableReader>): boolean => {
  let bytes = 0
  let used = 0
  for (const { cached, table } of readers) {
    bytes += table.info.filterOffset
    const index = cached.meta()?.index
    if (index === undefined) continue
    for (let block = 0; block < index.blockCount; block++) {
      if (cached.isBlockUsed(block)) used += index.blockEnd(block) - index.blockOffset(block)
    }
  }
  return bytes > 0 && 2 * used >= bytes
}

/** Caches index and filter, and `blockBytesMax` bytes of blocks. */
export const warm = Effect.fnUntraced(function* (
  reader: TableReader,
  { blockBytesMax, turns }: { readonly blockBytesMax: number; readonly turns: TurnMeter }
): Effect.fn.Return<void, DbError.DbError> {
  const { index } = yield* reader.loadMeta
  const rows = new BlockCursor()
  let from = 0
  while (from < index.blockCount && index.blockOffset(from) < blockBytesMax) {
    const to = stretchEnd(index, from)
    yield* reader.loadStretch(index, from, to, true)
    yield* turns.giveWay
    let next = from
    yield* turns.slices(
      "table to cache",
      stepsPerSlice,
      () => {
        for (const end = Math.min(to, next + blocksPerStep); next < end; next++) {
          const block = reader.cached.block(next)
          if (block !== undefined) rows.enterWithDirectory(block, index.numbering)
        }
        return next === to
      },
      turns.giveWay
    )
    from = to
  }
})

const stretchEnd = (index: SsTableIndex, from: number): number => {
  let to = from + 1
  while (to < index.blockCount && index.blockEnd(to) - index.blockOffset(from) <= stretchBytesMax) to++
  return to
}
