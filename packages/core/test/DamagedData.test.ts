/**
 * Databases that are damaged, unfinished, or of another kind: each is refused by a
 * clear, typed error that names the object, and is left as it is.
 */
import * as BlockCache from "@effect-slatedb/core/BlockCache"
import type * as DbError from "@effect-slatedb/core/DbError"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import type * as Settings from "@effect-slatedb/core/Settings"
import { NodeCompression } from "@effect-slatedb/platform-node"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as FlatBufferCompiler from "../src/internal/format/FlatBufferCompiler.ts"
import { slot, U64 } from "../src/internal/format/FlatBufferSchema.ts"
import * as ManifestTables from "../src/internal/format/ManifestTables.ts"
import * as Manifest from "../src/internal/model/Manifest.ts"
import * as OtherProcess from "./support/OtherProcess.ts"
import * as TestDb from "./support/TestDb.ts"

import { refused } from "./support/Refusal.ts"

/** A bucket with a database that was closed. `wals` rows, each in a WAL object of its own, 2 and up. */
const closed = Effect.fnUntraced(function* (wals: number, settings?: Settings.Input) {
  const bucket = TestDb.bucket()
  const db = yield* (yield* TestDb.process(bucket)).open(settings)
  for (let i = 0; i < wals; i++) {
    yield* db.put(`k${i}`, "v".repeat(50), { awaitDurable: false })
    yield* db.flush("wal")
  }
  yield* db.close
  return bucket
})

const openIn = (bucket: MemoryObjectStore.State, settings?: Settings.Input) =>
  Effect.flatMap(TestDb.process(bucket), (process) => process.open(settings))

const readerIn = (bucket: MemoryObjectStore.State) =>
  Effect.flatMap(TestDb.process(bucket), (process) => process.reader())

