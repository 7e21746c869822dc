/**
 * L9: a collector deletes only what no live manifest, checkpoint or running compaction names, and
 * only past its age.
 */
import * as Admin from "@effect-slatedb/core/Admin"
import * as Checkpoint from "@effect-slatedb/core/Checkpoint"
import * as GarbageCollector from "@effect-slatedb/core/GarbageCollector"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as Fault from "@effect-slatedb/testkit/Fault"
import * as FaultyObjectStore from "@effect-slatedb/testkit/FaultyObjectStore"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as UlidSource from "../../src/internal/store/UlidSource.ts"
import * as WalStore from "../../src/internal/store/WalStore.ts"
import * as Collector from "../support/Collector.ts"
import * as OtherProcess from "../support/OtherProcess.ts"
import * as TestDb from "../support/TestDb.ts"

const { paths } = OtherProcess

/** Opens, writes each key into a table of its own, and closes. */
const fill = Effect.fnUntraced(function* (bucket: MemoryObjectStore.State, keys: ReadonlyArray<string>) {
  yield* Effect.scoped(
    Effect.gen(function* () {
      const db = yield* (yield* TestDb.process(bucket)).open({ collectorEnabled: false })
      for (const key of keys) {
        yield* db.put(key, key.toUpperCase(), { awaitDurable: false })
        yield* TestDb.awaitWithTime(db.flush("memtable"))
      }
      yield* TestDb.awaitWithTime(db.close)
    })
  )
})

/** A database with garbage of each kind, all of it old. */
const withGarbage = Effect.gen(function* () {
  yield* TestClock.adjust("1000 days")
  const bucket = TestDb.bucket()
  const ulids = yield* UlidSource.make
  yield* fill(bucket, ["a", "b"])
  for (const step of Collector.compaction(bucket, ulids)) yield* Effect.andThen(TestClock.adjust("1 minute"), step)
  yield* fill(bucket, ["c", "d"])
  yield* TestClock.adjust("1 hour")
  return bucket
})

const objects = (bucket: MemoryObjectStore.State) => Array.from(bucket.objects.keys()).toSorted()

const faultsOf = (bucket: MemoryObjectStore.State) =>
  Effect.gen(function* () {
    const admin = yield* Effect.provideService(
      Admin.make({ path: "db" }),
      ObjectStore,
      MemoryObjectStore.fromState(bucket)
    )
    const checked = yield* Stream.runCollect(admin.check)
    return Array.from(checked).flatMap(({ faults, object }) => faults.map(({ detail }) => `${object}: ${detail}`))
  })

