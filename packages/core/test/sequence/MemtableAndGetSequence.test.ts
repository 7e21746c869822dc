/**
 * ADR 3, row by row, second half: memtables on their way to level 0, the manifest,
 * a GET, and the consequences. The first half is in `ReadWriteSequence.test.ts`.
 */
import * as CompactionPolicy from "@effect-slatedb/core/CompactionPolicy"
import type * as Db from "@effect-slatedb/core/Db"
import type * as DbError from "@effect-slatedb/core/DbError"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as MergeOperator from "@effect-slatedb/core/MergeOperator"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as Fault from "@effect-slatedb/testkit/Fault"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as TestClock from "effect/testing/TestClock"
import type { Manifest } from "../../src/internal/model/Manifest.ts"
import * as OtherProcess from "../support/OtherProcess.ts"
import { fork, noWait, putDurable, settle, setUp } from "../support/Sequence.ts"
import * as TestDb from "../support/TestDb.ts"

const flushMemtable = (db: Db.Db["Service"]) => TestDb.awaitWithTime(db.flush("memtable"))

it.effect("S3: a table is stored before a manifest names it, and an older memtable is named before a younger one", () =>
  Effect.gen(function* () {
    const { bucket, process } = yield* setUp
    const db = yield* process.open({ l0SstSizeBytes: 1 })
    const oldest = yield* process.faults.hold({ operation: "putIfAbsent", path: "compacted/", times: 1 })
    for (const key of ["a", "b", "c"]) yield* putDurable(db, key, "1")
    yield* settle
    assert.lengthOf(TestDb.paths(bucket, "db/compacted/"), 2, "the younger two are stored")
    assert.lengthOf((yield* OtherProcess.manifest(bucket)).l0, 0, "and not named while the oldest is not")
    const manifest = yield* process.faults.hold({ operation: "putIfAbsent", path: "manifest/" })
    yield* oldest.open
    yield* settle
    assert.lengthOf(TestDb.paths(bucket, "db/compacted/"), 3, "stored")
    assert.lengthOf((yield* OtherProcess.manifest(bucket)).l0, 0, "not named yet")
    yield* manifest.open
    yield* settle
    for (const { l0, lastL0Sequence } of yield* OtherProcess.history(bucket)) {
      const keys = l0.map(({ id }) =>
        OtherProcess.rows(bucket, OtherProcess.paths.table(id)).map(({ key }) => TestDb.text(key))
      )
      assert.deepStrictEqual(keys, [["c"], ["b"], ["a"]].slice(3 - lastL0Sequence), "newest first, none left out")
    }
  })
)

it.effect("S4: the compactor asks its policy every poll interval, with the manifest of that moment", () =>
  Effect.gen(function* () {
    const asked: Array<number> = []
    const policy: CompactionPolicy.CompactionPolicy = { choose: ({ manifest }) => (asked.push(manifest.l0.length), []) }
    const { process } = yield* setUp
    const db = yield* process.open().pipe(Effect.provideService(CompactionPolicy.CompactionPolicy, policy))
    yield* TestClock.adjust("4 seconds")
    yield* putDurable(db, "a", "1")
    yield* flushMemtable(db)
    yield* TestClock.adjust("11 seconds")
    assert.deepStrictEqual(asked, [0, 1, 1, 1])
    assert.strictEqual((yield* db.status).l0Tables, 1, "who plans nothing changes nothing")
  })
)

it.effect("S13: each immutable memtable becomes one table of level 0, with all its rows", () =>
  Effect.gen(function* () {
    const { bucket, process } = yield* setUp
    const db = yield* process.open({ walFilesPerMemtableMax: 2 })
    for (let i = 1; i <= 5; i++) yield* putDurable(db, `${i}`, "v")
    yield* settle
    const { l0, lastL0Sequence, replayAfterWalId } = yield* OtherProcess.manifest(bucket)
    const keys = l0.map(({ id }) =>
      OtherProcess.rows(bucket, OtherProcess.paths.table(id)).map(({ key }) => TestDb.text(key))
    )
    // The fence is WAL object 1: it counts for the first memtable.
    assert.deepStrictEqual(keys, [["4", "5"], ["2", "3"], ["1"]])
    assert.deepStrictEqual([lastL0Sequence, replayAfterWalId], [5, 6])
  })
)

