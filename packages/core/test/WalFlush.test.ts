import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as Fault from "@effect-slatedb/testkit/Fault"
import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as TestDb from "./support/TestDb.ts"

it.effect("a store slower than the flush interval gets larger WAL objects, not a queue of them", () =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    const process = yield* TestDb.process(bucket)
    const db = yield* process.open()
    yield* process.faults.add({ operation: "putIfAbsent", path: "wal/", fault: Fault.delay("450 millis") })
    for (let i = 0; i < 100; i++) {
      yield* db.put(`key ${i}`, "value", { awaitDurable: false })
      yield* TestClock.adjust("20 millis")
    }
    // 2 seconds of writing with 450 ms uploads: 1 fence, then at most one object per upload.
    assert.isAtMost((yield* db.status).nextWalId, 7)
    yield* TestClock.adjust("2 seconds")
    const { durableSequence, visibleSequence } = yield* db.status
    assert.strictEqual(durableSequence, visibleSequence)
    assert.strictEqual((yield* TestDb.lines(db, KeyRange.all)).length, 100)
  })
)

it.effect("close stores what was accepted last, before it answers", () =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    const process = yield* TestDb.process(bucket)
    const db = yield* process.open()
    yield* process.faults.add({ fault: Fault.delay("30 millis") })
    yield* db.put("a", "1", { awaitDurable: false })
    yield* TestDb.awaitWithTime(db.close)
    const reader = yield* (yield* TestDb.process(bucket)).reader()
    assert.deepStrictEqual(yield* TestDb.lines(reader, KeyRange.all), ["a=1"])
  })
)

it.effect("the tick does not spin where the end of a window lies too near for a clock of fractions to go on", () =>
  Effect.gen(function* () {
    const process = yield* TestDb.alone
    yield* TestClock.setTime(12775.264676058769)
    const clock = yield* Clock.Clock
    let sleeps = 0
    const sleep = (duration: Duration.Duration) =>
      Effect.andThen(
        Effect.sync(() => sleeps++),
        clock.sleep(duration)
      )
    const db = yield* process.open().pipe(Effect.provideService(Clock.Clock, { ...clock, sleep }))
    yield* process.faults.add({ operation: "putIfAbsent", path: "wal/", fault: Fault.delay("10 seconds") })
    yield* TestClock.setTime(26754.410443937217)
    // What is written during an upload keeps the tick armed.
    yield* db.put("a", "1", { awaitDurable: false })
    yield* Effect.forkChild(db.flush("wal"), { startImmediately: true })
    yield* Effect.yieldNow
    yield* db.put("b", "2", { awaitDurable: false })
    yield* TestClock.adjust("1 second")
    assert.isBelow(sleeps, 100)
    yield* TestDb.awaitWithTime(db.close)
  })
)
