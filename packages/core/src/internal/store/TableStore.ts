/**
 * Tables: written as whole objects, read in parts.
 *
 * A table is stored before a manifest names it (L3), and never changes.
 *
 * What was in memory until now is likely to be read on: when a table was stored, its
 * index, filter and the blocks that its writer kept are put into the cache before a manifest names it, so
 * that no read finds it cold. The blocks are copies that were taken while the table was
 * written; the chunks of the upload are used again. What is kept of a table that the
 * manifest names no longer makes room first.
 */
import * as Effect from "effect/Effect"
import type { BlockCache } from "../../BlockCache.ts"
import type { Compression } from "../../Compression.ts"
import type * as DbError from "../../DbError.ts"
import type { Body, ObjectStore } from "../../ObjectStore.ts"
import { BlockCursor } from "../format/BlockCursor.ts"
import { formatVersion, type Parts } from "../format/SsTableWriter.ts"
import type { Manifest } from "../model/Manifest.ts"
import type { KeyBound, SsTable, SsTableInfo } from "../model/SsTable.ts"
import * as ObjectPaths from "./ObjectPaths.ts"
import * as StoreFailure from "./StoreFailure.ts"
import { TableReader } from "./TableReader.ts"
import type { TurnMeter } from "./TurnMeter.ts"

/** Numbers the stores of a process, so that tables of two stores do not share cached parts. */
const storeNumbers = new WeakMap<ObjectStore["Service"], number>()
let storesSeen = 0

export interface TableStore {
  /** The reader of a table; one for each view of it. */
  readonly reader: (table: SsTable) => TableReader
  /** Tells where tables of other databases live, for a clone. */
  readonly adopt: (manifest: Manifest) => void
  /**
   * Stores a table, and answers with what a manifest needs to name it. May be repeated
   * with the same `putId` until it answers.
   */
  readonly create: (id: string, body: Body, info: SsTableInfo, putId: string) => Effect.Effect<SsTable, DbError.DbError>
  /** Bytes of a new table's blocks that are to be cached at most. */
  readonly newBlockBytesMax: number
  /** Caches parts of a table that was stored just now, in slices; `isRead`: its blocks will be looked into at once. */
  readonly keep: (id: string, parts: Parts, isRead: boolean) => Effect.Effect<void>
}

/** Blocks that are cached in a step, and steps of a slice. */
const blocksPerStep = 128
/** Blocks that also get a directory, 5 to 10 us each. */
const readBlocksPerStep = 8
const stepsPerSlice = 8

export const make = (options: {
  readonly store: ObjectStore["Service"]
  readonly paths: ObjectPaths.ObjectPaths
  readonly compression: Compression
  readonly cache: BlockCache
  readonly turns: TurnMeter
}): TableStore => {
  const { cache, compression, paths, store, turns } = options
  const storeNumber = numberOf(store)
  let readers = new Map<string, TableReader>()
  let external = new Map<string, string>()
  const cached = (path: string) => cache.table(`${storeNumber}:${path}`)
  return {
    reader: (table) => {
      const view = viewOf(table)
      const known = readers.get(view)
      if (known !== undefined) return known
      const path = external.get(table.id) ?? paths.table(table.id)
      const reader = new TableReader(table, path, store, compression, cached(path))
      readers.set(view, reader)
      return reader
    },
    adopt: (manifest) => {
      external = new Map(
        manifest.externalDbs.flatMap(({ path, tableIds }) => {
          const there = ObjectPaths.make(path)
          return tableIds.map((id): [string, string] => [id, there.table(id)])
        })
      )
      const named = [...manifest.l0, ...manifest.runs.flatMap((run) => run.tables)]
      const left = readers
      readers = new Map()
      for (const table of named) {
        const view = viewOf(table)
        const reader = left.get(view)
        if (reader !== undefined) readers.set(view, reader)
      }
      const ids = new Set(named.map((table) => table.id))
      for (const { cached, table } of left.values()) if (!ids.has(table.id)) cached.retire()
    },
    create: (id, body, info, putId) =>
      store
        .putIfAbsent(paths.table(id), body, { putId })
        .pipe(
          Effect.mapError(StoreFailure.fromStore),
          Effect.as({ id, viewId: id, formatVersion, info, visibleRange: undefined })
        ),
    // Not the whole budget: what is read often in other tables stays.
    newBlockBytesMax: cache.blockBytesMax / 2,
    keep: (id, { filter, index, keptBlocks }, isRead) => {
      const table = cached(paths.table(id))
      const rows = new BlockCursor()
      let next = 0
      return Effect.andThen(
        turns.slices(
          "table to cache",
          stepsPerSlice,
          () => {
            const end = Math.min(keptBlocks.length, next + (isRead ? readBlocksPerStep : blocksPerStep))
            for (const kept of keptBlocks.slice(next, end)) {
              if (isRead) rows.enterWithDirectory(kept.block, index.numbering)
              table.keepBlock(kept.index, kept.block)
            }
            next = end
            return next === keptBlocks.length
          },
          isRead ? turns.giveWay : Effect.yieldNow
        ),
        Effect.sync(() =>
          table.keepMeta({ index, filter, sizeBytes: index.sizeBytes + (filter === undefined ? 0 : filter.sizeBytes) })
        )
      )
    }
  }
}

/** Names a view of a table: in the official engine's files, several of one table have one id, and ranges of their own. */
const viewOf = ({ viewId, visibleRange }: SsTable): string =>
  visibleRange === undefined ? viewId : `${viewId} ${boundOf(visibleRange.start)} ${boundOf(visibleRange.end)}`

const boundOf = (bound: KeyBound): string =>
  bound._tag === "Unbounded" ? bound._tag : `${bound._tag}:${bound.key.join()}`

const numberOf = (store: ObjectStore["Service"]): number => {
  const known = storeNumbers.get(store)
  if (known !== undefined) return known
  storeNumbers.set(store, ++storesSeen)
  return storesSeen
}
