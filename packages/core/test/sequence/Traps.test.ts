/**
 * Eleven mistakes that an implementation of ADR 3 can make, and one did. Each test
 * sets the trap and observes that nobody falls into it.
 */
import * as Admin from "@effect-slatedb/core/Admin"
import type * as Db from "@effect-slatedb/core/Db"
import type * as DbError from "@effect-slatedb/core/DbError"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as Fault from "@effect-slatedb/testkit/Fault"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as OtherProcess from "../support/OtherProcess.ts"
import { fork, noWait, putDurable, settle, setUp } from "../support/Sequence.ts"
import * as TestDb from "../support/TestDb.ts"

const reasonOf = ({ reason }: DbError.DbError) => reason

it.effect("trap 1: an upload that takes many flush intervals is slow, not failed: it is made once", () =>
  Effect.gen(function* () {
    const { process } = yield* setUp
    const db = yield* process.open()
    yield* process.faults.reset
    yield* process.faults.add({ operation: "putIfAbsent", path: "wal/", fault: Fault.delay("5 seconds") })
    yield* process.faults.add({ operation: "putIfAbsent", path: "compacted/", fault: Fault.delay("50 seconds") })
    yield* TestDb.awaitWithTime(db.put("a", "1"))
    yield* TestDb.awaitWithTime(db.flush("memtable"))
    const uploads = yield* process.faults.requests({ operation: "putIfAbsent", path: /wal|compacted/ })
    assert.deepStrictEqual(
      uploads.map(({ endedAt = 0, outcome, startedAt }) => [outcome, endedAt - startedAt]),
      [
        ["success", 5_000],
        ["success", 50_000]
      ]
    )
    assert.strictEqual((yield* db.status).retries, 0)
  })
)

it.effect("trap 2: two writers that create the same WAL object: one wins, and the other says that it is fenced", () =>
  Effect.gen(function* () {
    const { bucket, process } = yield* setUp
    const older = yield* process.open()
    yield* process.faults.reset
    // Between what the older writer knows and what it does, the younger one's object appears.
    const gate = yield* process.faults.hold({ operation: "putIfAbsent", path: "wal/" })
    const put = yield* fork(Effect.flip(older.put("a", "older")))
    yield* TestClock.adjust("100 millis")
    yield* gate.reached()
    const younger = yield* (yield* TestDb.process(bucket)).open()
    const fence = bucket.objects.get(OtherProcess.paths.wals.path(2))
    yield* gate.open
    yield* settle
    const reason = reasonOf(yield* Fiber.join(put))
    assert.strictEqual(reason._tag === "Closed" && reason.kind, "fenced")
    assert.strictEqual(bucket.objects.get(OtherProcess.paths.wals.path(2)), fence, "nothing was written over it")
    assert.deepStrictEqual(yield* TestDb.lines(younger, KeyRange.all), [])
    const asked = yield* process.faults.requests({ path: "wal/" })
    assert.deepStrictEqual(
      asked.map(({ operation }) => operation),
      ["putIfAbsent"],
      "one request that creates or refuses, no question before it"
    )
  })
)

/** Key `k` is "old" in the older table of level 0, and "new" in the newer. */
const twoTables = Effect.gen(function* () {
  const { bucket, process } = yield* setUp
  const db = yield* process.open()
  for (const value of ["old", "new"]) {
    yield* db.put("k", value, noWait)
    yield* TestDb.awaitWithTime(db.flush("memtable"))
  }
  yield* db.close
  const newer = (yield* OtherProcess.manifest(bucket)).l0[0]?.id ?? assert.fail("level 0 is empty")
  return { bucket, path: OtherProcess.paths.table(newer) }
})

const reads = (db: Db.Db["Service"]): ReadonlyArray<Effect.Effect<unknown, DbError.DbError>> => [
  db.get("k").pipe(Effect.catchTag("KeyNotFound", () => Effect.die("not found"))),
  db.getOption("k"),
  db.getMany(["k"]),
  TestDb.lines(db, KeyRange.all)
]

