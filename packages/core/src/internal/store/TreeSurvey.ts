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
import type { Facts, Listed, Verdict } from "../model/Garbage.ts"
import type * as LsmTree from "../model/LsmTree.ts"
import type { Manifest } from "../model/Manifest.ts"
import type { SsTable } from "../model/SsTable.ts"
import type { SsTableStats } from "../model/SsTableStats.ts"
import * as CollectionSurvey from "./CollectionSurvey.ts"
import type { CompactionsStore } from "./CompactionsStore.ts"
import type { ManifestStore } from "./ManifestStore.ts"
import * as ObjectPaths from "./ObjectPaths.ts"
import type { Versioned } from "./SequencedObject.ts"
import * as StoreFailure from "./StoreFailure.ts"

export interface Options {
  readonly store: ObjectStore["Service"]
  readonly paths: ObjectPaths.ObjectPaths
  readonly compression: Compression
  readonly manifests: ManifestStore
  readonly compactions: CompactionsStore
  /** The collector's plan. */
  readonly judge: (facts: Facts) => (object: Listed) => Verdict
  /** Milliseconds. */
  readonly youngSince: number
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
    unneeded: yield* unneeded(options, objects, latest, pinned),
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

/** What nothing needs, and what the collector would say of it. */
const unneeded = Effect.fnUntraced(function* (
  options: Options,
  objects: ReadonlyMap<string, ObjectMeta>,
  latest: Versioned<Manifest>,
  pinned: ReadonlyArray<Versioned<Manifest>>
): Effect.fn.Return<ReadonlyArray<LsmTree.UnneededObject>, DbError.DbError> {
  const version = ({ id, value }: Versioned<Manifest>) => ({ id, manifest: value })
  const judge = options.judge({
    compactions: yield* options.compactions.latest,
    latest: version(latest),
    pinned: pinned.map(version),
    youngSince: options.youngSince,
    withFences: false
  })
  return [...objects.values()].flatMap((meta) => {
    const object = CollectionSurvey.recognize(options.paths, meta)
    const verdict = object === undefined ? undefined : judge(object)
    if (object === undefined || verdict === undefined || verdict._tag === "Needed") return []
    const { bytes, kind, lastModified, path } = object
    return [{ kind, path, bytes, lastModified, isGarbage: verdict._tag === "Garbage", why: verdict.why }]
  })
})
