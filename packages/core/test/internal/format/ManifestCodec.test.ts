import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as FlatBufferCompiler from "../../../src/internal/format/FlatBufferCompiler.ts"
import { Bytes, I64, I8, slot, U16, U64 } from "../../../src/internal/format/FlatBufferSchema.ts"
import * as ManifestCodec from "../../../src/internal/format/ManifestCodec.ts"
import * as ManifestTables from "../../../src/internal/format/ManifestTables.ts"
import { SsTableInfo } from "../../../src/internal/format/SsTableInfoCodec.ts"
import * as Manifest from "../../../src/internal/model/Manifest.ts"
import * as ManifestInvariants from "../../../src/internal/model/ManifestInvariants.ts"
import * as FixtureStore from "./FixtureStore.ts"
import * as Hostile from "./Hostile.ts"

const Expected = Schema.Struct({
  bytes: Schema.Int,
  version: Schema.Literal(1),
  writer_epoch: Schema.Int,
  compactor_epoch: Schema.Int,
  replay_after_wal_id: Schema.Int,
  wal_id_last_seen: Schema.Int,
  last_l0_seq: Schema.Int,
  last_l0_clock_tick: Schema.String,
  recent_snapshot_min_seq: Schema.Int,
  wal_object_store_uri: Schema.NullOr(Schema.String),
  l0: Schema.Array(Schema.String),
  compacted: Schema.Array(Schema.Tuple([Schema.Int, Schema.Array(Schema.String)])),
  checkpoints: Schema.Array(Schema.Tuple([Schema.String, Schema.Int, Schema.Int, Schema.NullOr(Schema.String)])),
  external_dbs: Schema.Array(Schema.Unknown),
  sequence_tracker: Schema.NullOr(Schema.Array(Schema.Tuple([Schema.Int, Schema.Int])))
})

/** A manifest in the words of the independent parser. */
const describeManifest = (bytes: Uint8Array, manifest: Manifest.Manifest): typeof Expected.Type => ({
  bytes: bytes.length,
  version: 1,
  writer_epoch: manifest.writerEpoch,
  compactor_epoch: manifest.compactorEpoch,
  replay_after_wal_id: manifest.replayAfterWalId,
  wal_id_last_seen: manifest.walIdLastSeen,
  last_l0_seq: manifest.lastL0Sequence,
  last_l0_clock_tick: String(manifest.lastL0ClockTick ?? "-9223372036854775808"),
  recent_snapshot_min_seq: manifest.recentSnapshotMinSequence,
  wal_object_store_uri: manifest.hasSeparateWalStore ? "" : null,
  l0: manifest.l0.map((table) => table.id),
  compacted: manifest.runs.map((run) => [run.id, run.tables.map((table) => table.id)]),
  checkpoints: manifest.checkpoints.map((checkpoint) => [
    checkpoint.id,
    checkpoint.manifestId,
    checkpoint.expireTimeSeconds ?? 0,
    checkpoint.name ?? null
  ]),
  external_dbs: manifest.externalDbs,
  sequence_tracker:
    manifest.sequenceTracker?.sequences.map((sequence, i) => [sequence, manifest.sequenceTracker?.seconds[i] ?? -1]) ??
    null
})

const manifests = FixtureStore.cases.flatMap((name) =>
  FixtureStore.paths(name, ".manifest").map((path) => [name, path] as const)
)

const decode = (bytes: Uint8Array): Manifest.Manifest => Result.getOrThrow(ManifestCodec.decode(bytes))

const failure = (bytes: Uint8Array) => Result.getOrThrow(Result.flip(ManifestCodec.decode(bytes)))

/** A file of another version, or with another root table. */
const file = (version: number, table: Uint8Array): Uint8Array => {
  table[0] = version >> 8
  table[1] = version & 0xff
  return table
}