it.effect("trap 3: a table that cannot be read fails the read, which does not fall through to an older value", () =>
  Effect.gen(function* () {
    const { bucket, path } = yield* twoTables
    const process = yield* TestDb.process(bucket)
    const db = yield* process.open()
    yield* process.faults.add({ operation: ["get", "getRange"], path, fault: Fault.failBefore() })
    for (const read of reads(db)) {
      const reason = reasonOf(yield* TestDb.awaitWithTime(Effect.flip(read)))
      assert.strictEqual(reason._tag, "Unavailable")
    }
    yield* process.faults.clear
    assert.strictEqual(TestDb.text(yield* db.get("k")), "new")
  })
)

it.effect("trap 3: a damaged block fails the read, and names the object", () =>
  Effect.gen(function* () {
    const { bucket, path } = yield* twoTables
    yield* OtherProcess.damage(bucket, path, (bytes) => bytes.with(3, (bytes[3] ?? 0) ^ 1))
    const db = yield* (yield* TestDb.process(bucket)).open()
    for (const read of reads(db)) {
      const reason = reasonOf(yield* Effect.flip(read))
      assert.strictEqual(reason._tag === "Corrupt" && reason.object, path)
    }
  })
)

it.effect(
  "trap 3: a WAL object that is damaged, gone or out of reach fails the open; nothing behind it is cut off",
  () =>
    Effect.gen(function* () {
      const { bucket, process } = yield* setUp
      const db = yield* process.open()
      for (const key of ["a", "b", "c"]) yield* putDurable(db, key, "1")
      const path = OtherProcess.paths.wals.path(3)
      const openOn = Effect.fnUntraced(function* (change: (state: typeof bucket) => Effect.Effect<void>) {
        const copy = MemoryObjectStore.copyState(bucket)
        yield* change(copy)
        return yield* (yield* TestDb.process(copy)).open()
      })
      const damage = (state: typeof bucket) =>
        OtherProcess.damage(state, path, (bytes) => bytes.with(3, (bytes[3] ?? 0) ^ 1))
      const remove = (state: typeof bucket) => Effect.orDie(MemoryObjectStore.fromState(state).delete(path))
      for (const change of [damage, remove]) {
        const reason = reasonOf(yield* Effect.flip(openOn(change)))
        assert.strictEqual(reason._tag === "Corrupt" && reason.object, path)
      }
      const far = yield* TestDb.process(MemoryObjectStore.copyState(bucket))
      yield* far.faults.add({ operation: ["get", "getRange"], path, fault: Fault.failBefore() })
      assert.strictEqual(
        reasonOf(yield* TestDb.awaitWithTime(Effect.flip(Effect.scoped(far.open()))))._tag,
        "Unavailable"
      )
      yield* far.faults.clear
      assert.deepStrictEqual(yield* TestDb.lines(yield* far.open(), KeyRange.all), ["a=1", "b=1", "c=1"])
    })
)

it.effect("trap 4: an uncommitted reader never misses a row on its way from buffer to memtable to level 0", () =>
  Effect.gen(function* () {
    const { process } = yield* setUp
    const db = yield* process.open({ l0SstSizeBytes: 200, l0MaxSsts: 1000 })
    yield* process.faults.add({ operation: "putIfAbsent", fault: Fault.delayBetween("0 millis", "3 millis") })
    let newest = -1
    const writer = Effect.forEach(
      Array.from({ length: 100 }, (_, i) => i),
      (i) =>
        Effect.andThen(
          Effect.tap(db.put("k", `${i}`, noWait), () => Effect.sync(() => (newest = i))),
          db.flush("wal")
        )
    )
    const writing = yield* fork(writer)
    for (let turn = 0; writing.pollUnsafe() === undefined; turn++) {
      assert.isBelow(turn, 100_000)
      const expected = newest
      const found = TestDb.textOption(yield* db.getOption("k", { readLevel: "uncommitted" }))
      assert.isAtLeast(Number(found ?? -1), expected)
      yield* turn % 5 === 0 ? TestClock.adjust("500 micros") : Effect.yieldNow
    }
    assert.strictEqual(newest, 99)
    assert.isAbove((yield* db.status).l0Tables, 3)
  }).pipe(Random.withSeed(1))
)

