/**
 * Bad input, bad configuration and bad data: each gives its own clear, typed error,
 * and changes nothing in the store.
 */
import * as BlockCache from "@effect-slatedb/core/BlockCache"
import * as Db from "@effect-slatedb/core/Db"
import type * as DbError from "@effect-slatedb/core/DbError"
import type * as DbReader from "@effect-slatedb/core/DbReader"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as MergeOperator from "@effect-slatedb/core/MergeOperator"
import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import type * as Settings from "@effect-slatedb/core/Settings"
import * as WriteBatch from "@effect-slatedb/core/WriteBatch"
import { NodeCompression } from "@effect-slatedb/platform-node"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as FlatBufferCompiler from "../src/internal/format/FlatBufferCompiler.ts"
import { slot, U64 } from "../src/internal/format/FlatBufferSchema.ts"
import * as ManifestTables from "../src/internal/format/ManifestTables.ts"
import * as Manifest from "../src/internal/model/Manifest.ts"
import * as OtherProcess from "./support/OtherProcess.ts"
import * as TestDb from "./support/TestDb.ts"

/** Runs what must fail with a reason of this kind and these words, and must leave the bucket as it was. */
const refused = <A>(
  bucket: MemoryObjectStore.State,
  effect: Effect.Effect<A, DbError.DbError | DbError.KeyNotFound>,
  reason: DbError.Reason["_tag"],
  ...words: ReadonlyArray<string>
) =>
  Effect.gen(function* () {
    const before = new Map(bucket.objects)
    const error = yield* Effect.flip(effect)
    if (error._tag !== "DbError") return assert.fail(error._tag)
    assert.strictEqual(error.reason._tag, reason, error.message)
    for (const word of words) assert.include(error.message, word)
    assert.deepStrictEqual(new Map(bucket.objects), before)
    return error
  })

/** An open database with nothing in its buffer. */
const opened = Effect.fnUntraced(function* (settings?: Settings.Input) {
  const bucket = TestDb.bucket()
  const process = yield* TestDb.process(bucket)
  return { bucket, process, db: yield* process.open(settings) }
})

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

