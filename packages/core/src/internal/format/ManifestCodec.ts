/**
 * Manifests, as bytes: a version, then one FlatBuffer.
 *
 * Version 1 is read and written. Version 2, which newer engines write for
 * databases with segments, is read. Other versions are refused by name.
 *
 * What this engine reads and could not write again makes a manifest read-only:
 * `readOnlyReason` says why, and {@link encode} takes no such manifest.
 *
 * These bytes have no checksum. What is decoded is well formed, no more: whether
 * it can be true is for `ManifestInvariants` to say.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Model from "../model/Manifest.ts"
import type { SsTable } from "../model/SsTable.ts"
import * as FlatBufferCompiler from "./FlatBufferCompiler.ts"
import * as FormatError from "./FormatError.ts"
import * as FormatSchema from "./FormatSchema.ts"
import * as FormatVersion from "./FormatVersion.ts"
import * as Tables from "./ManifestTables.ts"

const v1 = FlatBufferCompiler.compile("manifest", Tables.ManifestV1)
const v2 = FlatBufferCompiler.compile("manifest", Tables.ManifestV2)

type ManifestV1 = typeof Tables.ManifestV1.Type
type ManifestV2 = typeof Tables.ManifestV2.Type

/** The manifest in version 1, whatever version it was read from. */
export const encode = (manifest: Model.Manifest): Uint8Array => {
  if (manifest.readOnlyReason !== undefined) {
    throw new Error(`a manifest that would lose something is not written: reason=${manifest.readOnlyReason}`)
  }
  const table = { ...manifest, manifestId: 0, walObjectStoreUri: manifest.hasSeparateWalStore ? "" : undefined }
  return FormatVersion.write(v1.encode(table, FormatVersion.size), 1)
}

export const decode = (bytes: Uint8Array): Result.Result<Model.Manifest, FormatError.FormatError> =>
  Result.flatMap(FormatVersion.read("manifest", bytes, [1, 2]), (version) => {
    const table = bytes.subarray(FormatVersion.size)
    const manifest = version === 1 ? Result.map(v1.decode(table), fromV1) : Result.flatMap(v2.decode(table), fromV2)
    return Result.mapError(manifest, (error) => FormatError.shift(error, FormatVersion.size))
  })

const { manifestId: _id, walObjectStoreUri: _uri, ...same } = Tables.ManifestV1.fields

const optional = Schema.UndefinedOr

/** The model. */
export const Manifest = Schema.Struct({
  ...same,
  hasSeparateWalStore: Schema.Boolean,
  segments: Schema.Array(
    Schema.Struct({
      prefix: Schema.Uint8Array,
      lastCompactedViewId: optional(Tables.Ulid),
      l0: Schema.Array(Tables.SsTable),
      runs: Schema.Array(Tables.SortedRun)
    })
  ),
  segmentExtractorName: optional(Schema.String),
  readOnlyReason: optional(Schema.String)
})

/** From bytes to manifest and back, for tools and tests. */
export const schema: Schema.Codec<Model.Manifest, Uint8Array> = FormatSchema.make(Manifest, { decode, encode })

const fromV1 = ({ newer, value }: FlatBufferCompiler.Decoded<ManifestV1>): Model.Manifest => {
  const { manifestId: _, walObjectStoreUri, ...manifest } = value
  return {
    ...manifest,
    hasSeparateWalStore: walObjectStoreUri !== undefined,
    segments: [],
    segmentExtractorName: undefined,
    readOnlyReason: firstOf([
      newer !== undefined && `it holds what only a newer engine knows: ${newer}`,
      // All known writers leave the address empty, and the model has no place for one.
      walObjectStoreUri !== undefined && walObjectStoreUri !== "" && `it names a wal store: ${walObjectStoreUri}`
    ])
  }
}

const fromV2 = ({
  newer,
  value
}: FlatBufferCompiler.Decoded<ManifestV2>): Result.Result<Model.Manifest, FormatError.FormatError> =>
  Result.gen(function* () {
    const { l0, manifestId: _, runs, segments, tables, ...manifest } = value
    const byId = new Map(tables.map((table) => [table.id, table]))
    const views = yield* resolveAll(byId, "manifest", { l0, runs })
    const resolved: Array<Model.Segment> = []
    for (const { lastCompactedViewId, prefix, ...segment } of segments) {
      resolved.push({ prefix, lastCompactedViewId, ...(yield* resolveAll(byId, "manifest.segments", segment)) })
    }
    const renamed = [views, ...resolved].flatMap(tablesOf).find((table) => table.viewId !== table.id)
    return {
      ...manifest,
      ...views,
      hasSeparateWalStore: false,
      segments: resolved,
      readOnlyReason: firstOf([
        newer !== undefined && `it holds what only a newer engine knows: ${newer}`,
        segments.length > 0 && `it has segments: ${segments.length}`,
        value.segmentExtractorName !== undefined && `it has a segment extractor: ${value.segmentExtractorName}`,
        renamed !== undefined && `it has views with names of their own: ${renamed.viewId} of ${renamed.id}`
      ])
    }
  })

/** Level 0 and runs of a database or segment, as views (`V` of a run) or as tables. */
interface Trees<L0, Run> {
  readonly l0: ReadonlyArray<L0>
  readonly runs: ReadonlyArray<Run>
}

type View = ManifestV2["l0"][number]
type Stored = ManifestV2["tables"][number]

const resolveAll = (
  byId: ReadonlyMap<string, Stored>,
  part: string,
  trees: Trees<View, ManifestV2["runs"][number]>
): Result.Result<Trees<SsTable, Model.SortedRun>, FormatError.FormatError> =>
  Result.gen(function* () {
    const l0 = yield* resolve(byId, `${part}.l0`, trees.l0)
    const runs: Array<Model.SortedRun> = []
    for (const { id, views } of trees.runs) runs.push({ id, tables: yield* resolve(byId, `${part}.runs`, views) })
    return { l0, runs }
  })

const resolve = (
  byId: ReadonlyMap<string, Stored>,
  part: string,
  views: ReadonlyArray<View>
): Result.Result<ReadonlyArray<SsTable>, FormatError.FormatError> => {
  const tables: Array<SsTable> = []
  for (const { tableId, viewId, visibleRange } of views) {
    const table = byId.get(tableId)
    if (table === undefined) return FormatError.corrupt(part, 0, "views of tables that the manifest lists", tableId)
    tables.push({ ...table, viewId, visibleRange })
  }
  return Result.succeed(tables)
}

const tablesOf = (trees: Trees<SsTable, Model.SortedRun>): ReadonlyArray<SsTable> => [
  ...trees.l0,
  ...trees.runs.flatMap((run) => run.tables)
]

const firstOf = (reasons: ReadonlyArray<string | false>): string | undefined =>
  reasons.find((reason) => reason !== false) || undefined