describe("the manifests of the official engine", () => {
  it.each(manifests)("are read: %s %s", (name, path) => {
    const bytes = FixtureStore.bytes(name, path)
    const manifest = decode(bytes)
    assert.deepStrictEqual(describeManifest(bytes, manifest), FixtureStore.expected(name, path, Expected))
    assert.strictEqual(manifest.initialized, true)
    assert.strictEqual(manifest.readOnlyReason, undefined)
    assert.deepStrictEqual(ManifestInvariants.check(manifest), [])
  })

  it.each(manifests)("stay what they are when written by us: %s %s", (name, path) => {
    const manifest = decode(FixtureStore.bytes(name, path))
    assert.deepStrictEqual(decode(ManifestCodec.encode(manifest)), manifest)
  })

  it("follow each other as the laws say", () => {
    for (const name of FixtureStore.cases) {
      const versions = FixtureStore.paths(name, ".manifest").map((path) => decode(FixtureStore.bytes(name, path)))
      for (let i = 1; i < versions.length; i++) {
        const [previous, next] = [versions[i - 1] ?? Manifest.empty, versions[i] ?? Manifest.empty]
        assert.deepStrictEqual(ManifestInvariants.checkSuccession(previous, next), [], `${name} ${i + 1}`)
      }
    }
  })

  it("hold the description of a table that the table holds itself", () => {
    const { l0 } = decode(FixtureStore.bytes("sst-v1", "db/manifest/00000000000000000001.manifest"))
    assert.strictEqual(l0[0]?.formatVersion, 1)
    const { runs } = decode(FixtureStore.bytes("compacted", "db/manifest/00000000000000000014.manifest"))
    assert.deepStrictEqual(runs[0]?.tables[1], {
      id: "01M82VKFKMATC8DTCSFMQXNQVY",
      viewId: "01M82VKFKMATC8DTCSFMQXNQVY",
      formatVersion: 2,
      info: {
        firstEntry: new TextEncoder().encode("key/00099"),
        lastEntry: new TextEncoder().encode("mrg"),
        filterOffset: 74,
        filterLength: 9,
        filterFormat: "legacy",
        indexOffset: 83,
        indexLength: 52,
        statsOffset: 135,
        statsLength: 100,
        compression: "none",
        kind: "compacted"
      },
      visibleRange: undefined
    })
  })

  it("are refused or read, never more, when cut off or with a bit flipped", () => {
    for (const [name, path] of manifests) Hostile.endures(FixtureStore.bytes(name, path), ManifestCodec.decode)
  })
})

describe("the manifest of a new database", () => {
  it("is the official engine's first one", () => {
    const bytes = FixtureStore.bytes("basic", "db/manifest/00000000000000000001.manifest")
    assert.strictEqual(bytes.length, 106)
    assert.deepStrictEqual(decode(bytes), Manifest.empty)
    assert.deepStrictEqual(decode(ManifestCodec.encode(Manifest.empty)), Manifest.empty)
  })
})

const Ids = Schema.Array(ManifestTables.Ulid)

/** Manifests that version 1 can say, of any values. */
const writable: Arbitrary.Arbitrary<Manifest.Manifest> = Arbitrary.all({
  manifest: Arbitrary.schema(ManifestCodec.Manifest),
  steps: Arbitrary.schema(
    Schema.Array(
      Schema.Tuple([
        Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 })),
        Schema.Int.check(Schema.isBetween({ minimum: 60, maximum: 100_000 }))
      ])
    )
  ),
  external: Arbitrary.schema(Ids)
}).pipe(
  Arbitrary.map(({ manifest, steps }) => ({
    ...manifest,
    l0: manifest.l0.map((table) => ({ ...table, viewId: table.id })),
    runs: manifest.runs.map((run) => ({ ...run, tables: run.tables.map((table) => ({ ...table, viewId: table.id })) })),
    sequenceTracker:
      manifest.sequenceTracker === undefined
        ? undefined
        : {
            sequences: steps.map((_, i) => steps.slice(0, i + 1).reduce((sum, [sequences]) => sum + sequences, 0)),
            seconds: steps.map((_, i) => steps.slice(0, i + 1).reduce((sum, [, seconds]) => sum + seconds, 0))
          },
    segments: [],
    segmentExtractorName: undefined,
    readOnlyReason: undefined
  }))
)

