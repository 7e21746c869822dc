import type * as DbError from "@effect-slatedb/core/DbError"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as Fault from "@effect-slatedb/testkit/Fault"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as TestDb from "./support/TestDb.ts"

const closedKind = (error: DbError.DbError | DbError.KeyNotFound) =>
  error._tag === "DbError" && error.reason._tag === "Closed" ? error.reason.kind : error

it.effect("an older writer acknowledges nothing after a younger one has opened", () =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    const first = yield* TestDb.process(bucket)
    const second = yield* TestDb.process(bucket)
    const older = yield* first.open()
    yield* TestDb.awaitWithTime(older.put("a", "older"))
    const younger = yield* second.open()
    const error = yield* TestDb.awaitWithTime(Effect.flip(older.put("b", "older")))
    assert.strictEqual(closedKind(error), "fenced")
    yield* TestDb.awaitWithTime(younger.put("c", "younger"))
    assert.deepStrictEqual(yield* TestDb.lines(younger, KeyRange.all), ["a=older", "c=younger"])
    assert.strictEqual(closedKind(yield* Effect.flip(older.get("a"))), "fenced")
    assert.strictEqual((yield* older.status).state, "closed")
  })
)

it.effect("an idle older writer learns of its successor from the manifest", () =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    const older = yield* (yield* TestDb.process(bucket)).open()
    yield* (yield* TestDb.process(bucket)).open()
    yield* TestClock.adjust("1 second")
    assert.strictEqual((yield* older.status).closed?.kind, "fenced")
  })
)

it.effect("a WAL object whose answer was lost before the fence is replayed, and the older writer fails", () =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    const first = yield* TestDb.process(bucket)
    const older = yield* first.open()
    // The PUT lands, its answers never come back.
    yield* first.faults.add({ operation: "putIfAbsent", path: "wal/", fault: Fault.failAfter() })
    const put = yield* Effect.forkChild(older.put("a", "landed"), { startImmediately: true })
    yield* TestClock.adjust("150 millis")
    const second = yield* (yield* TestDb.process(bucket)).open()
    assert.deepStrictEqual(yield* TestDb.lines(second, KeyRange.all), ["a=landed"])
    yield* first.faults.clear
    const exit = yield* TestDb.exitWithTime(Fiber.join(put))
    // Its object is there under its own put id, but a manifest with a greater epoch is, too.
    assert.isTrue(exit._tag === "Success" || (yield* older.status).closed?.kind === "fenced")
    yield* TestDb.awaitWithTime(second.put("b", "2"))
    const error = yield* TestDb.awaitWithTime(Effect.flip(older.put("c", "3")))
    assert.strictEqual(closedKind(error), "fenced")
    assert.deepStrictEqual(yield* TestDb.lines(second, KeyRange.all), ["a=landed", "b=2"])
  })
)

it.effect("a WAL object in flight while a successor fences is either replayed by it or never acknowledged", () =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    const first = yield* TestDb.process(bucket)
    const older = yield* first.open()
    const gate = yield* first.faults.hold({ operation: "putIfAbsent", path: "wal/" })
    const put = yield* Effect.forkChild(Effect.exit(older.put("a", "late")), { startImmediately: true })
    yield* TestClock.adjust("150 millis")
    yield* gate.reached()
    const younger = yield* (yield* TestDb.process(bucket)).open()
    yield* gate.open
    yield* TestClock.adjust("1 second")
    const exit = yield* Fiber.join(put)
    assert.strictEqual(exit._tag, "Failure")
    assert.deepStrictEqual(yield* TestDb.lines(younger, KeyRange.all), [])
  })
)

it.effect("a fenced writer's memtable flush commits no manifest", () =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    const first = yield* TestDb.process(bucket)
    const older = yield* first.open()
    yield* TestDb.awaitWithTime(older.put("a", "1"))
    const gate = yield* first.faults.hold({ operation: "putIfAbsent", path: "compacted/" })
    const flush = yield* Effect.forkChild(Effect.exit(older.flush("memtable")), { startImmediately: true })
    yield* TestClock.adjust("10 millis")
    yield* gate.reached()
    const younger = yield* (yield* TestDb.process(bucket)).open()
    const { manifestId } = yield* younger.status
    yield* gate.open
    yield* TestClock.adjust("2 seconds")
    assert.strictEqual((yield* Fiber.join(flush))._tag, "Failure")
    assert.strictEqual((yield* younger.status).manifestId, manifestId)
    assert.deepStrictEqual(yield* TestDb.lines(younger, KeyRange.all), ["a=1"])
  })
)

it.effect("two writers that open at the same moment: one of them stays open, and it sees everything", () =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    const processes = yield* Effect.forEach([1, 2, 3, 4], () => TestDb.process(bucket))
    for (const { faults } of processes) yield* faults.add({ fault: Fault.delayBetween("1 millis", "30 millis") })
    const scope = yield* Effect.scope
    const open = (process: TestDb.Process) => Effect.exit(Effect.provideService(process.open(), Scope.Scope, scope))
    const exits = yield* TestDb.awaitWithTime(Effect.forEach(processes, open, { concurrency: "unbounded" }))
    const opened = exits.flatMap((exit) => (exit._tag === "Success" ? [exit.value] : []))
    assert.isAbove(opened.length, 0)
    yield* TestClock.adjust("5 seconds")
    const states = yield* Effect.forEach(opened, (db) => db.status)
    assert.strictEqual(states.filter(({ state }) => state === "open").length, 1)
    const survivor = opened[states.findIndex(({ state }) => state === "open")]
    if (survivor === undefined) return assert.fail("nobody stayed open")
    yield* TestDb.awaitWithTime(survivor.put("a", "1"))
    assert.deepStrictEqual(yield* TestDb.lines(survivor, KeyRange.all), ["a=1"])
  })
)