describe("a database that cannot be opened", () => {
  /** Refused as a writer opens it, and as a reader does. */
  const bothRefused = (
    bucket: MemoryObjectStore.State,
    reason: DbError.Reason["_tag"],
    ...words: ReadonlyArray<string>
  ) =>
    Effect.gen(function* () {
      yield* refused(bucket, Effect.scoped(openIn(bucket)), reason, ...words)
      yield* refused(bucket, readerIn(bucket), reason, ...words)
    })

  const manifestPath = OtherProcess.paths.manifests.path(1)
  const bucketWithManifest = (version: number, table: Uint8Array) =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      table[0] = version >> 8
      table[1] = version & 0xff
      yield* MemoryObjectStore.fromState(bucket).put(manifestPath, table)
      return bucket
    })
  const { hasSeparateWalStore: _, readOnlyReason: __, ...same } = Manifest.empty
  const v1 = { ...same, manifestId: 0, walObjectStoreUri: undefined }
  const compiledV1 = FlatBufferCompiler.compile("manifest", ManifestTables.ManifestV1)

  it.effect("has a manifest of another version", () =>
    Effect.gen(function* () {
      const bucket = yield* bucketWithManifest(3, compiledV1.encode(v1, 2))
      yield* bothRefused(bucket, "Unsupported", `manifest`, `object=${manifestPath} supported=1 or 2 found=3`)
    })
  )

  it.effect("has a manifest with what only a newer engine knows: it is read, and not written", () =>
    Effect.gen(function* () {
      const newer = FlatBufferCompiler.compile(
        "manifest",
        Schema.Struct({ ...ManifestTables.ManifestV1.fields, future: slot(16, U64) })
      )
      const bucket = yield* bucketWithManifest(1, newer.encode({ ...v1, future: 1 }, 2))
      const words = "it holds what only a newer engine knows: manifest slot=16"
      yield* refused(bucket, Effect.scoped(openIn(bucket)), "Unsupported", words)
      assert.deepStrictEqual(yield* TestDb.lines(yield* readerIn(bucket), KeyRange.all), [])
    })
  )

  it.effect("routes keys to segments", () =>
    Effect.gen(function* () {
      const v2 = FlatBufferCompiler.compile("manifest", ManifestTables.ManifestV2)
      const segments = [{ prefix: new Uint8Array([1]), lastCompactedViewId: undefined, l0: [], runs: [] }]
      const table = { ...same, manifestId: 0, tables: [], l0: [], runs: [], segments }
      const bucket = yield* bucketWithManifest(2, v2.encode(table, 2))
      yield* refused(bucket, Effect.scoped(openIn(bucket)), "Unsupported", "path=db it has segments: 1")
      yield* refused(bucket, readerIn(bucket), "Unsupported", "unsupported segments: path=db routes keys to segments")
    })
  )

  it.effect("keeps its WAL in another store", () =>
    Effect.gen(function* () {
      const bucket = yield* bucketWithManifest(1, compiledV1.encode({ ...v1, walObjectStoreUri: "" }, 2))
      yield* bothRefused(bucket, "Unsupported", "separate WAL store: path=db keeps its WAL in another store")
    })
  )

  it.effect("is an unfinished clone", () =>
    Effect.gen(function* () {
      const bucket = yield* bucketWithManifest(1, compiledV1.encode({ ...v1, initialized: false }, 2))
      yield* bothRefused(bucket, "Invalid", "invalid path: path=db holds an unfinished clone; finish the clone")
    })
  )

  it.effect("has a damaged manifest", () =>
    Effect.gen(function* () {
      const bucket = yield* bucketWithManifest(1, compiledV1.encode(v1, 2).fill(0xff, 2, 6))
      yield* bothRefused(bucket, "Corrupt", `object=${manifestPath} offset=2`)
    })
  )

  it.effect("lacks a WAL object in the middle", () =>
    Effect.gen(function* () {
      const bucket = yield* closed(4)
      const gone = OtherProcess.paths.wals.path(3)
      yield* MemoryObjectStore.fromState(bucket).delete(gone)
      yield* bothRefused(
        bucket,
        "Corrupt",
        `object=${gone}`,
        "expected=a WAL object, as ids are contiguous found=nothing"
      )
    })
  )

  it.effect("has a WAL object with a damaged block", () =>
    Effect.gen(function* () {
      const bucket = yield* closed(3)
      const path = OtherProcess.paths.wals.path(3)
      yield* OtherProcess.damage(bucket, path, (bytes) => bytes.fill(0xff, 20, 22))
      yield* bothRefused(bucket, "Corrupt", `corrupt object: object=${path} offset=`)
    })
  )

  it.effect("has a WAL object cut short", () =>
    Effect.gen(function* () {
      const bucket = yield* closed(3)
      const path = OtherProcess.paths.wals.path(3)
      yield* OtherProcess.damage(bucket, path, (bytes) => bytes.subarray(0, 8))
      yield* bothRefused(bucket, "Corrupt", `object=${path}`)
    })
  )

  it.effect("has a WAL object in the place of another", () =>
    Effect.gen(function* () {
      const bucket = yield* closed(3)
      const [second, third] = [2, 3].map(OtherProcess.paths.wals.path)
      const copied = bucket.objects.get(second ?? "")?.bytes ?? new Uint8Array(0)
      yield* OtherProcess.damage(bucket, third ?? "", () => copied)
      yield* bothRefused(bucket, "Corrupt", `object=${third}`, "expected=row sequence above 1 found=1")
    })
  )

  it.effect("is stored with a codec that is not at hand, in the WAL or in tables", () =>
    Effect.gen(function* () {
      for (const isFlushed of [false, true]) {
        const bucket = TestDb.bucket()
        yield* Effect.gen(function* () {
          const db = yield* openIn(bucket, { compression: "zstd" })
          yield* db.put("k", "v".repeat(100), { awaitDurable: false })
          if (isFlushed) yield* db.flush("memtable")
        }).pipe(Effect.scoped, Effect.provide(NodeCompression.layer))
        yield* refused(bucket, Effect.scoped(openIn(bucket)), "Unsupported", "zstd", "NodeCompression.layer")
      }
    })
  )

  it.effect("a writer that is at work on it goes on", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const db = yield* openIn(bucket)
      for (const key of ["a", "b", "c"]) {
        yield* db.put(key, "1", { awaitDurable: false })
        yield* db.flush("wal")
      }
      yield* MemoryObjectStore.fromState(bucket).delete(OtherProcess.paths.wals.path(3))
      yield* refused(bucket, Effect.scoped(openIn(bucket)), "Corrupt", OtherProcess.paths.wals.path(3))
      yield* TestDb.awaitWithTime(db.put("d", "1"))
      assert.strictEqual((yield* db.status).state, "open")
    })
  )
})