describe("a manifest", () => {
  it.prop("is read as it was written", [writable], ([manifest]) => {
    assert.deepStrictEqual(decode(ManifestCodec.encode(manifest)), manifest)
  })

  it.prop("is a schema from bytes to manifest", [writable], ([manifest]) => {
    const bytes = Schema.encodeSync(ManifestCodec.schema)(manifest)
    assert.deepStrictEqual(bytes, ManifestCodec.encode(manifest))
    assert.deepStrictEqual(Schema.decodeSync(ManifestCodec.schema)(bytes), manifest)
  })

  it("is refused as a schema with the decoder's own words", () => {
    const message = /unsupported manifest version: offset=0 expected=1 or 2 found=3/
    assert.throws(() => Schema.decodeSync(ManifestCodec.schema)(Uint8Array.of(0, 3)), message)
  })

  it("of an unknown version is refused, by its number and those that are known", () => {
    const bytes = FixtureStore.bytes("basic", "db/manifest/00000000000000000003.manifest")
    const error = failure(file(3, bytes))
    assert.strictEqual(error.kind, "unsupported")
    assert.strictEqual(error.message, "unsupported manifest version: offset=0 expected=1 or 2 found=3")
  })

  it("in a newer table, with a slot that we do not know, is read and not written", () => {
    const newer = FlatBufferCompiler.compile(
      "manifest",
      Schema.Struct({ ...ManifestTables.ManifestV1.fields, future: slot(16, U64) })
    )
    const table = { ...Manifest.empty, manifestId: 0, walObjectStoreUri: undefined }
    assert.deepStrictEqual(decode(file(1, newer.encode({ ...table, future: 0 }, 2))), Manifest.empty)
    const manifest = decode(file(1, newer.encode({ ...table, future: 1 }, 2)))
    assert.deepStrictEqual(manifest, {
      ...Manifest.empty,
      readOnlyReason: "it holds what only a newer engine knows: manifest slot=16"
    })
    assert.throws(() => ManifestCodec.encode(manifest), /would lose something/)
  })

  it("says that the WAL has a store of its own, and nothing more about it", () => {
    const v1 = FlatBufferCompiler.compile("manifest", ManifestTables.ManifestV1)
    const table = { ...Manifest.empty, manifestId: 0 }
    const flagged = decode(file(1, v1.encode({ ...table, walObjectStoreUri: "" }, 2)))
    assert.deepStrictEqual(flagged, { ...Manifest.empty, hasSeparateWalStore: true })
    const named = decode(file(1, v1.encode({ ...table, walObjectStoreUri: "s3://wal" }, 2)))
    assert.strictEqual(named.readOnlyReason, "it names a wal store: s3://wal")
  })

  it("that is corrupt is refused with the place in the file", () => {
    const bytes = ManifestCodec.encode(Manifest.empty)
    bytes.fill(0xff, 2, 6)
    assert.strictEqual(failure(bytes).offset, 2)
  })

  it("is not written with a view that has a name of its own", () => {
    const { l0 } = decode(FixtureStore.bytes("basic", "db/manifest/00000000000000000004.manifest"))
    const renamed = { ...Manifest.empty, l0: l0.map((table) => ({ ...table, viewId: "01M82VKFKMATC8DTCSFMQXNQVY" })) }
    assert.throws(() => ManifestCodec.encode(renamed), /written under its own name/)
  })
})

describe("a value in a manifest", () => {
  const Bound = Schema.Struct({ key: slot(0, Schema.UndefinedOr(Bytes)), type: slot(1, I8) })
  const Table = Schema.Struct({
    id: slot(0, ManifestTables.Ulid),
    info: slot(1, SsTableInfo),
    visibleRange: slot(2, Schema.UndefinedOr(Schema.Struct({ start: slot(0, Bound), end: slot(1, Bound) }))),
    formatVersion: slot(3, Schema.UndefinedOr(U16))
  })
  // The same table with the forms of the wire, which can say more than the model.
  const raw = FlatBufferCompiler.compile(
    "manifest",
    Schema.Struct({
      ...ManifestTables.ManifestV1.fields,
      l0: slot(8, Schema.Array(Table)),
      lastL0ClockTick: slot(10, I64)
    })
  )
  const { l0 } = decode(FixtureStore.bytes("basic", "db/manifest/00000000000000000004.manifest"))
  const unbounded: typeof Bound.Type = { key: undefined, type: 1 }

  const withTick = (lastL0ClockTick: bigint): Uint8Array =>
    file(1, raw.encode({ ...Manifest.empty, manifestId: 0, walObjectStoreUri: undefined, l0: [], lastL0ClockTick }, 2))
  const withTable = (changed: Partial<typeof Table.Type>): Uint8Array => {
    const tables = l0.map(({ id, info }) => ({
      id,
      info,
      visibleRange: undefined,
      formatVersion: undefined,
      ...changed
    }))
    const table = { ...Manifest.empty, manifestId: 0, walObjectStoreUri: undefined, l0: tables, lastL0ClockTick: 0n }
    return file(1, raw.encode(table, 2))
  }

  it("is version 1 of a table where there is none, and 1 or 2 else", () => {
    const versionOf = (formatVersion: number | undefined) => decode(withTable({ formatVersion })).l0[0]?.formatVersion
    assert.strictEqual(versionOf(undefined), 1)
    assert.strictEqual(versionOf(1), 1)
    assert.strictEqual(versionOf(2), 2)
    const error = failure(withTable({ formatVersion: 3 }))
    assert.strictEqual(error.kind, "unsupported")
    assert.match(error.message, /manifest.l0.formatVersion: .* expected=1 or 2 found=3/)
  })

  it("is a bound with the key that its type asks for", () => {
    const key = Uint8Array.of(1)
    const startOf = (start: typeof Bound.Type) => withTable({ visibleRange: { start, end: unbounded } })
    const read = (start: typeof Bound.Type) => decode(startOf(start)).l0[0]?.visibleRange?.start
    assert.deepStrictEqual(read(unbounded), { _tag: "Unbounded" })
    assert.deepStrictEqual(read({ key, type: 2 }), { _tag: "Included", key })
    assert.deepStrictEqual(read({ key, type: 3 }), { _tag: "Excluded", key })
    for (const bound of [
      { key: undefined, type: 0 },
      { key, type: 0 },
      { key, type: 1 },
      { key: undefined, type: 2 },
      { key: undefined, type: 3 },
      { key, type: 4 }
    ]) {
      const error = failure(startOf(bound))
      assert.strictEqual(error.kind, "corrupt")
      assert.match(error.message, new RegExp(`manifest.l0.visibleRange.start: .* found=type ${bound.type}`))
    }
  })

  it("is a time that a number can hold, or the sign of none", () => {
    assert.strictEqual(decode(withTick(-(2n ** 63n))).lastL0ClockTick, undefined)
    assert.strictEqual(decode(withTick(-1n)).lastL0ClockTick, -1)
    assert.strictEqual(decode(withTick(2n ** 53n - 1n)).lastL0ClockTick, Number.MAX_SAFE_INTEGER)
    for (const tick of [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n]) {
      assert.match(failure(withTick(tick)).message, new RegExp(`manifest.lastL0ClockTick: .* found=${tick}`))
    }
  })
})

