/**
 * What a bucket holds, decoded: for tests that look behind the database's back.
 * The database lies at `db`.
 */
import * as Compression from "@effect-slatedb/core/Compression"
import type * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as Result from "effect/Result"
import * as ManifestCodec from "../../src/internal/format/ManifestCodec.ts"
import * as SsTableReader from "../../src/internal/format/SsTableReader.ts"
import * as WalReader from "../../src/internal/format/WalReader.ts"
import { BlockStep } from "../../src/internal/format/BlockCursor.ts"
import type { Manifest } from "../../src/internal/model/Manifest.ts"
import * as RowEntry from "../../src/internal/model/RowEntry.ts"
import * as ObjectPaths from "../../src/internal/store/ObjectPaths.ts"

const paths = ObjectPaths.make("db")

const below = (bucket: MemoryObjectStore.State, prefix: string) =>
  Array.from(bucket.objects)
    .filter(([path]) => path.startsWith(prefix))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))

/** All versions of the manifest, oldest first. */
export const manifests = (bucket: MemoryObjectStore.State): ReadonlyArray<Manifest> =>
  below(bucket, paths.manifests.prefix)
    .filter(([path]) => paths.manifests.id(path) !== undefined)
    .map(([, { bytes }]) => Result.getOrThrow(ManifestCodec.decode(bytes)))

export const manifest = (bucket: MemoryObjectStore.State): Manifest => {
  const latest = manifests(bucket).at(-1)
  if (latest === undefined) throw new Error("the bucket has no manifest")
  return latest
}

/** The rows of each WAL object, by id. */
export const wals = (bucket: MemoryObjectStore.State): ReadonlyMap<number, ReadonlyArray<RowEntry.RowEntry>> =>
  new Map(
    below(bucket, paths.wals.prefix).map(([path, { bytes }]) => {
      const rows: Array<RowEntry.RowEntry> = []
      const reader = Result.getOrThrow(WalReader.open(bytes, Compression.portable))
      while (reader.next() === BlockStep.row) rows.push(RowEntry.copy(reader.row))
      if (reader.error !== undefined) throw new Error(reader.error.message)
      return [paths.wals.id(path) ?? 0, rows]
    })
  )

/** The rows of a table of level 0 or a run. */
export const table = (bucket: MemoryObjectStore.State, id: string): ReadonlyArray<RowEntry.RowEntry> => {
  const object = bucket.objects.get(paths.table(id))
  if (object === undefined) throw new Error(`the bucket has no table ${id}`)
  return Result.getOrThrow(SsTableReader.decodeTable(object.bytes, Compression.portable))
}

/** Whether every table that a manifest names is there. */
export const hasTablesOf = (bucket: MemoryObjectStore.State, { l0, runs }: Manifest): boolean =>
  [...l0, ...runs.flatMap((run) => run.tables)].every(({ id }) => bucket.objects.has(paths.table(id)))
