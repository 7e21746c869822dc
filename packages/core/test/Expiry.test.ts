/** When values with a lifetime end, also where clocks disagree. */
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as TestDb from "./support/TestDb.ts"

it.effect("a writer whose clock is behind its predecessor's flushes values with their lifetime before them", () =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    yield* TestClock.setTime(600_000)
    const ahead = yield* (yield* TestDb.process(bucket)).open()
    yield* TestDb.awaitWithTime(ahead.put("a", "1"))
    yield* TestDb.awaitWithTime(ahead.close)

    yield* TestClock.setTime(0)
    const behind = yield* (yield* TestDb.process(bucket)).open()
    yield* TestDb.awaitWithTime(behind.put("b", "2", { ttl: "5 minutes" }))
    yield* TestDb.awaitWithTime(behind.flush("memtable"))
    assert.deepStrictEqual(yield* TestDb.lines(behind, KeyRange.all), ["a=1", "b=2"])
    yield* TestClock.setTime(600_000 + 301_000)
    assert.deepStrictEqual(yield* TestDb.lines(behind, KeyRange.all), ["a=1"])
  })
)