describe("a write", () => {
  const long = new Uint8Array(65_536).fill(1)

  it.effect("of an empty key is invalid, in every way to write", () =>
    Effect.gen(function* () {
      const { bucket, db } = yield* opened()
      for (const write of [
        db.put("", "v"),
        db.put(new Uint8Array(0), "v"),
        db.delete(""),
        db.merge("", "v"),
        db.write(WriteBatch.put(WriteBatch.empty, "", "v")),
        db.write(WriteBatch.delete(WriteBatch.put(WriteBatch.empty, "a", "v"), ""))
      ]) {
        yield* refused(bucket, write, "Invalid", "invalid key: must not be empty")
      }
      assert.strictEqual((yield* db.status).visibleSequence, 0)
    }).pipe(Effect.provideService(MergeOperator.MergeOperator, MergeOperator.append))
  )

  it.effect("of a key over 65,535 bytes is invalid, one of 65,535 is not", () =>
    Effect.gen(function* () {
      const { bucket, db } = yield* opened()
      const words = "invalid key: must be at most 65535 bytes: bytes=65536"
      yield* refused(bucket, db.put(long, "v"), "Invalid", words)
      yield* refused(bucket, db.delete(long), "Invalid", words)
      yield* refused(bucket, db.write(WriteBatch.delete(WriteBatch.empty, long)), "Invalid", words)
      // Text counts by its bytes.
      yield* refused(bucket, db.put("é".repeat(32_768), "v"), "Invalid", words)
      yield* TestDb.awaitWithTime(db.put(long.subarray(1), "longest"))
      assert.strictEqual(TestDb.text(yield* db.get(long.subarray(1))), "longest")
    })
  )

  it.effect("of a value of 4 GiB is invalid", () =>
    Effect.gen(function* () {
      // The system gives zeroed pages when they are touched, and nobody touches these.
      const value = new Uint8Array(2 ** 32)
      const { bucket, db } = yield* opened({ maxUnflushedBytes: 2 ** 40 })
      const words = "invalid value: must be below 4294967296 bytes: bytes=4294967296"
      yield* refused(bucket, db.put("k", value), "Invalid", words)
      yield* refused(bucket, db.write(WriteBatch.put(WriteBatch.empty, "k", value)), "Invalid", words)
    })
  )

  it.effect("that could never be admitted to memory is invalid, alone and as a batch", () =>
    Effect.gen(function* () {
      const { bucket, db } = yield* opened({ maxUnflushedBytes: 10_000, l0SstSizeBytes: 5000 })
      const half = "v".repeat(6000)
      const words = "must not be larger than settings.maxUnflushedBytes: bytes="
      yield* refused(bucket, db.put("k", half + half), "Invalid", `invalid value: ${words}12001 max=10000`)
      const batch = WriteBatch.fromEntries([
        ["a", half],
        ["b", half]
      ])
      yield* refused(bucket, db.write(batch), "Invalid", `invalid batch: ${words}12002 max=10000`)
    })
  )

  it.effect("with a ttl that is not a duration above 0 is invalid", () =>
    Effect.gen(function* () {
      const { bucket, db } = yield* opened()
      for (const ttl of [0, -1, "0 seconds"] as const) {
        yield* refused(
          bucket,
          db.put("k", "v", { ttl }),
          "Invalid",
          'invalid ttl: must be a duration above 0, or "none"'
        )
      }
    })
  )

  it.effect("of a merge operand without a merge operator is invalid, and so is reading one", () =>
    Effect.gen(function* () {
      const { bucket, db } = yield* opened()
      const words = "invalid merge operator: the database has none; provide MergeOperator.layer to merge"
      yield* refused(bucket, db.merge("k", "v"), "Invalid", words)
      yield* refused(bucket, db.write(WriteBatch.merge(WriteBatch.empty, "k", "v")), "Invalid", words)
      yield* db.close

      const merging = yield* openIn(bucket).pipe(
        Effect.provideService(MergeOperator.MergeOperator, MergeOperator.append)
      )
      yield* merging.merge("k", "v", { awaitDurable: false })
      yield* merging.close
      const without = yield* openIn(bucket)
      for (const read of [
        without.get("k"),
        without.getOption("k"),
        without.getMany(["k"]),
        Stream.runDrain(without.scan(KeyRange.all)),
        Stream.runDrain(without.scan(KeyRange.all, { order: "descending" }))
      ]) {
        yield* refused(bucket, read, "Invalid", "the key holds merge operands; provide MergeOperator.layer to read it")
      }
    })
  )

  it.effect("of a batch whose operands of one key expire at different times is invalid", () =>
    Effect.gen(function* () {
      const { bucket, db } = yield* opened()
      const batch = WriteBatch.merge(WriteBatch.merge(WriteBatch.empty, "k", "1", { ttl: "1 second" }), "k", "2")
      yield* refused(
        bucket,
        db.write(batch),
        "Invalid",
        "invalid batch: merge operands of one key have different expiry: key=6b"
      )
    }).pipe(Effect.provideService(MergeOperator.MergeOperator, MergeOperator.append))
  )
})

describe("a scan", () => {
  it.effect("of a range whose end sorts before its start is invalid", () =>
    Effect.gen(function* () {
      const { bucket, db } = yield* opened()
      const scan = db.scan(KeyRange.make({ from: "b", to: "a" }))
      yield* refused(bucket, Stream.runDrain(scan), "Invalid", "invalid range: `to` sorts before `from`")
      assert.deepStrictEqual(yield* TestDb.lines(db, KeyRange.make({ from: "a", to: "a" })), [])
    })
  )

  it.effect("with a limit or read-ahead that is not a whole number of at least 0 is invalid", () =>
    Effect.gen(function* () {
      const { bucket, db } = yield* opened()
      for (const field of ["limit", "readAheadBytes"] as const) {
        for (const value of [-1, 1.5, Number.NaN]) {
          const scan = Stream.runDrain(db.scan(KeyRange.all, { [field]: value }))
          yield* refused(bucket, scan, "Invalid", `invalid ${field}: must be a whole number of at least 0`, `=${value}`)
        }
      }
    })
  )
})

