/**
 * Bad input and bad configuration: each gives its own clear, typed error, and changes
 * nothing in the store. What is wrong with data is in `DamagedData.test.ts`.
 */
import * as Db from "@effect-slatedb/core/Db"
import type * as DbReader from "@effect-slatedb/core/DbReader"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as MergeOperator from "@effect-slatedb/core/MergeOperator"
import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import type * as Settings from "@effect-slatedb/core/Settings"
import * as WriteBatch from "@effect-slatedb/core/WriteBatch"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestDb from "./support/TestDb.ts"

import { refused } from "./support/Refusal.ts"

/** An open database with nothing in its buffer. */
const opened = Effect.fnUntraced(function* (settings?: Settings.Input) {
  const bucket = TestDb.bucket()
  const process = yield* TestDb.process(bucket)
  return { bucket, process, db: yield* process.open(settings) }
})

const openIn = (bucket: MemoryObjectStore.State, settings?: Settings.Input) =>
  Effect.flatMap(TestDb.process(bucket), (process) => process.open(settings))

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

  it.effect("a store that refuses every create has not passed for refusing the second", () =>
    Effect.gen(function* () {
      const details = { operation: "putIfAbsent", path: "there" } as const
      const bucket = TestDb.bucket()
      const refusing = {
        ...MemoryObjectStore.fromState(bucket),
        putIfAbsent: () => Effect.fail(ObjectStore.fail(new ObjectStore.AlreadyExists(details)))
      }
      const open = Db.make({ path: "db" }).pipe(Effect.provideService(ObjectStore.ObjectStore, refusing), Effect.scoped)
      yield* refused(bucket, open, "Invalid", "path=there")
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
