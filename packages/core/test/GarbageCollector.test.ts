/** The collector inside an open database, and the one beside it. */
import * as Checkpoint from "@effect-slatedb/core/Checkpoint"
import * as GarbageCollector from "@effect-slatedb/core/GarbageCollector"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as Fault from "@effect-slatedb/testkit/Fault"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as CompactionsStore from "../src/internal/store/CompactionsStore.ts"
import * as ManifestStore from "../src/internal/store/ManifestStore.ts"
import { StoreClock } from "../src/internal/store/StoreClock.ts"
import { TurnMeter } from "../src/internal/store/TurnMeter.ts"
import * as UlidSource from "../src/internal/store/UlidSource.ts"
import * as CollectionPass from "../src/internal/task/CollectionPass.ts"
import * as Collector from "./support/Collector.ts"
import * as OtherProcess from "./support/OtherProcess.ts"
import * as TestDb from "./support/TestDb.ts"

const { paths } = OtherProcess
const later = { awaitDurable: false } as const

const opened = Effect.gen(function* () {
  yield* TestClock.adjust("1000 days")
  const bucket = TestDb.bucket()
  const process = yield* TestDb.process(bucket)
  const db = yield* process.open({ manifestPollInterval: "1 minute", compactorPollInterval: "1 hour" })
  for (const key of ["a", "b", "c"]) {
    yield* db.put(key, "1", later)
    yield* TestDb.awaitWithTime(db.flush("memtable"))
  }
  return { bucket, process, db }
})

describe("in an open database", () => {
  it.effect("it collects at its interval, and status counts what went", () =>
    Effect.gen(function* () {
      const { bucket, db } = yield* opened
      const before = bucket.objects.size
      yield* TestClock.adjust("9 minutes")
      assert.strictEqual((yield* db.status).collectedObjects, 0)
      yield* TestClock.adjust("1 minute")
      const { collectedBytes, collectedObjects, warnings } = yield* db.status
      assert.isAbove(collectedObjects, 4)
      assert.isAbove(collectedBytes, 500)
      assert.deepStrictEqual(warnings, [])
      assert.strictEqual(bucket.objects.size, before - collectedObjects + 1, "a boundary came")
      assert.deepStrictEqual(yield* TestDb.lines(db, KeyRange.all), ["a=1", "b=1", "c=1"])
    })
  )

  it.effect("a pass that fails is told in status, and the next one does it; the database goes on", () =>
    Effect.gen(function* () {
      const { db, process } = yield* opened
      const rule = yield* process.faults.add({ operation: "list", path: "compacted/", fault: Fault.failBefore() })
      yield* TestClock.adjust("10 minutes")
      const failed = yield* db.status
      assert.strictEqual(failed.state, "open")
      assert.strictEqual(failed.collectedObjects, 0)
      assert.include(
        failed.warnings.join(),
        "the collector failed and will try again: object store unavailable: operation=list path=db/compacted/"
      )
      yield* rule.remove
      yield* TestClock.adjust("10 minutes")
      assert.isAbove((yield* db.status).collectedObjects, 4)
      assert.deepStrictEqual((yield* db.status).warnings, [])
      yield* TestDb.awaitWithTime(db.put("d", "1"))
    })
  )

  it.effect("a close does not wait for a store that hangs in a pass", () =>
    Effect.gen(function* () {
      const { db, process } = yield* opened
      yield* TestDb.awaitWithTime(db.flush("wal"))
      for (const operation of ["delete", "head"] as const) yield* process.faults.hold({ operation })
      yield* TestClock.adjust("11 minutes")
      yield* TestDb.awaitWithTime(db.close)
      assert.strictEqual((yield* db.status).closed?.kind, "clean")
    })
  )

  it.effect("it is not there where the settings say so", () =>
    Effect.gen(function* () {
      const process = yield* TestDb.alone
      const db = yield* process.open({ collectorEnabled: false })
      yield* TestClock.adjust("1 second")
      yield* process.faults.reset
      yield* TestClock.adjust("1 hour")
      assert.lengthOf(yield* process.faults.requests({ path: /compacted|wal|gc|probe/ }), 0)
      assert.strictEqual((yield* db.status).collectedObjects, 0)
    })
  )
})

