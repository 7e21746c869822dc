/** L17: replay on open never waits for L0 room or unflushed limits; WALs are fetched in parallel and applied in order. */
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as MergeOperator from "@effect-slatedb/core/MergeOperator"
import * as Fault from "@effect-slatedb/testkit/Fault"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as OtherProcess from "../support/OtherProcess.ts"
import * as TestDb from "../support/TestDb.ts"

const later = { awaitDurable: false } as const

/** A bucket left by a crash, with so many WAL objects of 1,000 bytes that no table covers. */
const crashed = Effect.fnUntraced(function* (wals: number) {
  const bucket = TestDb.bucket()
  const process = yield* TestDb.process(bucket)
  const scope = yield* TestDb.manualScope
  const db = yield* process.open({ walFlush: "manual" }).pipe(Effect.provideService(Scope.Scope, scope.scope))
  for (let i = 0; i < wals; i++) {
    yield* db.merge("order", `${i},`, later)
    yield* db.put(`k${1000 + i}`, "v".repeat(1000), later)
    yield* db.flush("wal")
  }
  yield* TestDb.crash(process)
  return bucket
})

const order = (wals: number) => Array.from({ length: wals }, (_, i) => `${i},`).join("")

const withAppend = Effect.provideService(MergeOperator.MergeOperator, MergeOperator.append)

it.effect("open ends while level 0 is full and memory is over its limit, and shows everything", () =>
  Effect.gen(function* () {
    const bucket = yield* crashed(60)
    const process = yield* TestDb.process(bucket)
    const uploads = yield* process.faults.hold({ operation: "putIfAbsent", path: "compacted/" })
    const db = yield* process.open({ l0SstSizeBytes: 2000, maxUnflushedBytes: 10_000, l0MaxSsts: 1 })
    const status = yield* db.status
    assert.isAbove(status.unflushedBytes, 10_000)
    assert.isAbove(status.immutableMemtables, 20)
    assert.lengthOf(yield* TestDb.lines(db, KeyRange.all), 61)
    assert.strictEqual(TestDb.text(yield* db.get("order")), order(60))
    // Writers do wait: what they wrote before is not forgotten for it.
    const put = yield* Effect.forkChild(Effect.exit(db.put("new", "1")), { startImmediately: true })
    yield* uploads.open
    yield* TestClock.adjust("2 seconds")
    assert.isUndefined(put.pollUnsafe())
    assert.include((yield* db.status).warnings.join(), "level 0 is full")
    yield* Fiber.interrupt(put)
  }).pipe(withAppend)
)

it.effect("what was replayed reaches level 0 once there is room, memtable by memtable", () =>
  Effect.gen(function* () {
    const bucket = yield* crashed(40)
    const db = yield* (yield* TestDb.process(bucket)).open({ l0SstSizeBytes: 4000, l0MaxSsts: 1000 })
    yield* TestClock.adjust("1 second")
    yield* TestDb.awaitWithTime(db.flush("memtable"))
    const manifest = yield* OtherProcess.manifest(bucket)
    assert.isAtLeast(manifest.l0.length, 8)
    assert.strictEqual(manifest.lastL0Sequence, 80)
    assert.strictEqual(TestDb.text(yield* db.get("order")), order(40))
  }).pipe(withAppend)
)

it.effect("WAL objects are fetched several at once, and applied in order whichever comes first", () =>
  Effect.gen(function* () {
    const wals = 40
    const bucket = yield* crashed(wals)
    const process = yield* TestDb.process(bucket)
    // The later an object, the sooner it comes.
    for (let i = 0; i < wals; i++) {
      const path = OtherProcess.paths.wals.path(2 + i)
      yield* process.faults.add({ operation: "get", path, fault: Fault.delay(`${100 - 2 * i} millis`) })
    }
    let inFlight = 0
    const open = yield* Effect.forkChild(process.open({ replayFetchesMax: 8 }), { startImmediately: true })
    for (let i = 0; i < 500 && open.pollUnsafe() === undefined; i++) {
      yield* TestClock.adjust("2 millis")
      const requests = yield* process.faults.requests({ operation: "get", path: "wal/" })
      inFlight = Math.max(inFlight, requests.filter(({ outcome }) => outcome === "pending").length)
    }
    const db = yield* Fiber.join(open)
    assert.strictEqual(TestDb.text(yield* db.get("order")), order(wals))
    assert.strictEqual(inFlight, 8)
  }).pipe(withAppend)
)