describe("a manifest of version 2", () => {
  const v2 = FlatBufferCompiler.compile("manifest", ManifestTables.ManifestV2)
  const v1 = decode(FixtureStore.bytes("compacted", "db/manifest/00000000000000000009.manifest"))
  const viewsOf = (tables: Manifest.Manifest["l0"]) =>
    tables.map(({ id, viewId, visibleRange }) => ({ tableId: id, viewId, visibleRange }))
  const table: typeof ManifestTables.ManifestV2.Type = {
    ...v1,
    manifestId: 0,
    tables: [...v1.l0, ...v1.runs.flatMap((run) => run.tables)],
    l0: viewsOf(v1.l0),
    runs: v1.runs.map((run) => ({ id: run.id, views: viewsOf(run.tables) })),
    segments: [],
    segmentExtractorName: undefined
  }
  const file2 = (changed: Partial<typeof table>): Uint8Array => file(2, v2.encode({ ...table, ...changed }, 2))

  it("is the same manifest, and may be written as version 1", () => {
    assert.deepStrictEqual(decode(file2({})), v1)
  })

  it("with segments is read and not written", () => {
    const segment = {
      prefix: Uint8Array.of(1),
      lastCompactedViewId: undefined,
      l0: table.l0.slice(0, 1),
      runs: table.runs
    }
    const manifest = decode(file2({ l0: table.l0.slice(1), runs: [], segments: [segment] }))
    assert.deepStrictEqual(manifest.segments, [
      { prefix: Uint8Array.of(1), lastCompactedViewId: undefined, l0: v1.l0.slice(0, 1), runs: v1.runs }
    ])
    assert.strictEqual(manifest.readOnlyReason, "it has segments: 1")
    assert.strictEqual(
      decode(file2({ segmentExtractorName: "first-byte" })).readOnlyReason,
      "it has a segment extractor: first-byte"
    )
  })

  it("with views under other names is read and not written", () => {
    const [newest, ...older] = table.l0
    assert.isDefined(newest)
    const viewId = "01M82VKFKMATC8DTCSFMQXNQVY"
    const range = { start: { _tag: "Unbounded" }, end: { _tag: "Excluded", key: Uint8Array.of(0x6c) } } as const
    const manifest = decode(file2({ l0: [{ tableId: newest.tableId, viewId, visibleRange: range }, ...older] }))
    assert.deepStrictEqual(
      manifest.l0,
      v1.l0.map((table, i) => (i === 0 ? { ...table, viewId, visibleRange: range } : table))
    )
    assert.strictEqual(
      manifest.readOnlyReason,
      `it has views with names of their own: 01M82VKFKMATC8DTCSFMQXNQVY of ${newest.tableId}`
    )
  })

  it("with a view of a table that is not listed is corrupt", () => {
    const error = failure(file2({ tables: table.tables.slice(1) }))
    assert.strictEqual(error.kind, "corrupt")
    assert.strictEqual(error.part, "manifest.l0")
    assert.strictEqual(error.found, v1.l0[0]?.id)
  })

  it("is refused or read, never more, when cut off or with a bit flipped", () => {
    Hostile.endures(file2({}), ManifestCodec.decode)
  })

  it.prop(
    "has tables that are read as they were written",
    [Arbitrary.schema(ManifestTables.ManifestV2)],
    ([{ sequenceTracker: _, ...table }]) => {
      const written = { ...table, sequenceTracker: undefined }
      const read = Result.getOrThrow(v2.decode(v2.encode(written)))
      assert.deepStrictEqual(read, { value: written, newer: undefined })
    }
  )
})
