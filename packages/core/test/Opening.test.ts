/** What an open asks of the store, and in which order. */
import type * as Db from "@effect-slatedb/core/Db"
import type * as DbError from "@effect-slatedb/core/DbError"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import type * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as Fault from "@effect-slatedb/testkit/Fault"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as OtherProcess from "./support/OtherProcess.ts"
import * as TestDb from "./support/TestDb.ts"

/** Without tasks that ask the store for something at the same time. */
const quiet = { compactorEnabled: false, collectorEnabled: false } as const

const openAndClose = Effect.fnUntraced(function* (bucket: MemoryObjectStore.State) {
  yield* Effect.scoped(Effect.flatMap(TestDb.process(bucket), ({ open }) => open(quiet)))
})

/** What there is after an open that had read a log without rows when an older writer went on. */
const openWhile = Effect.fnUntraced(function* (
  between: (older: Db.Db["Service"]) => Effect.Effect<void, DbError.DbError>
) {
  const bucket = TestDb.bucket()
  const older = yield* (yield* TestDb.process(bucket)).open(quiet)
  const second = yield* TestDb.process(bucket)
  const claim = yield* second.faults.hold({ operation: "putIfAbsent", path: "manifest/" })
  const open = yield* Effect.forkChild(second.open(quiet), { startImmediately: true })
  yield* claim.reached()
  yield* between(older)
  yield* claim.open
  const lines = yield* TestDb.lines(yield* Fiber.join(open), KeyRange.all)
  const { lastL0Sequence, replayAfterWalId } = yield* OtherProcess.manifest(bucket)
  return { lines, replayAfterWalId, lastL0Sequence }
})

describe("an open", () => {
  it.effect("of a database that was closed asks for each thing once, one after another", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      yield* openAndClose(bucket)
      yield* openAndClose(bucket)
      const process = yield* TestDb.process(bucket)
      yield* process.open(quiet)
      const asked = (yield* process.faults.requests()).map(({ operation, path }) => `${operation} ${path}`)
      assert.deepStrictEqual(
        asked.filter((request) => !request.includes(".probe/")),
        [
          "list db/manifest/",
          "get db/manifest/00000000000000000003.manifest",
          "list db/wal/",
          "get db/wal/00000000000000000002.sst",
          "putIfAbsent db/manifest/00000000000000000004.manifest",
          "get db/gc/manifest.boundary",
          "list db/wal/",
          "putIfAbsent db/wal/00000000000000000003.sst"
        ]
      )
    })
  )

  it.effect("does not wait for the probe of the store, which takes three requests beside", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      yield* openAndClose(bucket)
      const process = yield* TestDb.process(bucket)
      yield* process.faults.add({ fault: Fault.delay("100 millis") })
      const millisOfOpen = Effect.gen(function* () {
        const scope = yield* Effect.scope
        const begin = yield* Clock.currentTimeMillis
        yield* TestDb.awaitWithTime(Effect.provideService(process.open(quiet), Scope.Scope, scope), "100 millis")
        return (yield* Clock.currentTimeMillis) - begin
      })
      const first = yield* millisOfOpen
      assert.lengthOf(yield* process.faults.requests({ path: ".probe/" }), 3)
      assert.strictEqual(yield* millisOfOpen, first)
      assert.lengthOf(yield* process.faults.requests({ path: ".probe/" }), 3)
    })
  )

  it.effect("after many that wrote nothing reads one object of the log", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      for (let i = 0; i < 20; i++) yield* openAndClose(bucket)
      const process = yield* TestDb.process(bucket)
      yield* process.open(quiet)
      const read = yield* process.faults.requests({ operation: "get", path: "wal/" })
      assert.deepStrictEqual(
        read.map(({ path }) => path),
        ["db/wal/00000000000000000020.sst"]
      )
      const { replayAfterWalId, walIdLastSeen } = yield* OtherProcess.manifest(bucket)
      assert.deepStrictEqual([replayAfterWalId, walIdLastSeen], [20, 20])
    })
  )

  it.effect("leaves the log as it is where it holds a row, also before fences", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const first = yield* TestDb.process(bucket)
      const db = yield* first.open(quiet)
      yield* TestDb.awaitWithTime(db.put("a", "1"))
      yield* TestDb.crash(first)
      for (let i = 0; i < 3; i++) yield* openAndClose(bucket)
      assert.strictEqual((yield* OtherProcess.manifest(bucket)).replayAfterWalId, 0)
      const last = yield* (yield* TestDb.process(bucket)).open(quiet)
      assert.deepStrictEqual(yield* TestDb.lines(last, KeyRange.all), ["a=1"])
    })
  )

  it.effect("covers no row of an older writer that stored one after the log was read", () =>
    Effect.gen(function* () {
      const found = yield* openWhile((older) => TestDb.awaitWithTime(older.put("a", "late")))
      assert.deepStrictEqual(found, { lines: ["a=late"], replayAfterWalId: 1, lastL0Sequence: 0 })
    })
  )

  it.effect("covers less than an older writer's flush that comes between", () =>
    Effect.gen(function* () {
      const found = yield* openWhile((older) =>
        Effect.andThen(
          older.put("a", "flushed", { awaitDurable: false }),
          TestDb.awaitWithTime(older.flush("memtable"))
        )
      )
      assert.deepStrictEqual(found, { lines: ["a=flushed"], replayAfterWalId: 2, lastL0Sequence: 1 })
    })
  )

  it.effect("writes nothing before the store has passed the probe", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const process = yield* TestDb.process(bucket)
      const probe = yield* process.faults.hold({ operation: "putIfAbsent", path: ".probe/" })
      const open = yield* Effect.forkChild(process.open(quiet), { startImmediately: true })
      yield* probe.reached()
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(TestDb.paths(bucket, ""), [])
      yield* probe.open
      yield* Fiber.join(open)
      assert.isAbove(TestDb.paths(bucket, "db/manifest/").length, 0)
    })
  )

  it.effect("that fails while the store is probed leaves nothing of the probe", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const process = yield* TestDb.process(bucket)
      const foreign = OtherProcess.paths.manifests.path(1)
      yield* process.faults.store.put(foreign, new Uint8Array(3))
      const manifest = yield* process.faults.hold({ operation: "get", path: "manifest/" })
      const created = yield* process.faults.hold({ operation: "putIfAbsent", path: ".probe/", at: "after" })
      const open = yield* Effect.forkChild(Effect.flip(process.open(quiet)), { startImmediately: true })
      yield* manifest.reached()
      yield* created.reached()
      assert.lengthOf(TestDb.paths(bucket, "db/.probe/"), 1)
      yield* manifest.open
      assert.strictEqual((yield* Fiber.join(open)).reason._tag, "Unsupported")
      assert.deepStrictEqual(TestDb.paths(bucket, ""), [foreign])
    })
  )
})