describe("a damaged table", () => {
  const rows = 200
  const damaged = (change: (bytes: Uint8Array) => Uint8Array) =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const db = yield* openIn(bucket, { blockSizeBytes: 1024, minFilterKeys: 1 })
      for (let i = 0; i < rows; i++) yield* db.put(`k${1000 + i}`, "v".repeat(1000), { awaitDurable: false })
      yield* db.flush("memtable")
      yield* db.put("k1100", "older versions must not show", { awaitDurable: false })
      yield* db.flush("memtable")
      const { l0 } = yield* OtherProcess.manifest(bucket)
      const path = OtherProcess.paths.table(l0[1]?.id ?? "")
      yield* OtherProcess.damage(bucket, path, change)
      return { bucket, db, path }
    }).pipe(Effect.provideService(BlockCache.BlockCache, BlockCache.makeMemory({ blockBytesMax: 0, metaBytesMax: 0 })))

  it.effect("in a block: reads that need the block fail and name the place, others do not", () =>
    Effect.gen(function* () {
      const { bucket, db, path } = yield* damaged((bytes) => bytes.fill(0xff, 500, 502))
      const words = [`corrupt object: object=${path} offset=`, "expected=block crc"]
      yield* refused(bucket, db.get("k1000"), "Corrupt", ...words)
      yield* refused(bucket, db.getOption("k1000"), "Corrupt", ...words)
      yield* refused(bucket, db.getMany(["k1150", "k1000"]), "Corrupt", ...words)
      yield* refused(bucket, TestDb.lines(db, KeyRange.all), "Corrupt", ...words)
      yield* refused(bucket, TestDb.lines(db, KeyRange.all, { order: "descending" }), "Corrupt", ...words)
      assert.strictEqual(TestDb.text(yield* db.get("k1150")), "v".repeat(1000))
      assert.lengthOf(yield* TestDb.lines(db, KeyRange.make({ from: "k1150" })), 50)
      assert.strictEqual((yield* db.status).state, "open")
    })
  )

  it.effect("in its filter and index: every read of the table fails", () =>
    Effect.gen(function* () {
      const { bucket, db, path } = yield* damaged((bytes) => bytes.fill(0xff, bytes.length - 5000, bytes.length - 4998))
      yield* refused(bucket, db.get("k1150"), "Corrupt", `object=${path}`)
      yield* refused(bucket, TestDb.lines(db, KeyRange.all), "Corrupt", `object=${path}`)
    })
  )

  it.effect("cut short", () =>
    Effect.gen(function* () {
      const { bucket, db, path } = yield* damaged((bytes) => bytes.subarray(0, 100_000))
      yield* refused(bucket, db.get("k1150"), "Corrupt", `object=${path}`)
      yield* refused(bucket, TestDb.lines(db, KeyRange.all), "Corrupt", `object=${path}`)
    })
  )

  it.effect("gone", () =>
    Effect.gen(function* () {
      const { bucket, db, path } = yield* damaged((bytes) => bytes)
      yield* MemoryObjectStore.fromState(bucket).delete(path)
      yield* refused(bucket, db.get("k1150"), "Corrupt", `object=${path} offset=0 expected=an object found=nothing`)
      assert.strictEqual((yield* db.status).state, "open")
    })
  )
})