describe("what goes and what stays", () => {
  it.effect("goes: what nothing needs; and then there is nothing to do", () =>
    Effect.gen(function* () {
      const bucket = yield* withGarbage
      const before = objects(bucket)
      const dry = yield* Collector.collect(MemoryObjectStore.fromState(bucket), { dryRun: true })
      assert.deepStrictEqual(objects(bucket), before)
      const report = yield* Collector.collectAll(bucket)
      assert.deepStrictEqual(report, dry)
      const gone = report.objects.map(({ path }) => path)
      assert.deepStrictEqual(
        objects(bucket),
        [
          ...before.filter((path) => !gone.includes(path)),
          paths.boundary("compactions"),
          paths.boundary("manifest")
        ].toSorted()
      )
      const count = (kind: string) => report.objects.filter((object) => object.kind === kind).length
      assert.deepStrictEqual(["compacted", "compactions", "fence"].map(count), [2, 1, 0])
      assert.isAbove(count("wal"), 1)
      assert.isAbove(count("manifest"), 5)
      yield* Collector.assertWhole(bucket)
      assert.deepStrictEqual(yield* faultsOf(bucket), [])
      assert.deepStrictEqual(yield* Collector.collectAll(bucket), { checkpoints: [], objects: [] })
    })
  )

  it.effect("stays: what a checkpoint pins, until the checkpoint has expired and was removed", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      yield* TestClock.adjust("1000 days")
      yield* fill(bucket, ["a", "b"])
      const store = MemoryObjectStore.fromState(bucket)
      const checkpoints = yield* Effect.provideService(Checkpoint.make({ path: "db" }), ObjectStore, store)
      const { manifestId } = yield* checkpoints.create({ lifetime: "2 hours" })
      const pinned = yield* OtherProcess.version(bucket, manifestId)
      const ulids = yield* UlidSource.make
      for (const step of Collector.compaction(bucket, ulids)) yield* Effect.andThen(TestClock.adjust("1 minute"), step)
      yield* fill(bucket, ["c"])
      yield* TestClock.adjust("1 hour")
      yield* Collector.collectAll(bucket)
      assert.isTrue(bucket.objects.has(paths.manifests.path(manifestId)))
      for (const { id } of pinned.l0) assert.isTrue(bucket.objects.has(paths.table(id)))
      yield* Collector.assertWhole(bucket)
      yield* TestClock.adjust("1 hour")
      const report = yield* Collector.collectAll(bucket)
      assert.lengthOf(report.checkpoints, 1)
      assert.lengthOf(yield* checkpoints.list(), 0)
      for (const { id } of pinned.l0) assert.isFalse(bucket.objects.has(paths.table(id)))
      assert.isFalse(bucket.objects.has(paths.manifests.path(manifestId)))
      assert.deepStrictEqual(yield* faultsOf(bucket), [])
    })
  )

  it.effect("nothing goes while something that is pinned cannot be read", () =>
    Effect.gen(function* () {
      const bucket = yield* withGarbage
      yield* OtherProcess.edit(bucket, (manifest) => ({
        ...manifest,
        checkpoints: [
          {
            id: "00000000-0000-4000-8000-000000000000",
            manifestId: 999,
            expireTimeSeconds: undefined,
            createTimeSeconds: 1,
            metadata: undefined,
            name: undefined
          }
        ]
      }))
      const before = objects(bucket)
      const { reason } = yield* Effect.flip(Collector.collectAll(bucket))
      assert.deepInclude(reason, { _tag: "Corrupt", object: paths.manifests.path(999) })
      assert.deepStrictEqual(objects(bucket), before)
    })
  )

  it.effect("the orphan of a flush goes when level 0 is past it, with and without a compactor's register", () =>
    Effect.gen(function* () {
      for (const epoch of [0, 1]) {
        const bucket = TestDb.bucket()
        yield* TestClock.adjust("1000 days")
        const ulids = yield* UlidSource.make
        yield* fill(bucket, ["a"])
        const [named] = (yield* OtherProcess.manifest(bucket)).l0
        yield* TestClock.adjust("1 minute")
        const orphan = yield* OtherProcess.storeTable(
          bucket,
          ulids.next(),
          OtherProcess.rows(bucket, paths.table(named?.id ?? ""))
        )
        yield* TestClock.adjust("1 hour")
        yield* Collector.collectAll(bucket)
        assert.isTrue(bucket.objects.has(paths.table(orphan.id)), "a flush may be about to name it")
        yield* OtherProcess.edit(bucket, (manifest) => ({ ...manifest, compactorEpoch: epoch }))
        yield* fill(bucket, ["b"])
        yield* TestClock.adjust("1 hour")
        yield* Collector.collectAll(bucket)
        // A compactor without a register may be about to name it, too.
        assert.strictEqual(bucket.objects.has(paths.table(orphan.id)), epoch === 1)
        yield* Collector.assertWhole(bucket)
      }
    })
  )
})