describe("flush", () => {
  it.effect("of the WAL is invalid where there is none", () =>
    Effect.gen(function* () {
      const { bucket, db } = yield* opened({ walEnabled: false })
      yield* refused(bucket, db.flush("wal"), "Invalid", "the WAL is off (settings.walEnabled); flush the memtable")
    })
  )
})

describe("opening", () => {
  it.effect("a path that leads elsewhere, or nowhere, is invalid", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const store = MemoryObjectStore.fromState(bucket)
      for (const [path, words] of [
        ["a/../b", "path has a '..' segment"],
        ["..", "path has a '..' segment"],
        ["a/./b", "path has a '.' segment"],
        ["", "path is empty"],
        ["/a", "path has an empty segment"],
        ["a/", "path has an empty segment"],
        ["a//b", "path has an empty segment"],
        ["a\nb", "control character"]
      ] as const) {
        const open = Db.make({ path }).pipe(Effect.provideService(ObjectStore.ObjectStore, store), Effect.scoped)
        yield* refused(bucket, open, "Invalid", "invalid path:", words)
      }
    })
  )

  it("without a store does not type-check: the requirement is in the type", () => {
    type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false
    const make: Same<Effect.Services<ReturnType<typeof Db.make>>, ObjectStore.ObjectStore | Scope.Scope> = true
    const layer: Same<Layer.Services<ReturnType<typeof Db.layer>>, ObjectStore.ObjectStore> = true
    const reader: Same<Effect.Services<ReturnType<typeof DbReader.make>>, ObjectStore.ObjectStore> = true
    assert.isTrue(make && layer && reader)
  })

  it.effect("with a setting out of its bounds is invalid, by name and bound", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const open = Effect.scoped(openIn(bucket, { blockSizeBytes: 1000 }))
      yield* refused(
        bucket,
        open,
        "Invalid",
        "invalid settings.blockSizeBytes:",
        "1024",
        "65536",
        "blockSizeBytes=1000"
      )
      const both = Effect.scoped(openIn(bucket, { maxUnflushedBytes: 100, l0SstSizeBytes: 100 }))
      yield* refused(bucket, both, "Invalid", "invalid settings.maxUnflushedBytes: must be above l0SstSizeBytes")
    })
  )

  it.effect("with a codec that no layer provides is unsupported, and names the layer", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      for (const compression of ["zlib", "zstd"] as const) {
        const words = `unsupported compression codec ${compression}: no layer provides it; add NodeCompression.layer`
        yield* refused(bucket, Effect.scoped(openIn(bucket, { compression })), "Unsupported", words)
      }
    })
  )

  it.effect("a store that lets an object be created twice is unsupported", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const inner = MemoryObjectStore.fromState(bucket)
      const careless = { ...inner, putIfAbsent: inner.put }
      const open = Db.make({ path: "db" }).pipe(Effect.provideService(ObjectStore.ObjectStore, careless), Effect.scoped)
      yield* refused(bucket, open, "Unsupported", "unsupported object store: create-if-absent is not honoured")
    })
  )

  it.effect("a store that does not answer, or denies, says so", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const inner = MemoryObjectStore.fromState(bucket)
      const failing = (reason: ObjectStore.Reason) => {
        const store = { ...inner, putIfAbsent: () => Effect.fail(ObjectStore.fail(reason)) }
        return Db.make({ path: "db" }).pipe(Effect.provideService(ObjectStore.ObjectStore, store), Effect.scoped)
      }
      const details = { operation: "putIfAbsent", path: "there" } as const
      yield* refused(bucket, failing(new ObjectStore.Unavailable(details)), "Unavailable", "path=there")
      yield* refused(bucket, failing(new ObjectStore.Denied(details)), "Invalid", "object store denies access")
      yield* refused(bucket, failing(new ObjectStore.Unsupported(details)), "Unsupported", "lacks a capability")
    })
  )
})

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
      const { bucket, db } = yield* opened()
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