it.effect("trap 5: an open that replays more memtables than any queue holds, or level 0 has room for, ends", () =>
  Effect.gen(function* () {
    const { bucket, process } = yield* setUp
    const db = yield* process.open()
    for (let i = 0; i < 300; i++) yield* Effect.andThen(db.put(`${i}`, "v", noWait), db.flush("wal"))
    yield* TestDb.crash(process)
    const full = MemoryObjectStore.copyState(bucket)
    const roomy = yield* (yield* TestDb.process(bucket)).open({ l0SstSizeBytes: 1, l0MaxSsts: 1000 })
    for (let i = 0; i < 50; i++) yield* settle
    assert.strictEqual((yield* roomy.status).l0Tables, 300)
    const crowded = yield* (yield* TestDb.process(full)).open({ l0SstSizeBytes: 1, l0MaxSsts: 1, maxUnflushedBytes: 2 })
    yield* settle
    const { immutableMemtables, l0Tables } = yield* crowded.status
    assert.deepStrictEqual([l0Tables, immutableMemtables], [1, 299])
    for (const reopened of [roomy, crowded]) assert.lengthOf(yield* TestDb.lines(reopened, KeyRange.all), 300)
  })
)

it.effect("trap 6: flushes of callers and of the tasks, all at once, store each WAL and each memtable once", () =>
  Effect.gen(function* () {
    const { bucket, process } = yield* setUp
    const db = yield* process.open({ l0SstSizeBytes: 1 })
    yield* process.faults.reset
    yield* process.faults.add({ operation: "putIfAbsent", fault: Fault.delay("150 millis") })
    yield* db.put("a", "1", noWait)
    yield* TestClock.adjust("99 millis")
    const flushes = Array.from({ length: 20 }, (_, i) => db.flush(i % 2 === 0 ? "memtable" : "wal"))
    const all = yield* fork(Effect.all(flushes, { concurrency: "unbounded" }))
    yield* TestClock.adjust("1 millis")
    yield* TestDb.awaitWithTime(Fiber.join(all))
    const uploads = yield* process.faults.requests({ operation: "putIfAbsent" })
    const folders = uploads.map(({ path }) => path.split("/")[1])
    assert.deepStrictEqual(folders, ["wal", "compacted", "manifest"])
    assert.lengthOf((yield* OtherProcess.manifest(bucket)).l0, 1)
  })
)

// A copy of the rows for each of these reads would be two and a half thousand million rows.
it.effect(
  "trap 7: a get costs the same however large the memtable is",
  () =>
    Effect.gen(function* () {
      const db = yield* (yield* setUp).process.open({ walFlush: "manual" })
      const rows = 50_000
      for (let i = 0; i < rows; i++) yield* db.put(`key ${i}`, "v", noWait)
      let found = 0
      for (let i = 0; i < rows; i++) {
        if (TestDb.textOption(yield* db.getOption(`key ${i}`, { readLevel: "uncommitted" })) === "v") found++
      }
      assert.strictEqual(found, rows)
    }),
  5_000
)

it.effect("trap 8: a close whose last flush failed says so, and a durable put after it fails at once", () =>
  Effect.gen(function* () {
    const { process } = yield* setUp
    const db = yield* process.open({ closeTimeout: "10 seconds" })
    yield* db.put("a", "1", noWait)
    yield* process.faults.add({ operation: "putIfAbsent", path: "wal/", fault: Fault.failBefore() })
    const exit = yield* TestDb.exitWithTime(db.close)
    assert.isTrue(Exit.isFailure(exit))
    const put = yield* fork(Effect.flip(db.put("b", "1")))
    const answer = put.pollUnsafe()
    if (answer === undefined || Exit.isFailure(answer)) return assert.fail("it waits")
    const reason = reasonOf(answer.value)
    assert.strictEqual(reason._tag === "Closed" && reason.kind, "failed")
    assert.include(reason.message, "accepted writes could not be stored in time")
  })
)

