/**
 * The official engine opens manifests and compactions files that we wrote. Each
 * test works on a copy of a fixture, and adds the next version of a file.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as CompactionsCodec from "../../src/internal/format/CompactionsCodec.ts"
import * as FlatBufferCompiler from "../../src/internal/format/FlatBufferCompiler.ts"
import * as ManifestCodec from "../../src/internal/format/ManifestCodec.ts"
import * as ManifestTables from "../../src/internal/format/ManifestTables.ts"
import * as Compactions from "../../src/internal/model/Compactions.ts"
import * as Manifest from "../../src/internal/model/Manifest.ts"
import * as FixtureStore from "../internal/format/FixtureStore.ts"
import * as OfficialEngine from "./OfficialEngine.ts"

/** A directory that lasts as long as its scope, with a case in it. */
const copyOf = (name: string): Effect.Effect<string, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const directory = mkdtempSync(join(tmpdir(), "slatedb-interop-"))
      cpSync(FixtureStore.storeUrl(name), directory, { recursive: true })
      return directory
    }),
    (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
  )

type Kind = "manifest" | "compactions"

const fileName = (kind: Kind, id: number): string => `${String(id).padStart(20, "0")}.${kind}`

const latestId = (directory: string, kind: Kind): number => readdirSync(join(directory, "db", kind)).length

/** The bytes of the latest version, and its id. */
const latest = (directory: string, kind: Kind): { readonly id: number; readonly bytes: Uint8Array } => {
  const id = latestId(directory, kind)
  return { id, bytes: new Uint8Array(readFileSync(join(directory, "db", kind, fileName(kind, id)))) }
}

const latestManifest = (directory: string): Manifest.Manifest =>
  Result.getOrThrow(ManifestCodec.decode(latest(directory, "manifest").bytes))

const add = (directory: string, kind: Kind, bytes: Uint8Array): void => {
  writeFileSync(join(directory, "db", kind, fileName(kind, latestId(directory, kind) + 1)), bytes, { flag: "wx" })
}

/** A scan in the words of the expectations. */
const rows = (
  directory: string,
  settings?: Record<string, unknown>
): Effect.Effect<ReadonlyArray<FixtureStore.Row>, unknown> =>
  Effect.scoped(
    Effect.gen(function* () {
      const db = yield* OfficialEngine.open(directory, settings)
      const found = yield* OfficialEngine.scan(db)
      return found.map(({ create_ts, expire_ts, key, seq, value }): FixtureStore.Row => [
        FixtureStore.print(key),
        FixtureStore.print(value),
        Number(seq),
        Number(create_ts),
        expire_ts === undefined ? null : Number(expire_ts)
      ])
    })
  )

