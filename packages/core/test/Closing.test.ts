/**
 * How a database ends: nothing accepted is lost while the store answers, nobody is
 * left waiting, and an end that cannot be a clean one says so.
 */
import * as CompactionPolicy from "@effect-slatedb/core/CompactionPolicy"
import * as Db from "@effect-slatedb/core/Db"
import type * as DbError from "@effect-slatedb/core/DbError"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Compactors from "./support/Compactors.ts"
import * as OtherProcess from "./support/OtherProcess.ts"
import * as TestDb from "./support/TestDb.ts"

const closedOf = (error: DbError.DbError): DbError.Closed =>
  error.reason._tag === "Closed" ? error.reason : assert.fail(`it failed with ${error.reason._tag}`)

/** What a database that is opened now finds. */
const found = (bucket: ReturnType<typeof TestDb.bucket>) =>
  Effect.flatMap(TestDb.process(bucket), ({ reader }) =>
    Effect.flatMap(reader(), (db) => TestDb.lines(db, KeyRange.all))
  )

describe("close", () => {
  it.effect("the end of the scope stores what was accepted", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const process = yield* TestDb.process(bucket)
      yield* Effect.scoped(Effect.flatMap(process.open(), (db) => db.put("a", "accepted", { awaitDurable: false })))
      assert.deepStrictEqual(yield* found(bucket), ["a=accepted"])
    })
  )

  it.effect("the end of the scope closes also when it is a failure or an interruption", () =>
    Effect.gen(function* () {
      for (const exit of [Exit.fail("a mistake"), Exit.die("a defect"), Exit.interrupt(1)]) {
        const bucket = TestDb.bucket()
        const process = yield* TestDb.process(bucket)
        const scope = yield* Scope.make()
        const db = yield* process.open().pipe(Effect.provideService(Scope.Scope, scope))
        yield* db.put("a", "1", { awaitDurable: false })
        yield* Scope.close(scope, exit)
        assert.strictEqual((yield* db.status).state, "closed")
        assert.deepStrictEqual(yield* found(bucket), ["a=1"])
      }
    })
  )

  it.effect("writers that wait for durability are answered by it", () =>
    Effect.gen(function* () {
      const process = yield* TestDb.alone
      const db = yield* process.open({ walFlush: "manual" })
      const put = yield* Effect.forkChild(db.put("a", "1"), { startImmediately: true })
      yield* db.close
      assert.deepStrictEqual(yield* Fiber.await(put), Exit.void)
    })
  )

  it.effect("without a WAL, what was accepted is in level 0", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const db = yield* (yield* TestDb.process(bucket)).open({ walEnabled: false })
      const put = yield* Effect.forkChild(db.put("a", "1"), { startImmediately: true })
      yield* db.close
      assert.deepStrictEqual(yield* Fiber.await(put), Exit.void)
      assert.lengthOf((yield* OtherProcess.manifest(bucket)).l0, 1)
      assert.deepStrictEqual(TestDb.paths(bucket, "db/wal/"), [])
    })
  )

  it.effect("twice, at once and later, and with the scope's end: one end, one answer", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const process = yield* TestDb.process(bucket)
      const scope = yield* TestDb.manualScope
      const db = yield* process.open().pipe(Effect.provideService(Scope.Scope, scope.scope))
      yield* db.put("a", "1", { awaitDurable: false })
      yield* process.faults.reset
      yield* Effect.all([db.close, db.close, scope.close, db.close], { concurrency: "unbounded" })
      yield* db.close
      const uploads = yield* process.faults.requests({ operation: "putIfAbsent" })
      assert.deepStrictEqual(
        uploads.map(({ path }) => path),
        [OtherProcess.paths.wals.path(2)]
      )
      const { closed, state } = yield* db.status
      assert.deepStrictEqual([state, closed?.kind], ["closed", "clean"])
    })
  )

  it.effect("while it closes, reads are answered and writes refused; afterwards nothing is asked of the store", () =>
    Effect.gen(function* () {
      const process = yield* TestDb.alone
      const db = yield* process.open()
      yield* TestDb.awaitWithTime(db.put("a", "1"))
      yield* db.put("b", "1", { awaitDurable: false })
      const gate = yield* process.faults.hold({ operation: "putIfAbsent" })
      const close = yield* Effect.forkChild(db.close, { startImmediately: true })
      yield* gate.reached()
      assert.strictEqual((yield* db.status).state, "closing")
      assert.strictEqual(TestDb.text(yield* db.get("a")), "1")
      for (const call of [db.put("c", "1"), db.flush("wal"), db.flush("memtable")]) {
        assert.include(closedOf(yield* Effect.flip(call)).detail, "is closing")
      }
      yield* gate.open
      yield* Fiber.join(close)
      for (const call of [db.put("c", "1"), db.getOption("a"), db.flush("wal")]) {
        assert.strictEqual(closedOf(yield* Effect.flip(call)).kind, "clean")
      }
      yield* process.faults.reset
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(yield* process.faults.requests(), 0)
    })
  )

  it.effect("writers that wait for memory are refused; what was accepted before them is stored", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const db = yield* (yield* TestDb.process(bucket)).open({
        maxUnflushedBytes: 100_000,
        l0SstSizeBytes: 50_000,
        l0MaxSsts: 1
      })
      let accepted = 0
      const write = Effect.forever(
        Effect.suspend(() =>
          Effect.tap(db.put(`k${String(accepted).padStart(4, "0")}`, "v".repeat(2000), { awaitDurable: false }), () =>
            Effect.sync(() => accepted++)
          )
        )
      )
      const writer = yield* Effect.forkChild(Effect.flip(write), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      assert.isUndefined(writer.pollUnsafe(), "it waits")
      yield* TestDb.awaitWithTime(db.close)
      assert.strictEqual(closedOf(yield* Fiber.join(writer)).kind, "clean")
      assert.lengthOf(yield* found(bucket), accepted)
    })
  )

  it.effect("with a store that never answers it ends after closeTimeout with an error, and so do the writers", () =>
    Effect.gen(function* () {
      const process = yield* TestDb.alone
      const db = yield* process.open({ closeTimeout: "10 seconds" })
      yield* process.faults.hold({})
      const put = yield* Effect.forkChild(Effect.flip(db.put("a", "1")), { startImmediately: true })
      const close = yield* Effect.forkChild(Effect.flip(db.close), { startImmediately: true })
      yield* TestClock.adjust("9999 millis")
      assert.isUndefined(close.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      const { detail, kind } = closedOf(yield* Fiber.join(close))
      assert.strictEqual(kind, "failed")
      assert.include(detail, "accepted writes could not be stored in time")
      assert.include(detail, "settings.closeTimeout=10000ms")
      assert.strictEqual(closedOf(yield* Fiber.join(put)).detail, detail)
      assert.strictEqual((yield* db.status).state, "closed")
    })
  )

  it.effect("with a store that fails for a while it tries again until it is stored", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const process = yield* TestDb.process(bucket)
      const db = yield* process.open()
      yield* db.put("a", "1", { awaitDurable: false })
      const gate = yield* process.faults.hold({ operation: "putIfAbsent" })
      const close = yield* Effect.forkChild(db.close, { startImmediately: true })
      yield* TestClock.adjust("20 seconds")
      assert.isUndefined(close.pollUnsafe())
      yield* gate.open
      yield* Fiber.join(close)
      assert.deepStrictEqual(yield* found(bucket), ["a=1"])
    })
  )

  it.effect("of a fenced database is an error when accepted writes went with it, and none when not", () =>
    Effect.gen(function* () {
      for (const hasWrites of [true, false]) {
        const bucket = TestDb.bucket()
        const older = yield* (yield* TestDb.process(bucket)).open({ walFlush: "manual" })
        if (hasWrites) yield* older.put("a", "1", { awaitDurable: false })
        yield* (yield* TestDb.process(bucket)).open()
        const exit = yield* TestDb.exitWithTime(older.close)
        if (hasWrites) assert.strictEqual(closedOf(yield* Effect.flip(older.close)).kind, "fenced")
        else assert.deepStrictEqual(exit, Exit.void)
        assert.strictEqual((yield* older.status).state, "closed")
      }
    })
  )

  it.effect("an interrupted close ends the database all the same", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const process = yield* TestDb.process(bucket)
      const db = yield* process.open()
      yield* db.put("a", "1", { awaitDurable: false })
      const gate = yield* process.faults.hold({ operation: "putIfAbsent" })
      const close = yield* Effect.forkChild(db.close, { startImmediately: true })
      yield* gate.reached()
      const interrupt = yield* Effect.forkChild(Fiber.interrupt(close), { startImmediately: true })
      yield* gate.open
      yield* Fiber.join(interrupt)
      assert.strictEqual((yield* db.status).closed?.kind, "clean")
      assert.deepStrictEqual(yield* found(bucket), ["a=1"])
    })
  )

  it.effect("what the scope's end could not store is in the log", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => {
        lines.push(`${logLevel} ${String(message)}`)
      })
      const process = yield* TestDb.alone
      const open = Effect.scoped(
        Effect.gen(function* () {
          const db = yield* process.open()
          yield* db.put("a", "1", { awaitDurable: false })
          yield* process.faults.hold({})
        })
      )
      yield* TestDb.awaitWithTime(Effect.provide(open, Logger.layer([logger])))
      assert.match(lines.join("\n"), /^Error effect-slatedb: close failed: database is closed: kind=failed/m)
    })
  )

  // Fails when the compactor is waited for before the WAL is stored: its request cannot be interrupted.
  it.effect("a compaction that hangs keeps no accepted write from being stored, and can be gone on with", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const { faults } = yield* TestDb.process(bucket)
      const store: ObjectStore["Service"] = {
        ...faults.store,
        putIfAbsent: (path, body, options) =>
          path.includes("compacted/")
            ? Effect.uninterruptible(faults.store.putIfAbsent(path, body, options))
            : faults.store.putIfAbsent(path, body, options)
      }
      const policy = CompactionPolicy.sizeTiered({ minSources: 2 })
      const db = yield* Db.make({
        path: "db",
        settings: { walFlush: "manual", compactorPollInterval: "1 second" }
      }).pipe(
        Effect.provideService(ObjectStore, store),
        Effect.provideService(CompactionPolicy.CompactionPolicy, policy)
      )
      yield* Compactors.fill(db, { from: 0, to: 2, keys: 1 })
      const output = yield* faults.hold({ operation: "putIfAbsent", path: "compacted/" })
      yield* TestClock.adjust("1 second")
      yield* output.reached()
      yield* db.put("a", "1", { awaitDurable: false })
      const close = yield* Effect.forkChild(db.close, { startImmediately: true })
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* found(bucket))[0], "a=1")
      assert.strictEqual(
        (yield* db.status).closed?.kind,
        "clean",
        "closed to all who ask; its end waits for the request"
      )
      yield* output.open
      yield* Fiber.join(close)
      assert.lengthOf(Compactors.active(bucket), 1)

      const next = yield* (yield* TestDb.process(bucket)).open({ compactorPollInterval: "1 second" })
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual([(yield* next.status).l0Tables, (yield* next.status).compactionsCompleted], [0, 1])
      assert.deepStrictEqual(Compactors.active(bucket), [])
      assert.deepStrictEqual(yield* Compactors.faults(bucket), [])
    })
  )

  // The drain of a compactor that paused after a failure came before the WAL's flush, and outlasted closeTimeout.
  it.effect("a compactor that fails neither delays it nor costs an accepted write", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const sick: CompactionPolicy.CompactionPolicy = {
        choose: () => {
          throw new Error("no such policy")
        }
      }
      const db = yield* (yield* TestDb.process(bucket))
        .open({ walFlush: "manual" })
        .pipe(Effect.provideService(CompactionPolicy.CompactionPolicy, sick))
      yield* TestClock.adjust("5 minutes")
      yield* db.put("a", "1", { awaitDurable: false })
      yield* db.close
      assert.deepStrictEqual(yield* found(bucket), ["a=1"])
    })
  )
})