it.effect("trap 9: when uploads are slower than puts, writers wait and memory stays bounded", () =>
  Effect.gen(function* () {
    const { process } = yield* setUp
    const maxUnflushedBytes = 1_000_000
    const db = yield* process.open({ maxUnflushedBytes, l0SstSizeBytes: 200_000, l0MaxSsts: 1000 })
    const gate = yield* process.faults.hold({ operation: "putIfAbsent", path: "wal/" })
    let accepted = 0
    const total = 1000
    const value = "v".repeat(4000)
    const puts = Array.from({ length: total }, (_, i) => db.put(`key ${i}`, value, noWait))
    const writer = yield* fork(Effect.forEach(puts, (put) => Effect.tap(put, () => Effect.sync(() => accepted++))))
    yield* TestClock.adjust("1 minute")
    assert.isUndefined(writer.pollUnsafe())
    assert.isAbove(accepted, 50)
    const { unflushedBytes, warnings } = yield* db.status
    // The last one in is admitted below the limit, and may allocate one more piece of the arena.
    assert.isBelow(unflushedBytes, maxUnflushedBytes * 1.5)
    assert.isBelow(accepted * value.length, maxUnflushedBytes)
    assert.include(warnings.join(), "writers wait for memory: waiting=1")
    yield* gate.open
    yield* TestDb.awaitWithTime(Fiber.join(writer))
    assert.strictEqual(accepted, total)
  })
)

it.effect("trap 10: what nobody needs any more is known by name, and taking it away changes nothing", () =>
  Effect.gen(function* () {
    const { bucket, process } = yield* setUp
    const db = yield* process.open()
    for (const key of ["a", "b", "c"]) {
      yield* db.put(key, "1", noWait)
      yield* TestDb.awaitWithTime(db.flush("memtable"))
    }
    yield* OtherProcess.compact(bucket)
    yield* TestClock.adjust("1 second")
    const unneeded = Effect.gen(function* () {
      const admin = yield* Admin.make({ path: "db" })
      return (yield* admin.tree).unneeded
    }).pipe(Effect.provideService(ObjectStore, MemoryObjectStore.fromState(bucket)))
    const garbage = yield* unneeded
    for (const kind of ["manifest", "compacted", "wal"] as const) {
      // The first object of the log is a fence.
      assert.isAtLeast(garbage.filter((object) => object.kind === kind).length, kind === "wal" ? 2 : 3, kind)
    }
    for (const { path } of garbage) yield* process.faults.store.delete(path)
    assert.deepStrictEqual(yield* unneeded, [])
    const lines = ["a=1", "b=1", "c=1"]
    assert.deepStrictEqual(yield* TestDb.lines(db, KeyRange.all), lines)
    yield* putDurable(db, "d", "1")
    yield* TestDb.awaitWithTime(db.flush("memtable"))
    const successor = yield* (yield* TestDb.process(bucket)).open()
    assert.deepStrictEqual(yield* TestDb.lines(successor, KeyRange.all), [...lines, "d=1"])
  })
)

it.effect("trap 11: a wrong argument is Invalid, names its field, is not worth trying again, and changes nothing", () =>
  Effect.gen(function* () {
    const { process } = yield* setUp
    const db = yield* process.open()
    const calls: ReadonlyArray<readonly [field: string, call: Effect.Effect<unknown, DbError.DbError>]> = [
      ["key", db.put("", "1")],
      ["key", db.put("k".repeat(65_536), "1")],
      ["merge operator", db.merge("a", "1")],
      ["ttl", db.put("a", "1", { ttl: "0 millis" })],
      ["range", Stream.runDrain(db.scan(KeyRange.make({ from: "b", to: "a" })))],
      ["limit", Stream.runDrain(db.scan(KeyRange.all, { limit: -1 }))],
      ["settings.blockSizeBytes", Effect.scoped(process.open({ blockSizeBytes: 5 }))]
    ]
    for (const [field, call] of calls) {
      const error = yield* Effect.flip(call)
      const reason = reasonOf(error)
      assert.deepStrictEqual([reason._tag, reason._tag === "Invalid" && reason.field], ["Invalid", field])
      assert.isFalse(error.isRetryable)
    }
    const { state, visibleSequence } = yield* db.status
    assert.deepStrictEqual([state, visibleSequence], ["open", 0])
  })
)