const steps = ["wal/", "compacted/", "manifest/"].flatMap((path) =>
  (["before", "after"] as const).map((at) => ({ path, at }))
)

it.effect.each(steps)(
  "S14: a key is visible, each operand once, while the PUT of $path stops $at the store",
  ({ at, path }) =>
    Effect.gen(function* () {
      const { process } = yield* setUp
      const db = yield* process.open()
      const seen = Effect.gen(function* () {
        const options = { readLevel: "uncommitted" } as const
        return [
          TestDb.textOption(yield* db.getOption("k", options)),
          TestDb.textOption(yield* db.getOption("m", options)),
          ...(yield* TestDb.lines(db, KeyRange.all, options))
        ]
      })
      const all = ["v", "123", "k=v", "m=123"]
      yield* db.put("k", "v", noWait)
      yield* db.merge("m", "1", noWait)
      yield* db.flush("wal")
      yield* db.merge("m", "2", noWait)
      yield* db.merge("m", "3", noWait)
      const gate = yield* process.faults.hold({ operation: "putIfAbsent", path, at })
      const flush = yield* fork(db.flush("memtable"))
      assert.deepStrictEqual(yield* seen, all)
      yield* TestClock.adjust("10 millis")
      yield* gate.reached()
      assert.deepStrictEqual(yield* seen, all, "while it is held")
      yield* gate.open
      for (let i = 0; flush.pollUnsafe() === undefined; i++) {
        assert.isBelow(i, 1000)
        assert.deepStrictEqual(yield* seen, all, "at each turn from there")
        yield* Effect.yieldNow
      }
      assert.strictEqual((yield* db.status).l0Tables, 1)
      assert.deepStrictEqual(yield* seen, all, "in level 0")
    }).pipe(Effect.provide(MergeOperator.layer(MergeOperator.append)))
)

it.effect("S15: an edit that races with another process's edit is made again on top of it; both survive", () =>
  Effect.gen(function* () {
    const { bucket, process } = yield* setUp
    const db = yield* process.open()
    yield* putDurable(db, "a", "1")
    const checkpoint = {
      id: "00000000-0000-4000-8000-000000000001",
      manifestId: 1,
      expireTimeSeconds: undefined,
      createTimeSeconds: 0,
      metadata: undefined,
      name: undefined
    }
    const gate = yield* process.faults.hold({ operation: "putIfAbsent", path: "manifest/" })
    const flush = yield* fork(db.flush("memtable"))
    yield* settle
    yield* gate.reached()
    yield* OtherProcess.edit(bucket, (manifest) => ({ ...manifest, compactorEpoch: 7, checkpoints: [checkpoint] }))
    yield* gate.open
    yield* TestDb.awaitWithTime(Fiber.join(flush))
    const { checkpoints, compactorEpoch, l0 } = yield* OtherProcess.manifest(bucket)
    assert.deepStrictEqual([checkpoints.length, compactorEpoch, l0.length], [1, 7, 1])
    const creates = yield* process.faults.requests({ operation: "putIfAbsent", path: "manifest/" })
    assert.deepStrictEqual(
      creates.slice(-2).map(({ outcome }) => outcome),
      ["AlreadyExists", "success"]
    )
  })
)