describe("the official engine", () => {
  for (const name of FixtureStore.cases) {
    it.live(`reads all of ${name} through a manifest written by us`, () =>
      Effect.gen(function* () {
        const directory = yield* copyOf(name)
        const manifest = latestManifest(directory)
        add(directory, "manifest", ManifestCodec.encode(manifest))
        assert.deepStrictEqual(yield* rows(directory), FixtureStore.expectedScan(name))
        const { l0, runs, writerEpoch } = latestManifest(directory)
        assert.deepStrictEqual({ runs, writerEpoch }, { runs: manifest.runs, writerEpoch: manifest.writerEpoch + 1 })
        assert.deepStrictEqual(l0.slice(-manifest.l0.length || l0.length), manifest.l0)
      })
    )
  }

  it.live("opens a new database whose first manifest we wrote, and writes to it", () =>
    Effect.gen(function* () {
      const directory = yield* copyOf("basic")
      rmSync(join(directory, "db"), { recursive: true })
      mkdirSync(join(directory, "db", "manifest"), { recursive: true })
      add(directory, "manifest", ManifestCodec.encode(Manifest.empty))
      yield* Effect.scoped(
        Effect.gen(function* () {
          const db = yield* OfficialEngine.open(directory)
          yield* Effect.promise(() => db.put(Buffer.from("k"), Buffer.from("v")))
        })
      )
      assert.deepStrictEqual(
        (yield* rows(directory)).map(([key, value]) => [key, value]),
        [["k", "v"]]
      )
      assert.strictEqual(latestManifest(directory).writerEpoch, 2)
    })
  )

  it.live("keeps what a manifest of ours says of checkpoints, other databases and times", () =>
    Effect.gen(function* () {
      const directory = yield* copyOf("basic")
      const added: Partial<Manifest.Manifest> = {
        checkpoints: [
          {
            id: "6bc42c16-2198-4823-a6cd-52bd46704f7a",
            manifestId: 4,
            expireTimeSeconds: undefined,
            createTimeSeconds: 1795392386,
            metadata: { _tag: "WriterCheckpoint", epoch: 1 },
            name: "before the tests"
          },
          {
            id: "00000000-0000-0000-0000-000000000001",
            manifestId: 5,
            expireTimeSeconds: 4_000_000_000,
            createTimeSeconds: 0,
            metadata: undefined,
            name: undefined
          }
        ],
        externalDbs: [
          {
            path: "elsewhere/db",
            sourceCheckpointId: "2d4217d1-d336-4dc6-9501-eda4f31add0b",
            finalCheckpointId: "cc99d02b-15a3-4ab0-a71f-785449602bd6",
            tableIds: ["01M82VKFKMATC8DTCSFMQXNQVY"]
          }
        ],
        lastCompactedViewId: "01M82VKD976JAVBX9ZGHPHK1MC",
        runs: [{ id: 7, tables: [] }],
        sequenceTracker: {
          sequences: [1, 2, 65, 66, 400, 5000, 1_000_000_000],
          seconds: [100, 160, 220, 290, 1_000, 1_795_392_000, 1_795_392_386]
        }
      }
      add(directory, "manifest", ManifestCodec.encode({ ...latestManifest(directory), ...added }))
      assert.deepStrictEqual(yield* rows(directory), FixtureStore.expectedScan("basic"))
      const kept = latestManifest(directory)
      assert.deepStrictEqual(
        {
          // The official engine drops the metadata of a checkpoint whenever it writes a manifest.
          checkpoints: kept.checkpoints,
          externalDbs: kept.externalDbs,
          lastCompactedViewId: kept.lastCompactedViewId,
          runs: kept.runs,
          sequenceTracker: kept.sequenceTracker
        },
        { ...added, checkpoints: added.checkpoints?.map((checkpoint) => ({ ...checkpoint, metadata: undefined })) }
      )
    })
  )

  it.live("hides the rows outside of a visible range of ours", () =>
    Effect.gen(function* () {
      const directory = yield* copyOf("waldisabled")
      const manifest = latestManifest(directory)
      const range = {
        start: { _tag: "Included", key: Buffer.from("key/00001") },
        end: { _tag: "Excluded", key: Buffer.from("key/00003") }
      } as const
      add(
        directory,
        "manifest",
        ManifestCodec.encode({ ...manifest, l0: manifest.l0.map((table) => ({ ...table, visibleRange: range })) })
      )
      assert.deepStrictEqual(
        (yield* rows(directory)).map(([key]) => key),
        ["key/00001", "key/00002"]
      )
      assert.deepStrictEqual(
        latestManifest(directory).l0.map((table) => table.visibleRange && table.visibleRange.start._tag),
        ["Included"]
      )
    })
  )

  it.live("opens a manifest of version 2, as our decoder reads it", () =>
    Effect.gen(function* () {
      const directory = yield* copyOf("compacted")
      const manifest = latestManifest(directory)
      const viewsOf = (tables: Manifest.Manifest["l0"]) =>
        tables.map(({ id, viewId, visibleRange }) => ({ tableId: id, viewId, visibleRange }))
      const bytes = FlatBufferCompiler.compile("manifest", ManifestTables.ManifestV2).encode(
        {
          ...manifest,
          manifestId: 0,
          tables: [...manifest.l0, ...manifest.runs.flatMap((run) => run.tables)],
          l0: viewsOf(manifest.l0),
          runs: manifest.runs.map((run) => ({ id: run.id, views: viewsOf(run.tables) })),
          segments: [],
          segmentExtractorName: undefined
        },
        2
      )
      bytes[1] = 2
      assert.deepStrictEqual(Result.getOrThrow(ManifestCodec.decode(bytes)), manifest)
      add(directory, "manifest", bytes)
      assert.deepStrictEqual(yield* rows(directory), FixtureStore.expectedScan("compacted"))
    })
  )

  it.live("goes on from a compactions file written by us", () =>
    Effect.gen(function* () {
      const directory = yield* copyOf("compacted")
      const before = latest(directory, "compactions")
      const compactions = Result.getOrThrow(CompactionsCodec.decode(before.bytes))
      add(directory, "compactions", CompactionsCodec.encode(compactions))
      const settings = { compactor_options: compactorOptions }
      assert.deepStrictEqual(yield* rows(directory, settings), FixtureStore.expectedScan("compacted"))
      const after = latest(directory, "compactions")
      assert.isAbove(after.id, before.id + 1)
      assert.deepStrictEqual(Result.getOrThrow(CompactionsCodec.decode(after.bytes)), {
        ...compactions,
        compactorEpoch: compactions.compactorEpoch + 1
      })
    })
  )

  it.live("performs a compaction that we submitted", () =>
    Effect.gen(function* () {
      const directory = yield* copyOf("l0s")
      const { l0 } = latestManifest(directory)
      mkdirSync(join(directory, "db", "compactions"))
      const submitted: Compactions.Compaction = {
        id: "01M82VKFK9KXG4JXSDP2TJFJVN",
        spec: {
          _tag: "Tiered",
          l0ViewIds: l0.map((table) => table.viewId),
          runIds: [],
          destination: undefined,
          segment: new Uint8Array(0)
        },
        status: "submitted",
        outputs: []
      }
      add(directory, "compactions", CompactionsCodec.encode({ ...Compactions.empty, compactions: [submitted] }))
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* OfficialEngine.open(directory, { compactor_options: compactorOptions })
          yield* Effect.sync(() => latestManifest(directory).runs.length).pipe(
            Effect.repeat({ until: (runs) => runs > 0, schedule: Schedule.spaced("20 millis") }),
            Effect.timeout("20 seconds")
          )
        })
      )
      const manifest = latestManifest(directory)
      assert.strictEqual(manifest.l0.length, 0)
      assert.strictEqual(manifest.lastCompactedViewId, l0[0]?.viewId)
      assert.deepStrictEqual(yield* rows(directory), FixtureStore.expectedScan("l0s"))
    })
  )
})

const compactorOptions = {
  poll_interval: "20ms",
  manifest_update_timeout: "300s",
  max_sst_size: 268_435_456,
  max_concurrent_compactions: 4,
  max_fetch_tasks: 4,
  scheduler_options: {}
}