describe("the evidence of fences", () => {
  it.effect("a writer that slept without a lease still runs into its successor's fence", () =>
    Effect.gen(function* () {
      const bucket = yield* withGarbage
      yield* TestClock.adjust("365 days")
      yield* Collector.collectAll(bucket)
      const wals = WalStore.make(MemoryObjectStore.fromState(bucket), paths)
      const { replayAfterWalId } = yield* OtherProcess.manifest(bucket)
      // The second writer opened behind the two objects of the first one and its fence.
      assert.isAbove(replayAfterWalId, 4)
      assert.isFalse(yield* wals.create(4, new Uint8Array(200), "slept"))
      assert.isTrue(yield* wals.create(3, new Uint8Array(200), "the log itself is gone"))
      yield* Collector.collect(MemoryObjectStore.fromState(bucket), { kinds: ["fence"] })
      assert.isFalse(bucket.objects.has(paths.wals.path(4)), "unless they are asked for")
    })
  )

  it.effect("a writer that slept cannot take a deleted manifest's number, and the boundary never goes down", () =>
    Effect.gen(function* () {
      const bucket = yield* withGarbage
      const store = MemoryObjectStore.fromState(bucket)
      const faults = yield* FaultyObjectStore.make(store)
      yield* Collector.collect(faults.store)
      const trace = yield* faults.requests({ path: /gc\/manifest|manifest\/0/ })
      const writes = trace.filter(({ operation }) => operation !== "get" && operation !== "list")
      assert.strictEqual(writes[0]?.path, paths.boundary("manifest"), "it is raised before the first delete")
      const { id } = yield* OtherProcess.latest(bucket)
      assert.strictEqual(TestDb.text(yield* store.get(paths.boundary("manifest"))), String(id - 1))
      yield* fill(bucket, ["e"])
      yield* TestClock.adjust("1 hour")
      yield* store.put(paths.boundary("manifest"), new TextEncoder().encode("1000"))
      assert.isAbove((yield* Collector.collectAll(bucket)).objects.length, 0)
      assert.strictEqual(TestDb.text(yield* store.get(paths.boundary("manifest"))), "1000")
    })
  )

  it.effect("a lesser boundary that another collector put meanwhile is lifted again", () =>
    Effect.gen(function* () {
      const bucket = yield* withGarbage
      const store = MemoryObjectStore.fromState(bucket)
      const faults = yield* FaultyObjectStore.make(store)
      const gate = yield* faults.hold({ operation: "delete", path: "manifest/", times: 1 })
      const collecting = yield* Effect.forkChild(Collector.collect(faults.store))
      yield* gate.reached()
      yield* store.put(paths.boundary("manifest"), new TextEncoder().encode("2"))
      yield* gate.open
      yield* Fiber.join(collecting)
      const { id } = yield* OtherProcess.latest(bucket)
      assert.strictEqual(TestDb.text(yield* store.get(paths.boundary("manifest"))), String(id - 1))
    })
  )
})

/** Another clock than the test's, which the store goes on with. */
const ahead = (clock: Clock.Clock, millis: number): Clock.Clock => ({
  ...clock,
  currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + millis,
  currentTimeMillis: Effect.sync(() => clock.currentTimeMillisUnsafe() + millis),
  monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
  sleep: (duration) => clock.sleep(duration)
})

const byClock = (store: ObjectStore["Service"], clock: Clock.Clock): ObjectStore["Service"] => {
  const on = Effect.provideService(Clock.Clock, clock)
  return {
    ...store,
    put: (path, body) => on(store.put(path, body)),
    putIfAbsent: (path, body, options) => on(store.putIfAbsent(path, body, options))
  }
}

describe("age", () => {
  it.effect("is not judged by a local clock: one that jumped deletes nothing and removes no checkpoint", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1000 days")
      const bucket = TestDb.bucket()
      yield* fill(bucket, ["a", "b"])
      const store = MemoryObjectStore.fromState(bucket)
      const checkpoints = yield* Effect.provideService(Checkpoint.make({ path: "db" }), ObjectStore, store)
      const { id } = yield* checkpoints.create({ lifetime: "1 minute" })
      yield* fill(bucket, ["c"])
      const before = objects(bucket)
      const clock = yield* Clock.Clock
      const jumped = Collector.collect(byClock(store, clock)).pipe(
        Effect.provideService(Clock.Clock, ahead(clock, 365 * 86_400_000))
      )
      assert.deepStrictEqual(yield* jumped, { checkpoints: [], objects: [] })
      assert.deepStrictEqual(objects(bucket), before)
      assert.deepStrictEqual(
        (yield* checkpoints.list()).map((checkpoint) => checkpoint.id),
        [id]
      )
      // Nor by the store's alone: what is behind decides.
      const behind = Collector.collect(byClock(store, ahead(clock, 365 * 86_400_000)))
      assert.deepStrictEqual(yield* behind, { checkpoints: [], objects: [] })
    })
  )

  it.effect("of a table whose name is older than it is, as its writer's clock went back", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1000 days")
      const bucket = TestDb.bucket()
      const ulids = yield* UlidSource.make
      const early = ulids.next()
      yield* TestClock.adjust("1 hour")
      yield* fill(bucket, ["a"])
      const [named] = (yield* OtherProcess.manifest(bucket)).l0
      yield* OtherProcess.storeTable(bucket, early, OtherProcess.rows(bucket, paths.table(named?.id ?? "")))
      yield* TestClock.adjust("5 minutes")
      yield* Collector.collectAll(bucket)
      assert.isTrue(bucket.objects.has(paths.table(early)))
      yield* TestClock.adjust("1 millis")
      yield* Collector.collectAll(bucket)
      assert.isFalse(bucket.objects.has(paths.table(early)))
    })
  )

  it.effect("is at least three leases", () =>
    Effect.gen(function* () {
      const bucket = yield* withGarbage
      const store = MemoryObjectStore.fromState(bucket)
      const { reason } = yield* Effect.flip(Collector.collect(store, { minAge: "179s" }))
      assert.deepInclude(reason, { _tag: "Invalid", field: "minAge" })
      yield* Collector.collect(store, { minAge: "180s" })
    })
  )
})