describe("a pass", () => {
  it.effect("spares what a manifest names that is read in this process, though it is not the latest", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1000 days")
      const bucket = TestDb.bucket()
      const store = MemoryObjectStore.fromState(bucket)
      const ulids = yield* UlidSource.make
      const { db } = yield* Effect.map((yield* TestDb.process(bucket)).open({ collectorEnabled: false }), (db) => ({
        db
      }))
      yield* db.put("a", "1", later)
      yield* TestDb.awaitWithTime(db.flush("memtable"))
      const held = yield* OtherProcess.latest(bucket)
      for (const step of Collector.compaction(bucket, ulids)) yield* Effect.andThen(TestClock.adjust("1 minute"), step)
      yield* db.put("b", "1", later)
      yield* TestDb.awaitWithTime(db.flush("memtable"))
      yield* TestClock.adjust("1 hour")
      const clock = yield* Clock.Clock
      const options = {
        store,
        paths,
        ulids,
        clock,
        turns: new TurnMeter(clock),
        manifests: ManifestStore.make(store, paths, ulids),
        compactions: CompactionsStore.make(store, paths, ulids),
        storeClock: new StoreClock()
      }
      const request = { kinds: new Set(["compacted"] as const), minAgeMillis: 300_000, isDryRun: false }
      const run = (versions: ReadonlyArray<typeof held>) =>
        CollectionPass.run({ ...options, held: () => versions }, request, () => {})
      const table = paths.table(held.value.l0[0]?.id ?? "")
      yield* run([held])
      assert.isTrue(bucket.objects.has(table))
      yield* run([])
      assert.isFalse(bucket.objects.has(table))
    })
  )

  it.effect("reads registers beyond the end of a listing that lags", () =>
    Effect.gen(function* () {
      const { bucket, db } = yield* opened
      yield* TestDb.awaitWithTime(db.close)
      yield* TestClock.adjust("1 hour")
      const beside = yield* TestDb.process(bucket)
      yield* beside.faults.add({ operation: "list", path: /manifest|compactions/, fault: Fault.staleList("1 hour") })
      const ulids = yield* UlidSource.make
      // Made through the lagging process: its listings do not show them yet.
      const manifests = ManifestStore.make(beside.faults.store, paths, ulids)
      const compactions = CompactionsStore.make(beside.faults.store, paths, ulids)
      const known = yield* manifests.latest
      if (known === undefined) throw new Error("there is a database")
      yield* compactions.createFirst({ compactorEpoch: 1, compactions: [], readOnlyReason: undefined })
      const checkpoints = yield* Effect.provideService(
        Checkpoint.make({ path: "db" }),
        ObjectStore,
        beside.faults.store
      )
      const made = yield* checkpoints.create()
      assert.strictEqual((yield* manifests.latest)?.id, known.id)
      assert.strictEqual((yield* manifests.newest)?.id, made.manifestId)
      assert.isUndefined(yield* compactions.latest)
      assert.strictEqual((yield* compactions.newest)?.id, 1)
      const report = yield* Collector.collect(beside.faults.store)
      assert.isTrue(report.objects.every(({ path }) => path !== paths.manifests.path(made.manifestId)))
      yield* Collector.assertWhole(bucket)
    })
  )

  it.effect("refuses what this engine cannot write to, and where there is no database", () =>
    Effect.gen(function* () {
      const empty = yield* Effect.flip(Collector.collectAll(TestDb.bucket()))
      assert.deepInclude(empty.reason, { _tag: "Invalid", field: "path" })
      const { bucket } = yield* opened
      yield* OtherProcess.edit(bucket, (manifest) => ({ ...manifest, initialized: true }))
      const store = MemoryObjectStore.fromState(bucket)
      const { id } = yield* OtherProcess.latest(bucket)
      yield* store.put(paths.manifests.path(id + 1), new Uint8Array([0, 9, 1, 2, 3, 4]))
      const newer = yield* Effect.flip(Collector.collectAll(bucket))
      assert.strictEqual(newer.reason._tag, "Unsupported")
    })
  )
})

describe("as a layer", () => {
  it.effect("it collects beside the database until its scope ends", () =>
    Effect.gen(function* () {
      const { bucket, db } = yield* opened
      yield* TestDb.awaitWithTime(db.close)
      const store = MemoryObjectStore.fromState(bucket)
      const layer = GarbageCollector.layer({ path: "db", interval: "1 minute" }).pipe(
        Layer.provide(Layer.succeed(ObjectStore, store))
      )
      const manifests = () => TestDb.paths(bucket, paths.manifests.prefix).length
      const before = manifests()
      yield* Effect.scoped(Effect.andThen(Layer.build(layer), TestClock.adjust("7 minutes")))
      assert.strictEqual(manifests(), 1)
      assert.isAbove(before, 1)
      MemoryObjectStore.resetRequests(bucket)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(bucket.requests.list.count, 0)
    })
  )
})
