/**
 * Tables: written as whole objects, read in parts.
 *
 * A table is stored before a manifest names it (L3), and never changes.
 */
import * as Effect from "effect/Effect"
import type { BlockCache } from "../../BlockCache.ts"
import type { Compression } from "../../Compression.ts"
import type * as DbError from "../../DbError.ts"
import type { Body, ObjectStore } from "../../ObjectStore.ts"
import type { Manifest } from "../model/Manifest.ts"
import type { KeyBound, SsTable, SsTableInfo } from "../model/SsTable.ts"
import * as ObjectPaths from "./ObjectPaths.ts"
import * as StoreFailure from "./StoreFailure.ts"
import { TableReader } from "./TableReader.ts"

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
}

export const make = (options: {
  readonly store: ObjectStore["Service"]
  readonly paths: ObjectPaths.ObjectPaths
  readonly compression: Compression
  readonly cache: BlockCache
}): TableStore => {
  const { cache, compression, paths, store } = options
  const storeNumber = numberOf(store)
  let readers = new Map<string, TableReader>()
  let external = new Map<string, string>()
  return {
    reader: (table) => {
      const view = viewOf(table)
      const known = readers.get(view)
      if (known !== undefined) return known
      const path = external.get(table.id) ?? paths.table(table.id)
      const reader = new TableReader(table, path, store, compression, cache.table(`${storeNumber}:${path}`))
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
      readers = new Map(
        named.flatMap((table) => {
          const view = viewOf(table)
          const reader = readers.get(view)
          return reader === undefined ? [] : [[view, reader] as const]
        })
      )
    },
    create: (id, body, info, putId) =>
      store
        .putIfAbsent(paths.table(id), body, { putId })
        .pipe(
          Effect.mapError(StoreFailure.fromStore),
          Effect.as({ id, viewId: id, formatVersion: 2, info, visibleRange: undefined })
        )
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