describe("readers", () => {
  it.effect("a scan that pauses for an hour between chunks, while all is compacted and collected, ends well", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1000 days")
      const bucket = TestDb.bucket()
      const ulids = yield* UlidSource.make
      const db = yield* (yield* TestDb.process(bucket)).open({
        manifestPollInterval: "1 minute",
        compactorPollInterval: "1 hour"
      })
      const lines: Array<string> = []
      for (let round = 0; round < 3; round++) {
        for (let i = 0; i < 700; i++) {
          const key = String(3 * i + round).padStart(4, "0")
          lines.push(`${key}=${round}`)
          yield* db.put(key, String(round), { awaitDurable: false })
        }
        yield* TestDb.awaitWithTime(db.flush("memtable"))
      }
      yield* Effect.scoped(
        Effect.gen(function* () {
          const pull = yield* Stream.toPull(db.scan(KeyRange.all))
          const found: Array<string> = []
          const tables = new Set((yield* OtherProcess.manifest(bucket)).l0.map(({ id }) => id))
          const chunk = Effect.map(pull, (entries) => {
            for (const { key, value } of entries) found.push(`${TestDb.text(key)}=${TestDb.text(value)}`)
            return true
          }).pipe(Pull.catchDone(() => Effect.succeed(false)))
          for (let i = 0; yield* TestDb.awaitWithTime(chunk); i++) {
            for (const step of Collector.compaction(bucket, ulids)) yield* step
            yield* db.put("9999", String(i), { awaitDurable: false })
            yield* TestDb.awaitWithTime(db.flush("memtable"))
            yield* TestClock.adjust("1 hour")
            yield* Collector.assertWhole(bucket, `after chunk ${i}`)
          }
          assert.deepStrictEqual(found, lines.toSorted())
          for (const id of tables) assert.isFalse(bucket.objects.has(paths.table(id)), "its first tables are gone")
          assert.isAbove((yield* db.status).collectedObjects, 3)
        })
      )
    })
  )
})

/** Runs steps of a process while a collector stands before its request `held`; an hour passes with each step. */
const interleaved = Effect.fnUntraced(function* (options: {
  readonly ground: MemoryObjectStore.State
  readonly script: (
    bucket: MemoryObjectStore.State,
    ulids: UlidSource.UlidSource
  ) => ReadonlyArray<Effect.Effect<void, unknown>>
  readonly before: number
  readonly during: number
  readonly held: number
}) {
  const bucket = MemoryObjectStore.copyState(options.ground)
  const faults = yield* FaultyObjectStore.make(MemoryObjectStore.fromState(bucket))
  const steps = options.script(bucket, yield* UlidSource.make)
  const step = (effect: Effect.Effect<void, unknown>) => Effect.andThen(effect, TestClock.adjust("1 hour"))
  for (const effect of steps.slice(0, options.before)) yield* step(effect)
  const gate = yield* faults.hold({ skip: options.held, times: 1 })
  const collecting = yield* Effect.forkChild(Collector.collect(faults.store), { startImmediately: true })
  yield* TestClock.adjust(1)
  const isHeld = (yield* gate.waiting) > 0
  for (const effect of steps.slice(options.before, options.before + options.during)) yield* step(effect)
  yield* gate.open
  const report = yield* Fiber.join(collecting)
  const when = JSON.stringify({ ...options, ground: undefined })
  yield* Collector.assertWhole(bucket, `after ${when}`)
  for (const effect of steps.slice(options.before + options.during)) yield* step(effect)
  yield* Collector.assertWhole(bucket, `at the end of ${when}`)
  return { isHeld, tables: report.objects.filter(({ kind }) => kind === "compacted").length }
})

