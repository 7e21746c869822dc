/**
 * ADR 3, row by row, first half: opening, and a PUT until it returns. A test is
 * named after the row that it observes; the other half is in
 * `MemtableAndGetSequence.test.ts`.
 */
import * as CompactionPolicy from "@effect-slatedb/core/CompactionPolicy"
import { portable } from "@effect-slatedb/core/Compression"
import type * as Db from "@effect-slatedb/core/Db"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as MergeOperator from "@effect-slatedb/core/MergeOperator"
import * as WriteBatch from "@effect-slatedb/core/WriteBatch"
import * as Fault from "@effect-slatedb/testkit/Fault"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { SsTableWriter } from "../../src/internal/format/SsTableWriter.ts"
import { Generation } from "../../src/internal/lsm/Generation.ts"
import { Kind, neverExpires, RowView } from "../../src/internal/model/RowEntry.ts"
import * as Fibers from "../support/Fibers.ts"
import * as OtherProcess from "../support/OtherProcess.ts"
import { fork, noWait, settle, setUp } from "../support/Sequence.ts"
import * as TestDb from "../support/TestDb.ts"

type Bucket = ReturnType<typeof TestDb.bucket>

/** The WAL objects that hold rows: the first one is the fence of the test's only writer. */
const wals = (bucket: Bucket): ReadonlyArray<string> => TestDb.paths(bucket, "db/wal/").slice(1)

it.effect("S1: opening starts the WAL flush, memtable flush and compactor tasks; none outlives the database", () =>
  Effect.gen(function* () {
    const fibers = Fibers.make()
    let choices = 0
    const policy: CompactionPolicy.CompactionPolicy = { choose: () => (choices++, []) }
    const { bucket, process } = yield* setUp
    const scope = yield* TestDb.manualScope
    const db = yield* process
      .open()
      .pipe(
        Effect.provideService(Scope.Scope, scope.scope),
        Effect.provideService(CompactionPolicy.CompactionPolicy, policy),
        fibers.watch
      )
    // The loops of the three tasks and of the manifest's keeper, and their ticks.
    assert.isAtLeast(fibers.live(), 4)
    yield* db.put("a", "1", noWait)
    yield* TestClock.adjust("100 millis")
    assert.lengthOf(wals(bucket), 1, "the WAL flush task")
    yield* db.flush("memtable")
    assert.strictEqual((yield* db.status).l0Tables, 1, "the memtable flush task")
    yield* TestClock.adjust("5 seconds")
    assert.isAtLeast(choices, 1, "the compactor")
    yield* scope.close
    assert.strictEqual(fibers.live(), 0)
    const before = choices
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(choices, before)
  })
)

it.effect.each(["before", "after"] as const)(
  "S2: a committed read shows no row whose WAL object is not stored and acknowledged: PUT stopped %s the store",
  (at) =>
    Effect.gen(function* () {
      const { bucket, process } = yield* setUp
      const db = yield* process.open()
      const seen = (readLevel: Db.ReadLevel) =>
        Effect.all([
          Effect.map(db.getOption("a", { readLevel }), TestDb.textOption),
          Effect.map(db.getMany(["a"], { readLevel }), ([value]) => value && TestDb.textOption(value)),
          Effect.map(TestDb.lines(db, KeyRange.all, { readLevel }), ([line]) => line?.slice(2))
        ])
      const hidden = [undefined, undefined, undefined]
      const shown = ["1", "1", "1"]
      const gate = yield* process.faults.hold({ operation: "putIfAbsent", path: "wal/", at })
      yield* db.put("a", "1", noWait)
      assert.deepStrictEqual([yield* seen("committed"), yield* seen("uncommitted")], [hidden, shown], "in the buffer")
      yield* TestClock.adjust("100 millis")
      yield* gate.reached()
      assert.lengthOf(wals(bucket), at === "before" ? 0 : 1)
      assert.deepStrictEqual([yield* seen("committed"), yield* seen("uncommitted")], [hidden, shown], "under way")
      yield* gate.open
      yield* TestClock.adjust(0)
      assert.deepStrictEqual([yield* seen("committed"), yield* seen("uncommitted")], [shown, shown], "durable")
    })
)