it.effect("a writer that slept until its fence was collected acknowledges nothing, though its PUT lands", () =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    const first = yield* TestDb.process(bucket)
    const older = yield* first.open()
    // Suspended in the middle of its PUT: nothing of this process reaches the store, no answer comes back.
    const upload = yield* first.faults.hold({ operation: "putIfAbsent", path: "wal/" })
    const polls = yield* first.faults.hold({ operation: "list" })
    const put = yield* Effect.forkChild(Effect.exit(older.put("a", "zombie")), { startImmediately: true })
    yield* TestClock.adjust("150 millis")
    yield* upload.reached()
    // The successor fences at that very id and flushes past it; a collector then removes the fence.
    const second = yield* TestDb.process(bucket)
    const younger = yield* second.open()
    yield* TestDb.awaitWithTime(younger.put("b", "younger"))
    yield* TestDb.awaitWithTime(younger.flush("memtable"))
    yield* TestClock.adjust("10 minutes")
    for (const path of TestDb.paths(bucket, "db/wal/")) yield* second.faults.store.delete(path)
    yield* upload.open
    yield* TestClock.adjust("1 second")
    assert.strictEqual(TestDb.paths(bucket, "db/wal/").length, 1, "the zombie's object landed")
    assert.isUndefined(put.pollUnsafe(), "and is not acknowledged")
    yield* polls.open
    yield* TestClock.adjust("2 seconds")
    assert.strictEqual((yield* Fiber.join(put))._tag, "Failure")
    assert.strictEqual((yield* older.status).closed?.kind, "fenced")
  })
)

it.effect("a writer whose lease is stale, and who has no successor, acknowledges after one manifest read", () =>
  Effect.gen(function* () {
    const process = yield* TestDb.alone
    const db = yield* process.open({ leaseDuration: "50 millis", manifestPollInterval: "1 hour" })
    yield* TestClock.adjust("1 second")
    yield* process.faults.reset
    yield* TestDb.awaitWithTime(db.put("a", "1"))
    const manifestReads = yield* process.faults.requests({ operation: "list", path: "manifest/" })
    assert.strictEqual(manifestReads.length, 1)
  })
)

it.effect("a fenced writer asks the store nothing any more", () =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    const first = yield* TestDb.process(bucket)
    yield* first.open()
    yield* (yield* TestDb.process(bucket)).open()
    yield* TestClock.adjust("2 seconds")
    yield* first.faults.reset
    yield* TestClock.adjust("1 minute")
    assert.strictEqual((yield* first.faults.requests()).length, 0)
  })
)

it.effect("a writer without a WAL fences the log of one that has it", () =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    const older = yield* (yield* TestDb.process(bucket)).open({ manifestPollInterval: "1 hour" })
    yield* TestDb.awaitWithTime(older.put("a", "older"))
    const younger = yield* (yield* TestDb.process(bucket)).open({ walEnabled: false })
    const error = yield* TestDb.awaitWithTime(Effect.flip(older.put("b", "older")))
    assert.strictEqual(closedKind(error), "fenced")
    yield* younger.put("c", "younger", { awaitDurable: false })
    yield* TestDb.awaitWithTime(younger.flush())
    assert.deepStrictEqual(yield* TestDb.lines(younger, KeyRange.all), ["a=older", "c=younger"])
  })
)

it.effect(
  "a writer that slept until its successor's manifest was collected acknowledges nothing, though its own lands",
  () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const first = yield* TestDb.process(bucket)
      const older = yield* first.open({ walEnabled: false })
      const upload = yield* first.faults.hold({ operation: "putIfAbsent", path: "manifest/" })
      const put = yield* Effect.forkChild(Effect.exit(older.put("a", "zombie")), { startImmediately: true })
      const flush = yield* Effect.forkChild(Effect.exit(older.flush()), { startImmediately: true })
      yield* upload.reached()
      const second = yield* TestDb.process(bucket)
      const younger = yield* second.open({ walEnabled: false })
      yield* younger.put("b", "younger", { awaitDurable: false })
      yield* TestDb.awaitWithTime(younger.flush())
      yield* TestClock.adjust("10 minutes")
      // A collector that keeps no boundary, as the official one of 0.12, takes all but the latest.
      for (const path of TestDb.paths(bucket, "db/manifest/").slice(0, -1)) yield* second.faults.store.delete(path)
      yield* upload.open
      yield* TestClock.adjust("1 second")
      assert.strictEqual(TestDb.paths(bucket, "db/manifest/").length, 2, "the zombie's manifest landed")
      assert.strictEqual((yield* Fiber.join(put))._tag, "Failure")
      assert.strictEqual((yield* Fiber.join(flush))._tag, "Failure")
      assert.strictEqual((yield* older.status).closed?.kind, "fenced")
    })
)

it.effect("a writer that opens while its predecessor flushes without a WAL gives no sequence number twice", () =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    const older = yield* (yield* TestDb.process(bucket)).open({ walEnabled: false })
    yield* older.put("a", "older", { awaitDurable: false })
    const second = yield* TestDb.process(bucket)
    const claim = yield* second.faults.hold({ operation: "putIfAbsent", path: "manifest/" })
    const opening = yield* Effect.forkChild(second.open({ walEnabled: false }), { startImmediately: true })
    yield* claim.reached()
    yield* TestDb.awaitWithTime(older.flush())
    yield* claim.open
    const younger = yield* TestDb.awaitWithTime(Fiber.join(opening))
    yield* younger.put("b", "younger", { awaitDurable: false })
    yield* TestDb.awaitWithTime(younger.flush())
    assert.deepStrictEqual(yield* TestDb.lines(younger, KeyRange.all), ["a=older", "b=younger"])
  })
)
