/**
 * L1: no committed read shows, and no acknowledgement concerns, a row whose WAL
 * object (with the WAL off: whose level 0 table, named by a written manifest) is
 * not durable.
 */
import type * as Db from "@effect-slatedb/core/Db"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as Fault from "@effect-slatedb/testkit/Fault"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as TestDb from "../support/TestDb.ts"

/** What each way of reading shows of key `a`. */
const shown = Effect.fnUntraced(function* (db: Db.Db["Service"], readLevel: Db.ReadLevel) {
  const get = TestDb.textOption(yield* db.getOption("a", { readLevel }))
  const [many] = yield* db.getMany(["a"], { readLevel })
  const ascending = yield* TestDb.lines(db, KeyRange.all, { readLevel })
  const descending = yield* TestDb.lines(db, KeyRange.all, { readLevel, order: "descending" })
  return [get, many === undefined ? undefined : TestDb.textOption(many), ...ascending, ...descending]
})

const nothing = [undefined, undefined]
const theRow = ["1", "1", "a=1", "a=1"]

/** A gate that opens at the end of the test, however it ends: a database behind a closed one could not close. */
const held = (process: TestDb.Process, match: Fault.Match) =>
  Effect.acquireRelease(process.faults.hold(match), (gate) => gate.open)

const isUnshown = Effect.fnUntraced(function* (db: Db.Db["Service"], put: Fiber.Fiber<void, unknown>) {
  assert.isUndefined(put.pollUnsafe(), "it is not acknowledged")
  assert.deepStrictEqual(yield* shown(db, "committed"), nothing)
  assert.deepStrictEqual(yield* shown(db, "uncommitted"), theRow)
})

it.effect("while the PUT of its WAL object is held, a row is neither acknowledged nor shown", () =>
  Effect.gen(function* () {
    const process = yield* TestDb.alone
    const db = yield* process.open()
    const gate = yield* held(process, { operation: "putIfAbsent", path: "wal/" })
    const put = yield* Effect.forkChild(db.put("a", "1"), { startImmediately: true })
    yield* isUnshown(db, put)
    yield* TestClock.adjust("5 seconds")
    yield* gate.reached()
    yield* isUnshown(db, put)
    yield* gate.open
    yield* Fiber.join(put)
    assert.deepStrictEqual(yield* shown(db, "committed"), theRow)
  })
)

it.effect("neither is it when the PUT fails, and again", () =>
  Effect.gen(function* () {
    const process = yield* TestDb.alone
    const db = yield* process.open()
    const failing = yield* Effect.acquireRelease(
      process.faults.add({ operation: "putIfAbsent", path: "wal/", fault: Fault.failBefore() }),
      // The next try is some time away.
      ({ remove }) => Effect.andThen(remove, TestClock.adjust("1 minute"))
    )
    const put = yield* Effect.forkChild(db.put("a", "1"), { startImmediately: true })
    yield* TestClock.adjust("3 seconds")
    assert.isAbove(yield* failing.strikes, 1)
    yield* isUnshown(db, put)
    yield* failing.remove
    yield* TestDb.awaitWithTime(Fiber.join(put))
    assert.deepStrictEqual(yield* shown(db, "committed"), theRow)
  })
)

it.effect("a sealed memtable does not become a table while its WAL object is held", () =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    const process = yield* TestDb.process(bucket)
    const db = yield* process.open()
    const gate = yield* held(process, { operation: "putIfAbsent", path: "wal/" })
    const put = yield* Effect.forkChild(db.put("a", "1"), { startImmediately: true })
    const flush = yield* Effect.forkChild(db.flush("memtable"), { startImmediately: true })
    yield* TestClock.adjust("5 seconds")
    assert.strictEqual((yield* db.status).immutableMemtables, 1)
    assert.deepStrictEqual(TestDb.paths(bucket, "db/compacted/"), [])
    yield* isUnshown(db, put)
    yield* gate.open
    yield* TestDb.awaitWithTime(Fiber.join(flush))
    yield* Fiber.join(put)
    assert.lengthOf(TestDb.paths(bucket, "db/compacted/"), 1)
  })
)

it.effect("with the WAL off, a row waits for the manifest that names its table", () =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    const process = yield* TestDb.process(bucket)
    const db = yield* process.open({ walEnabled: false })
    const table = yield* held(process, { operation: "putIfAbsent", path: "compacted/" })
    const manifest = yield* held(process, { operation: "putIfAbsent", path: "manifest/" })
    const put = yield* Effect.forkChild(db.put("a", "1"), { startImmediately: true })
    yield* isUnshown(db, put)
    const flush = yield* Effect.forkChild(db.flush("memtable"), { startImmediately: true })
    yield* TestClock.adjust("10 millis")
    yield* table.reached()
    yield* isUnshown(db, put)
    yield* table.open
    yield* TestClock.adjust("10 millis")
    yield* manifest.reached()
    assert.lengthOf(TestDb.paths(bucket, "db/compacted/"), 1)
    yield* isUnshown(db, put)
    yield* manifest.open
    yield* Fiber.join(flush)
    yield* Fiber.join(put)
    assert.deepStrictEqual(yield* shown(db, "committed"), theRow)
  })
)
