import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as Fault from "@effect-slatedb/testkit/Fault"
import { assert, it } from "@effect/vitest"
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