it.effect(
  "S2: with a store that is slow and fails, what committed scans show lies in WAL objects at every moment",
  () =>
    Effect.gen(function* () {
      const { bucket, process } = yield* setUp
      const db = yield* process.open()
      yield* process.faults.add({ operation: "putIfAbsent", fault: Fault.delayBetween("5 millis", "60 millis") })
      yield* process.faults.add({ operation: "putIfAbsent", fault: Fault.failBefore(), probability: 0.2 })
      yield* process.faults.add({ operation: "putIfAbsent", fault: Fault.failAfter(), probability: 0.2 })
      let shown = 0
      for (let i = 0; i < 200; i++) {
        yield* db.put(`key ${i}`, "", noWait)
        yield* TestClock.adjust("30 millis")
        const stored = wals(bucket).flatMap((path) => OtherProcess.rows(bucket, path))
        const keys = new Set(stored.map(({ key }) => `${TestDb.text(key)}=`))
        const lines = yield* TestDb.lines(db, KeyRange.all)
        shown = lines.length
        assert.deepStrictEqual(
          lines.filter((line) => !keys.has(line)),
          []
        )
      }
      assert.isAbove(shown, 50)
    }).pipe(Random.withSeed(1))
)

it.effect("S5: a put is in the WAL buffer at once, a delete likewise, and an empty key is refused", () =>
  Effect.gen(function* () {
    const db = yield* (yield* setUp).process.open()
    const uncommitted = (key: string) => Effect.map(db.getOption(key, { readLevel: "uncommitted" }), TestDb.textOption)
    yield* fork(db.put("a", "1"))
    assert.strictEqual(yield* uncommitted("a"), "1")
    yield* fork(db.delete("a"))
    assert.isUndefined(yield* uncommitted("a"))
    for (const call of [db.put("", "1"), db.delete("")]) {
      assert.strictEqual((yield* Effect.flip(call)).message, "invalid key: must not be empty")
    }
    assert.strictEqual((yield* db.status).visibleSequence, 2, "what is refused takes no sequence number")
  })
)

it.effect("S6: a put returns only after the PUT of its WAL object has returned", () =>
  Effect.gen(function* () {
    const { bucket, process } = yield* setUp
    const db = yield* process.open()
    const gate = yield* process.faults.hold({ operation: "putIfAbsent", path: "wal/", at: "after" })
    const writes = yield* Effect.forEach(
      [db.put("a", "1"), db.delete("b"), db.write(WriteBatch.put(WriteBatch.empty, "c", "1"))],
      fork
    )
    yield* TestClock.adjust("10 seconds")
    assert.lengthOf(wals(bucket), 1, "stored, but its writer does not know")
    for (const write of writes) assert.isUndefined(write.pollUnsafe())
    yield* gate.open
    yield* TestClock.adjust(0)
    for (const write of writes) assert.deepStrictEqual(write.pollUnsafe(), Exit.void)
  })
)

it.effect("S6: with awaitDurable false a put returns at once, and asks nothing of the store", () =>
  Effect.gen(function* () {
    const { process } = yield* setUp
    const db = yield* process.open()
    yield* process.faults.reset
    const put = yield* fork(db.put("a", "1", noWait))
    assert.deepStrictEqual(put.pollUnsafe(), Exit.void)
    assert.deepStrictEqual(yield* process.faults.requests(), [])
    const { durableSequence, visibleSequence } = yield* db.status
    assert.deepStrictEqual([durableSequence, visibleSequence], [0, 1])
  })
)

it.effect("S7: no WAL object at 99 ms and one at 100, in the phase of the open; an idle interval writes nothing", () =>
  Effect.gen(function* () {
    const { bucket, process } = yield* setUp
    const db = yield* process.open()
    yield* TestClock.adjust("70 millis")
    yield* db.put("a", "1", noWait)
    yield* TestClock.adjust("29 millis")
    assert.lengthOf(wals(bucket), 0)
    yield* TestClock.adjust("1 millis")
    assert.lengthOf(wals(bucket), 1)
    yield* TestClock.adjust("10 seconds")
    assert.lengthOf(wals(bucket), 1)
    // The phase is kept over the rest.
    yield* TestClock.adjust("95 millis")
    yield* db.put("b", "1", noWait)
    yield* TestClock.adjust("4 millis")
    assert.lengthOf(wals(bucket), 1)
    yield* TestClock.adjust("1 millis")
    assert.deepStrictEqual(wals(bucket), [OtherProcess.paths.wals.path(2), OtherProcess.paths.wals.path(3)])
  })
)

