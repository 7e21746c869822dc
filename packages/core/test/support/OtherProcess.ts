/**
 * What another process finds in a bucket and does to it: it reads objects, writes
 * manifests and compacts, knowing nothing of the database that a test has open.
 */
import { portable } from "@effect-slatedb/core/Compression"
import type * as DbError from "@effect-slatedb/core/DbError"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SsTableReader from "../../src/internal/format/SsTableReader.ts"
import { formatVersion } from "../../src/internal/format/SsTableWriter.ts"
import * as ByteOrder from "../../src/internal/model/ByteOrder.ts"
import type { Manifest } from "../../src/internal/model/Manifest.ts"
import type { RowEntry } from "../../src/internal/model/RowEntry.ts"
import type { SsTable } from "../../src/internal/model/SsTable.ts"
import * as ManifestStore from "../../src/internal/store/ManifestStore.ts"
import * as ObjectPaths from "../../src/internal/store/ObjectPaths.ts"
import * as UlidSource from "../../src/internal/store/UlidSource.ts"

export const paths = ObjectPaths.make("db")

const manifests = (state: MemoryObjectStore.State) =>
  Effect.map(UlidSource.make, (ulids) => ManifestStore.make(MemoryObjectStore.fromState(state), paths, ulids))

/** The manifest with the greatest number. */
export const latest = Effect.fnUntraced(function* (state: MemoryObjectStore.State) {
  const found = yield* (yield* manifests(state)).latest
  if (found === undefined) throw new Error("there is no database in this bucket")
  return found
})

export const manifest = (state: MemoryObjectStore.State): Effect.Effect<Manifest, DbError.DbError> =>
  Effect.map(latest(state), ({ value }) => value)

/** The version with this number. */
export const version = Effect.fnUntraced(function* (state: MemoryObjectStore.State, id: number) {
  const found = yield* (yield* manifests(state)).read(id)
  if (found === undefined) throw new Error(`there is no manifest ${id} in this bucket`)
  return found.value
})

/** Every version that is there, oldest first. */
export const history = Effect.fnUntraced(function* (state: MemoryObjectStore.State) {
  const store = yield* manifests(state)
  const versions = yield* Effect.forEach(yield* store.ids, store.read)
  return versions.flatMap((version) => (version === undefined ? [] : [version.value]))
})

/** Writes the next version. */
export const edit = Effect.fnUntraced(function* (
  state: MemoryObjectStore.State,
  change: (manifest: Manifest) => Manifest
) {
  const store = yield* manifests(state)
  yield* store.update(yield* latest(state), (manifest) => Result.succeed(change(manifest)))
})

/** The rows of a table or a WAL object, in the order they lie there. */
export const rows = (state: MemoryObjectStore.State, path: string): ReadonlyArray<RowEntry> => {
  const object = state.objects.get(path)
  if (object === undefined) throw new Error(`there is no object at ${path}`)
  return Result.getOrThrow(SsTableReader.decodeTable(object.bytes, portable))
}

/** Stores a table, and says what a manifest has to name. */
export const storeTable = Effect.fnUntraced(function* (
  state: MemoryObjectStore.State,
  id: string,
  contents: ReadonlyArray<RowEntry>
) {
  const writer = {
    kind: "compacted",
    blockSizeBytes: 1024,
    filterBitsPerKey: 10,
    minFilterKeys: 1,
    codecName: "none",
    codec: undefined,
    crc32: portable.crc32
  } as const
  const bytes = Schema.encodeSync(SsTableReader.schema(writer, portable))(contents)
  yield* MemoryObjectStore.fromState(state).put(paths.table(id), bytes)
  const { info } = Result.getOrThrow(SsTableReader.open(bytes, portable))
  const table: SsTable = { id, viewId: id, formatVersion, info, visibleRange: undefined }
  return table
})

/** Merges level 0, if there is one, and all runs into one run, as a compactor does that keeps every version. */
export const compact = Effect.fnUntraced(function* (state: MemoryObjectStore.State) {
  const ulids = yield* UlidSource.make
  const { l0, runs } = yield* manifest(state)
  if (l0.length === 0) return
  const inputs = [...l0, ...runs.flatMap(({ tables }) => tables)]
  const contents = inputs
    .flatMap(({ id }) => rows(state, paths.table(id)))
    .toSorted((a, b) => ByteOrder.compare(a.key, b.key) || b.sequence - a.sequence)
  const table = yield* storeTable(state, ulids.next(), contents)
  yield* edit(state, (manifest) => ({
    ...manifest,
    compactorEpoch: manifest.compactorEpoch + 1,
    l0: manifest.l0.filter(({ viewId }) => l0.every((input) => input.viewId !== viewId)),
    lastCompactedViewId: l0[0]?.viewId ?? manifest.lastCompactedViewId,
    runs: [{ id: (runs[0]?.id ?? -1) + 1, tables: [table] }]
  }))
})

/** What a collector that came too early would do: takes the WAL objects up to `id` away. */
export const collectWals = (state: MemoryObjectStore.State, through: number): Effect.Effect<void> =>
  Effect.orDie(
    Effect.forEach(
      Array.from(state.objects.keys()).filter((path) => {
        const id = path.startsWith(paths.wals.prefix) ? paths.wals.id(path) : undefined
        return id !== undefined && id <= through
      }),
      MemoryObjectStore.fromState(state).delete,
      { discard: true }
    )
  )

/** Replaces an object's bytes, as a damaged disk would. */
export const damage = (
  state: MemoryObjectStore.State,
  path: string,
  change: (bytes: Uint8Array) => Uint8Array
): Effect.Effect<void> => {
  const object = state.objects.get(path)
  if (object === undefined) throw new Error(`there is no object at ${path}`)
  return Effect.orDie(MemoryObjectStore.fromState(state).put(path, change(object.bytes.slice())))
}