it.effect("S16: what another process compacted is adopted by the next poll, a second later at most", () =>
  Effect.gen(function* () {
    const { bucket, process } = yield* setUp
    const db = yield* process.open()
    for (const key of ["a", "b"]) {
      yield* db.put(key, "1", noWait)
      yield* fork(db.flush("memtable"))
      yield* settle
    }
    const old = TestDb.paths(bucket, "db/compacted/")
    yield* OtherProcess.compact(bucket)
    const shape = Effect.map(db.status, ({ l0Tables, sortedRuns }) => [l0Tables, sortedRuns])
    yield* TestClock.adjust(999 - 20)
    assert.deepStrictEqual(yield* shape, [2, 0])
    yield* TestClock.adjust("1 millis")
    assert.deepStrictEqual(yield* shape, [0, 1])
    for (const path of old) yield* process.faults.store.delete(path)
    assert.deepStrictEqual(yield* TestDb.lines(db, KeyRange.all), ["a=1", "b=1"])
  })
)

it.effect("S17: reads are committed unless they say otherwise", () =>
  Effect.gen(function* () {
    const db = yield* (yield* setUp).process.open()
    yield* putDurable(db, "a", "old")
    yield* db.put("a", "new", noWait)
    const read = (options?: Db.ReadOptions) =>
      Effect.all([
        Effect.map(db.get("a", options), TestDb.text),
        Effect.map(db.getMany(["a"], options), ([value]) => value && TestDb.textOption(value)),
        Effect.map(TestDb.lines(db, KeyRange.all, options), ([line]) => line?.slice(2))
      ])
    assert.deepStrictEqual(yield* read(), ["old", "old", "old"])
    assert.deepStrictEqual(yield* read({ readLevel: "committed" }), ["old", "old", "old"])
    assert.deepStrictEqual(yield* read({ readLevel: "uncommitted" }), ["new", "new", "new"])
  })
)

const levels = ["older run", "newer run", "older L0", "newer L0", "immutable memtable", "memtable", "WAL buffer"]

/** Each table of level 0 becomes a run of its own, as the same table. */
const moveToRuns = (manifest: Manifest): Manifest => ({
  ...manifest,
  l0: [],
  lastCompactedViewId: manifest.l0[0]?.viewId,
  runs: manifest.l0.map((table, i) => ({ id: manifest.l0.length - 1 - i, tables: [table] }))
})

/** On each level: key `put n` for the levels up to n, `gone n` put below level n and deleted at it. */
const layered = Effect.gen(function* () {
  const { bucket, process } = yield* setUp
  const db = yield* process.open()
  for (const [at, level] of levels.entries()) {
    for (const n of levels.keys()) {
      if (at <= n) yield* db.put(`put ${n}`, level, noWait)
      if (at < n) yield* db.put(`gone ${n}`, level, noWait)
      if (at === n) yield* db.delete(`gone ${n}`, noWait)
    }
    if (at < 4) yield* flushMemtable(db)
    if (at === 1) {
      yield* OtherProcess.edit(bucket, moveToRuns)
      yield* TestClock.adjust("1 second")
    }
    if (at === 4) {
      yield* process.faults.hold({ operation: "putIfAbsent", path: "compacted/" })
      yield* fork(Effect.exit(db.flush("memtable")))
      yield* settle
    }
    if (at === 5) yield* db.flush("wal")
  }
  const { durableSequence, immutableMemtables, l0Tables, sortedRuns, visibleSequence } = yield* db.status
  assert.deepStrictEqual([sortedRuns, l0Tables, immutableMemtables], [2, 2, 1])
  assert.isAbove(visibleSequence, durableSequence)
  return { process, db }
})

it.effect("S18: the newest level that has a key answers; a tombstone hides all older levels", () =>
  Effect.gen(function* () {
    const { db } = yield* layered
    const options = { readLevel: "uncommitted" } as const
    for (const [n, level] of levels.entries()) {
      assert.strictEqual(TestDb.text(yield* db.get(`put ${n}`, options)), level)
      assert.isUndefined(TestDb.textOption(yield* db.getOption(`gone ${n}`, options)), `gone in ${level}`)
    }
    const expected = levels.map((level, n) => `put ${n}=${level}`)
    assert.deepStrictEqual(yield* TestDb.lines(db, KeyRange.all, options), expected)
    const descending = TestDb.lines(db, KeyRange.all, { ...options, order: "descending" })
    assert.deepStrictEqual(yield* descending, expected.toReversed())
    // One level less for those who see only what is durable.
    assert.strictEqual(TestDb.text(yield* db.get("put 6")), "memtable")
    assert.strictEqual(TestDb.text(yield* db.get("gone 6")), "memtable")
  })
)