it.effect("S8: after two failed uploads three WALs land in id order, and none is skipped", () =>
  Effect.gen(function* () {
    const { bucket, process } = yield* setUp
    const db = yield* process.open()
    yield* process.faults.reset
    yield* process.faults.add({ operation: "putIfAbsent", path: "wal/", times: 2, fault: Fault.failBefore() })
    for (const key of ["a", "b", "c"]) {
      yield* db.put(key, "1", noWait)
      yield* fork(db.flush("wal"))
      yield* TestClock.adjust("10 millis")
    }
    assert.lengthOf(wals(bucket), 0, "the oldest failed, and no younger one is tried")
    yield* TestClock.adjust("1 second")
    const uploads = yield* process.faults.requests({ operation: "putIfAbsent", path: "wal/" })
    assert.deepStrictEqual(
      uploads.map(({ outcome, path }) => `${OtherProcess.paths.wals.id(path)} ${outcome}`),
      ["2 Unavailable", "2 Unavailable", "2 success", "3 success", "4 success"]
    )
    const stored = wals(bucket).map((path) => OtherProcess.rows(bucket, path).map(({ key }) => TestDb.text(key)))
    assert.deepStrictEqual(stored, [["a"], ["b"], ["c"]])
  })
)

it.effect("S8: the rows of a batch share a WAL object, however small WAL objects are", () =>
  Effect.gen(function* () {
    const { bucket, process } = yield* setUp
    const db = yield* process.open({ walMaxBytes: 1 })
    const batch = WriteBatch.fromEntries(["a", "b", "c", "d"].map((key) => [key, "v".repeat(5000)]))
    yield* TestDb.awaitWithTime(Effect.all([db.write(batch), db.write(batch)], { concurrency: "unbounded" }))
    for (const path of wals(bucket)) {
      const sequences = OtherProcess.rows(bucket, path).map(({ sequence }) => sequence)
      assert.strictEqual(sequences.length % 4, 0, "whole batches only")
    }
  })
)

it.effect("S9: replay makes the memtable that a crash took away, row for row", () =>
  Effect.gen(function* () {
    const written = Effect.fnUntraced(function* (bucket: Bucket) {
      const db = yield* (yield* TestDb.process(bucket)).open()
      for (const [i, key] of ["b", "a", "b", "c", "a"].entries()) {
        yield* TestDb.awaitWithTime(db.put(key, `${i}`, { ttl: i === 3 ? "1 hour" : "none" }))
        yield* TestDb.awaitWithTime(i === 2 ? db.delete("b") : db.merge("m", `${i}`))
      }
      return db
    })
    const tableRows = (bucket: Bucket) =>
      TestDb.paths(bucket, "db/compacted/").flatMap((path) => OtherProcess.rows(bucket, path))
    const [steady, crashed] = [TestDb.bucket(), TestDb.bucket()]
    const began = yield* TestClock.testClockWith((clock) => Effect.sync(() => clock.currentTimeMillisUnsafe()))
    const survivor = yield* written(steady)
    yield* TestDb.awaitWithTime(survivor.flush("memtable"))
    const elapsed =
      (yield* TestClock.testClockWith((clock) => Effect.sync(() => clock.currentTimeMillisUnsafe()))) - began
    yield* written(crashed)
    const successor = yield* (yield* TestDb.process(crashed)).open()
    assert.deepStrictEqual(yield* TestDb.lines(successor, KeyRange.all), yield* TestDb.lines(survivor, KeyRange.all))
    assert.strictEqual((yield* successor.status).durableSequence, (yield* survivor.status).durableSequence)
    yield* TestDb.awaitWithTime(successor.flush("memtable"))
    // The second life of the same writes began later, and is alike otherwise.
    const later = tableRows(steady).map((row) => ({
      ...row,
      createTime: row.createTime + elapsed,
      expireTime: row.expireTime + elapsed
    }))
    assert.deepStrictEqual(tableRows(crashed), later)
  }).pipe(Effect.provide(MergeOperator.layer(MergeOperator.append)))
)

it.effect("S9: a clock with fractions of a millisecond dates rows in whole ones", () =>
  Effect.gen(function* () {
    const { bucket, process } = yield* setUp
    const db = yield* process.open()
    yield* TestClock.adjust("1500 micros")
    yield* db.put("a", "1", { ...noWait, ttl: "1 second" })
    yield* TestDb.awaitWithTime(db.flush("memtable"))
    const [row] = TestDb.paths(bucket, "db/compacted/").flatMap((path) => OtherProcess.rows(bucket, path))
    assert.deepStrictEqual([row?.createTime, row?.expireTime], [1, 1001])
  })
)

/** What a WAL object and a memtable of this one row come to. */
const sizesOf = (key: string, value: string) => {
  const row = new RowView()
  row.key = KeyRange.toBytes(key)
  row.keyEnd = row.key.length
  row.value = KeyRange.toBytes(value)
  row.valueEnd = row.value.length
  row.sequence = 1
  row.createTime = 0
  const wal = new SsTableWriter({
    kind: "wal",
    blockSizeBytes: 4096,
    filterBitsPerKey: 10,
    minFilterKeys: 1000,
    codecName: "none",
    codec: undefined,
    crc32: portable.crc32
  })
  wal.add(row)
  const generation = Generation.make({ hashSeed: 1 })
  generation.append(row.key, 0, row.keyEnd, row.value, 0, row.valueEnd, 1, Kind.put, 0, neverExpires)
  return { walBytes: wal.sizeBytes, memtableBytes: generation.logicalBytes }
}