describe("whatever others do between two requests of a pass, nothing that is named goes", () => {
  const flush = (bucket: MemoryObjectStore.State, ulids: UlidSource.UlidSource) => {
    const id = ulids.next()
    const stored: Array<Effect.Success<ReturnType<typeof OtherProcess.storeTable>>> = []
    return [
      Effect.gen(function* () {
        const [newest] = (yield* OtherProcess.manifest(bucket)).l0
        stored.push(
          yield* OtherProcess.storeTable(bucket, id, OtherProcess.rows(bucket, paths.table(newest?.id ?? "")))
        )
      }),
      OtherProcess.edit(bucket, (manifest) => ({
        ...manifest,
        l0: [...stored, ...manifest.l0],
        lastL0Sequence: manifest.lastL0Sequence + 1
      }))
    ]
  }

  const pin = (bucket: MemoryObjectStore.State) => {
    const store = MemoryObjectStore.fromState(bucket)
    const checkpoints = Effect.provideService(Checkpoint.make({ path: "db" }), ObjectStore, store)
    let source = ""
    return [
      Effect.flatMap(checkpoints, (all) =>
        Effect.map(all.create({ lifetime: "90 minutes" }), ({ id }) => void (source = id))
      ),
      Effect.suspend(() =>
        Effect.asVoid(
          OtherProcess.edit(bucket, (manifest) => ({
            ...manifest,
            l0: manifest.l0.slice(0, 0),
            lastCompactedViewId: manifest.l0[0]?.viewId
          }))
        )
      ),
      Effect.flatMap(checkpoints, (all) => Effect.ignore(all.create({ source })))
    ]
  }

  it.effect.each([
    ["a compaction", Collector.compaction],
    ["a flush", flush],
    ["a checkpoint made from one that expires", pin]
  ] as const)("%s", ([, script]) =>
    Effect.gen(function* () {
      const ground = yield* withGarbage
      const steps = script(ground, yield* UlidSource.make).length
      let tables = 0
      for (let before = 0; before <= steps; before++) {
        for (let during = before === steps ? 0 : 1; before + during <= steps; during++) {
          for (let held = 0; ; held++) {
            const outcome = yield* interleaved({ ground, script, before, during, held })
            tables += outcome.tables
            if (!outcome.isHeld) break
          }
        }
      }
      assert.isAbove(tables, 20, "tables were collected")
    })
  )
})

describe("a pass that is broken off", () => {
  it.effect.each(["failed before", "failed after", "interrupted"] as const)(
    "%s, at any request, has harmed nothing, and the next one does the rest",
    (how) =>
      Effect.gen(function* () {
        const ground = yield* withGarbage
        const sound = MemoryObjectStore.copyState(ground)
        yield* Collector.collectAll(sound)
        for (let request = 0; ; request++) {
          const bucket = MemoryObjectStore.copyState(ground)
          const faults = yield* FaultyObjectStore.make(MemoryObjectStore.fromState(bucket))
          const at = { skip: request, times: 1 }
          const gate = how === "interrupted" ? yield* faults.hold(at) : undefined
          if (how !== "interrupted") {
            yield* faults.add({ ...at, fault: how === "failed before" ? Fault.failBefore() : Fault.failAfter() })
          }
          const collecting = yield* Effect.forkChild(Effect.exit(Collector.collect(faults.store)))
          yield* TestClock.adjust(1)
          if (gate === undefined) yield* Fiber.join(collecting)
          else yield* Fiber.interrupt(collecting)
          yield* Collector.assertWhole(bucket, `after request ${request}`)
          assert.deepStrictEqual(yield* faultsOf(bucket), [])
          const isOver = (yield* faults.requests()).length <= request
          yield* Collector.collectAll(bucket)
          const kept = (path: string) => !path.includes("/.probe/")
          assert.deepStrictEqual(objects(bucket).filter(kept), objects(sound))
          if (isOver) break
        }
      })
  )
})

describe("kinds", () => {
  it.effect("only those that are asked for are deleted", () =>
    Effect.gen(function* () {
      const ground = yield* withGarbage
      for (const kind of GarbageCollector.kinds) {
        const bucket = MemoryObjectStore.copyState(ground)
        const report = yield* Collector.collect(MemoryObjectStore.fromState(bucket), { kinds: [kind] })
        assert.isAbove(report.objects.length, 0, kind)
        assert.isTrue(report.objects.every((object) => object.kind === kind))
        yield* Collector.assertWhole(bucket)
      }
    })
  )
})