it.effect("S18: the first hit ends the search: what memory answers asks nothing of the store", () =>
  Effect.gen(function* () {
    const { db, process } = yield* layered
    yield* process.faults.reset
    for (const n of [4, 5, 6]) {
      yield* db.getOption(`put ${n}`, { readLevel: "uncommitted" })
      yield* db.getOption(`gone ${n}`, { readLevel: "uncommitted" })
    }
    assert.deepStrictEqual(yield* process.faults.requests(), [])
  })
)

it.effect("S19: a key without a value is KeyNotFound for get, and None for getOption and getMany", () =>
  Effect.gen(function* () {
    const db = yield* (yield* setUp).process.open()
    yield* db.put("deleted", "1", noWait)
    yield* db.delete("deleted", noWait)
    yield* db.put("expired", "1", { ...noWait, ttl: "1 second" })
    yield* TestClock.adjust("2 seconds")
    for (const where of ["memtable", "level 0"]) {
      for (const key of ["never written", "deleted", "expired"]) {
        const error = yield* Effect.flip(db.get(key))
        assert.deepStrictEqual([error._tag, error._tag === "KeyNotFound" && error.key], ["KeyNotFound", key], where)
        assert.isUndefined(TestDb.textOption(yield* db.getOption(key)))
        assert.deepStrictEqual((yield* db.getMany([key])).map(TestDb.textOption), [undefined])
      }
      yield* flushMemtable(db)
    }
  })
)

const closedKind = ({ reason }: DbError.DbError) => (reason._tag === "Closed" ? reason.kind : reason._tag)

it.effect("S20: epochs are checked on each update: a greater writer epoch fences, a compactor epoch does not", () =>
  Effect.gen(function* () {
    const { bucket, process } = yield* setUp
    const db = yield* process.open({ manifestPollInterval: "1 hour" })
    yield* putDurable(db, "a", "1")
    yield* OtherProcess.edit(bucket, (manifest) => ({ ...manifest, compactorEpoch: manifest.compactorEpoch + 1 }))
    yield* flushMemtable(db)
    yield* putDurable(db, "b", "1")
    yield* OtherProcess.edit(bucket, (manifest) => ({ ...manifest, writerEpoch: manifest.writerEpoch + 1 }))
    const { id } = yield* OtherProcess.latest(bucket)
    assert.strictEqual(closedKind(yield* TestDb.awaitWithTime(Effect.flip(db.flush("memtable")))), "fenced")
    assert.strictEqual((yield* OtherProcess.latest(bucket)).id, id, "nothing was written over the successor's version")
    assert.strictEqual((yield* db.status).closed?.kind, "fenced")
  })
)

it.effect("S21: whenever the process dies, what it acknowledged is there when the database is opened again", () =>
  Effect.gen(function* () {
    const { bucket, process } = yield* setUp
    const db = yield* process.open({ l0SstSizeBytes: 100, l0MaxSsts: 1000 })
    yield* process.faults.add({ operation: "putIfAbsent", fault: Fault.delayBetween("1 millis", "60 millis") })
    yield* process.faults.add({ operation: "putIfAbsent", fault: Fault.failAfter(), probability: 0.2 })
    const acknowledged: Array<string> = []
    for (let i = 0; i < 60; i++) {
      const key = `key ${String(i).padStart(2, "0")}`
      yield* fork(
        Effect.tap(db.put(key, "v".repeat(10)), () => Effect.sync(() => acknowledged.push(`${key}=${"v".repeat(10)}`)))
      )
      yield* TestClock.adjust("17 millis")
      // What a crash at this moment leaves behind.
      const promised = [...acknowledged]
      const successor = yield* TestDb.process(MemoryObjectStore.copyState(bucket))
      const found = yield* Effect.scoped(Effect.flatMap(successor.open(), (db) => TestDb.lines(db, KeyRange.all)))
      assert.deepStrictEqual(
        promised.filter((line) => !found.includes(line)),
        []
      )
    }
    assert.isAbove(acknowledged.length, 20)
    assert.isAbove((yield* db.status).l0Tables, 3)
  }).pipe(Random.withSeed(1))
)