it.effect(
  "S10: a memtable of exactly l0SstSizeBytes is frozen, after its WAL flush, and one a byte smaller is not",
  () =>
    Effect.gen(function* () {
      const { memtableBytes } = sizesOf("key", "value")
      for (const [l0SstSizeBytes, tables] of [
        [memtableBytes, 1],
        [memtableBytes + 1, 0]
      ] as const) {
        const db = yield* (yield* setUp).process.open({ l0SstSizeBytes })
        yield* db.put("key", "value", noWait)
        yield* TestClock.adjust("1 millis")
        const { immutableMemtables, l0Tables } = yield* db.status
        assert.deepStrictEqual([immutableMemtables, l0Tables], [0, 0], "nothing before the WAL flush")
        yield* db.flush("wal")
        yield* settle
        assert.strictEqual((yield* db.status).l0Tables, tables, `l0SstSizeBytes=${l0SstSizeBytes}`)
      }
    })
)

it.effect("S10: a WAL of exactly walMaxBytes is frozen at once, and one a byte smaller waits for the tick", () =>
  Effect.gen(function* () {
    const { walBytes } = sizesOf("key", "value")
    for (const [walMaxBytes, objects] of [
      [walBytes, 1],
      [walBytes + 1, 0]
    ] as const) {
      const { bucket, process } = yield* setUp
      const db = yield* process.open({ walMaxBytes })
      yield* db.put("key", "value", noWait)
      yield* TestClock.adjust("1 millis")
      assert.lengthOf(wals(bucket), objects, `walMaxBytes=${walMaxBytes}`)
    }
  })
)

it.effect("S10: a memtable is frozen with its walFilesPerMemtableMax-th WAL object", () =>
  Effect.gen(function* () {
    const db = yield* (yield* setUp).process.open({ walFilesPerMemtableMax: 3 })
    const tables: Array<number> = []
    for (let i = 0; i < 7; i++) {
      yield* db.put("a", `${i}`, noWait)
      yield* db.flush("wal")
      yield* TestClock.adjust("1 millis")
      tables.push((yield* db.status).l0Tables)
    }
    assert.deepStrictEqual(tables, [0, 0, 1, 1, 1, 2, 2])
  })
)

it.effect("S11: no wake-up is lost when more memtables are frozen at once than a mailbox holds", () =>
  Effect.gen(function* () {
    const { bucket, process } = yield* setUp
    const db = yield* process.open({ l0SstSizeBytes: 1, l0MaxSsts: 1000 })
    const gate = yield* process.faults.hold({ operation: "putIfAbsent", path: "compacted/" })
    for (let i = 0; i < 300; i++) {
      yield* db.put(`key ${i}`, "value", noWait)
      yield* db.flush("wal")
    }
    assert.strictEqual((yield* db.status).immutableMemtables, 300)
    yield* gate.open
    for (let i = 0; i < 50; i++) yield* settle
    const { immutableMemtables, l0Tables } = yield* db.status
    assert.deepStrictEqual([immutableMemtables, l0Tables], [0, 300])
    assert.lengthOf(TestDb.paths(bucket, "db/compacted/"), 300)
  })
)

it.effect("S12: writers are answered in the order of their WAL objects", () =>
  Effect.gen(function* () {
    const { process } = yield* setUp
    const db = yield* process.open()
    yield* process.faults.add({ operation: "putIfAbsent", fault: Fault.delayBetween("1 millis", "90 millis") })
    yield* process.faults.add({ operation: "putIfAbsent", fault: Fault.failBefore(), probability: 0.4 })
    const answered: Array<number> = []
    const puts = yield* Effect.forEach(
      Array.from({ length: 30 }, (_, i) => i),
      Effect.fnUntraced(function* (i) {
        const put = yield* fork(Effect.tap(db.put(`${i}`, ""), () => Effect.sync(() => answered.push(i))))
        yield* fork(db.flush("wal"))
        yield* TestClock.adjust("20 millis")
        return put
      })
    )
    yield* TestDb.awaitWithTime(Effect.forEach(puts, Fiber.join))
    assert.deepStrictEqual(
      answered,
      Array.from({ length: 30 }, (_, i) => i)
    )
  }).pipe(Random.withSeed(1))
)
