/**
 * Surveys a database: one listing, the active manifests, the stats of each table,
 * and the WAL objects that replay would read.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { Compression } from "../../Compression.ts"
import type * as DbError from "../../DbError.ts"
import type { ObjectMeta, ObjectStore } from "../../ObjectStore.ts"
import { SsTableCheck } from "../format/SsTableCheck.ts"
import * as SsTableReader from "../format/SsTableReader.ts"
import type * as LsmTree from "../model/LsmTree.ts"
import type { Manifest } from "../model/Manifest.ts"
import type { SsTable } from "../model/SsTable.ts"
import type { SsTableStats } from "../model/SsTableStats.ts"
import * as TreeCheck from "../model/TreeCheck.ts"
import type { ManifestStore } from "./ManifestStore.ts"
import * as ObjectPaths from "./ObjectPaths.ts"
import type { Versioned } from "./SequencedObject.ts"
import * as StoreFailure from "./StoreFailure.ts"

export interface Options {
  readonly store: ObjectStore["Service"]
  readonly paths: ObjectPaths.ObjectPaths
  readonly compression: Compression
  readonly manifests: ManifestStore
}

/** The tree of this version of the manifest. */
export const survey = Effect.fnUntraced(function* (
  options: Options,
  latest: Versioned<Manifest>
): Effect.fn.Return<LsmTree.LsmTree, DbError.DbError> {
  const { manifests, paths, store } = options
  const manifest = latest.value
  const pinned: Array<Versioned<Manifest>> = []
  for (const id of new Set(manifest.checkpoints.map((checkpoint) => checkpoint.manifestId))) {
    const version = id === latest.id ? undefined : yield* manifests.read(id)
    if (version !== undefined) pinned.push(version)
  }
  const objects = new Map<string, ObjectMeta>()
  yield* store.list({ prefix: `${paths.root}/` }).pipe(
    Stream.runForEach((meta) => Effect.sync(() => objects.set(meta.path, meta))),
    Effect.mapError(StoreFailure.fromStore)
  )
  const pathOf = pathsOfTables(paths, manifest)
  const node = (table: SsTable) => tableNode(options, pathOf(table), objects, table)
  const l0 = yield* Effect.forEach(manifest.l0, node)
  const runs = yield* Effect.forEach(manifest.runs, ({ id, tables }) =>
    Effect.map(Effect.forEach(tables, node), (tables) => ({ id, tables }))
  )
  return {
    manifestId: latest.id,
    manifest,
    wals: yield* walNodes(options, objects, manifest.replayAfterWalId),
    l0,
    runs,
    unneeded: unneeded(paths, objects, [latest, ...pinned]),
    objects: objects.size,
    bytes: [...objects.values()].reduce((sum, { size }) => sum + size, 0)
  }
})

const pathsOfTables = (paths: ObjectPaths.ObjectPaths, manifest: Manifest) => {
  const external = new Map(
    manifest.externalDbs.flatMap(({ path, tableIds }) => tableIds.map((id) => [id, ObjectPaths.make(path)] as const))
  )
  return (table: SsTable): string => (external.get(table.id) ?? paths).table(table.id)
}

const tableNode = Effect.fnUntraced(function* (
  options: Options,
  path: string,
  objects: ReadonlyMap<string, ObjectMeta>,
  table: SsTable
): Effect.fn.Return<LsmTree.TableNode, DbError.DbError> {
  const listed = objects.get(path)
  const bytes = listed?.size ?? (yield* sizeOf(options.store, path))
  return { path, bytes, table, stats: bytes === 0 ? undefined : yield* readStats(options, path, table) }
})

const sizeOf = (store: ObjectStore["Service"], path: string): Effect.Effect<number, DbError.DbError> =>
  store.head(path).pipe(
    Effect.map(({ size }) => size),
    Effect.catchReason("ObjectStoreError", "NotFound", () => Effect.succeed(0)),
    Effect.mapError(StoreFailure.fromStore)
  )

/** Stats that cannot be read are left out of the picture: finding faults is for `check`. */
const readStats = (
  { compression, store }: Options,
  path: string,
  { info }: SsTable
): Effect.Effect<SsTableStats | undefined, DbError.DbError> =>
  info.statsLength === 0
    ? Effect.succeed(undefined)
    : store.getRange(path, { offset: info.statsOffset, length: info.statsLength }).pipe(
        Effect.map((bytes) => Result.getOrUndefined(SsTableReader.stats(bytes, info.statsOffset, info, compression))),
        Effect.catchReason("ObjectStoreError", "Invalid", () => Effect.succeed(undefined)),
        Effect.mapError(StoreFailure.fromStore)
      )

const walNodes = ({ compression, paths, store }: Options, objects: ReadonlyMap<string, ObjectMeta>, after: number) =>
  Effect.forEach(
    [...objects.values()].flatMap((meta) => {
      const id = meta.path.startsWith(paths.wals.prefix) ? paths.wals.id(meta.path) : undefined
      return id === undefined || id <= after ? [] : [{ id, meta }]
    }),
    ({ id, meta }) =>
      Effect.gen(function* () {
        const bytes = yield* store.get(meta.path)
        const rows = new SsTableCheck(bytes, undefined, compression)
        for (let part = 1; rows.next(); part++) if (part % 256 === 0) yield* Effect.yieldNow
        const { lastModified, path } = meta
        return { id, path, bytes: bytes.length, lastModified, contents: rows.contents }
      })
  ).pipe(Effect.mapError(StoreFailure.fromStore))

const unneeded = (
  paths: ObjectPaths.ObjectPaths,
  objects: ReadonlyMap<string, ObjectMeta>,
  active: ReadonlyArray<Versioned<Manifest>>
): ReadonlyArray<LsmTree.UnneededObject> => {
  const versions = new Set(active.map(({ id }) => id))
  const tables = new Set(active.flatMap(({ value }) => TreeCheck.tablesOf(value).map(({ id }) => id)))
  const [latest, ...pinned] = active
  const compactionsLast = Math.max(
    ...[...objects.keys()].map((path) => idIn(paths.compactions, path) ?? Number.NEGATIVE_INFINITY)
  )
  const isWalNeeded = (id: number): boolean =>
    id >= (latest?.value.replayAfterWalId ?? 0) ||
    pinned.some(({ value }) => id > value.replayAfterWalId && id <= value.walIdLastSeen)
  const kindOf = (path: string): LsmTree.UnneededObject["kind"] | undefined => {
    const manifest = idIn(paths.manifests, path)
    if (manifest !== undefined) return versions.has(manifest) ? undefined : "manifest"
    const wal = idIn(paths.wals, path)
    if (wal !== undefined) return isWalNeeded(wal) ? undefined : "wal"
    const compactions = idIn(paths.compactions, path)
    if (compactions !== undefined) return compactions === compactionsLast ? undefined : "compactions"
    const table = path.startsWith(paths.tables) ? paths.tableId(path) : undefined
    return table === undefined || tables.has(table) ? undefined : "table"
  }
  return [...objects.values()].flatMap(({ lastModified, path, size }) => {
    const kind = kindOf(path)
    return kind === undefined ? [] : [{ kind, path, bytes: size, lastModified }]
  })
}

const idIn = (folder: ObjectPaths.Folder, path: string): number | undefined =>
  path.startsWith(folder.prefix) ? folder.id(path) : undefined