it.effect("S22: a cold get costs at most three requests for each table that may hold the key, a second one none", () =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    const writer = yield* (yield* TestDb.process(bucket)).open({ minFilterKeys: 1 })
    for (let table = 0; table < 4; table++) {
      for (let i = 0; i < 200; i++) yield* writer.put(`key ${i} of ${table}`, "v".repeat(50), noWait)
      yield* flushMemtable(writer)
    }
    yield* writer.close
    const process = yield* TestDb.process(bucket)
    const db = yield* process.open()
    const requestsOf = Effect.fnUntraced(function* (key: string) {
      yield* process.faults.reset
      yield* db.getOption(key)
      return (yield* process.faults.requests()).length
    })
    const cold = yield* requestsOf("key 7 of 0")
    assert.isAtMost(cold, 4 * 3)
    assert.isAtLeast(cold, 3, "filter, index and block of the oldest table")
    assert.strictEqual(yield* requestsOf("key 7 of 0"), 0)
    assert.strictEqual(yield* requestsOf("key 9999 of 0"), 0, "filters in memory answer for all tables")
  })
)

it.effect("S23: writes, flushes and polls of one moment leave one state, in which each operand counts once", () =>
  Effect.gen(function* () {
    const { bucket, process } = yield* setUp
    const db = yield* process.open({ manifestPollInterval: "3 millis", l0MaxSsts: 1000 })
    yield* process.faults.add({ fault: Fault.delayBetween("0 millis", "5 millis") })
    const calls = Array.from({ length: 60 }, (_, i) =>
      Effect.all([db.merge("m", "x"), db.flush(i % 3 === 0 ? "memtable" : "wal")], { concurrency: 2 })
    )
    yield* TestDb.awaitWithTime(Effect.all(calls, { concurrency: 10 }), "1 millis")
    const expected = [`m=${"x".repeat(60)}`]
    assert.deepStrictEqual(yield* TestDb.awaitWithTime(TestDb.lines(db, KeyRange.all)), expected)
    yield* process.faults.clear
    yield* TestDb.crash(process)
    const successor = yield* (yield* TestDb.process(bucket)).open()
    assert.deepStrictEqual(yield* TestDb.lines(successor, KeyRange.all), expected)
  }).pipe(Effect.provide(MergeOperator.layer(MergeOperator.append)), Random.withSeed(1))
)

it.effect(
  "S24: an idle database costs one listing of the manifest each second, and a look of the collector each ten minutes",
  () =>
    Effect.gen(function* () {
      const { process } = yield* setUp
      const db = yield* process.open()
      yield* putDurable(db, "a", "1")
      yield* flushMemtable(db)
      yield* TestClock.adjust("1 second")
      yield* process.faults.reset
      // The first pass of the collector deletes what opening left behind.
      yield* TestClock.adjust("11 minutes")
      yield* process.faults.reset
      yield* TestClock.adjust("8 minutes")
      const requests = yield* process.faults.requests()
      assert.lengthOf(requests, 480)
      assert.isTrue(requests.every(({ operation, path }) => operation === "list" && path === "db/manifest/"))
      yield* TestClock.adjust("1 minute")
      const all = yield* process.faults.requests()
      assert.isAtMost(all.length, 540 + 15)
      assert.isAtLeast(all.length, 540 + 5)
      assert.isTrue(all.every(({ operation }) => operation === "list" || operation === "get"))
    })
)
