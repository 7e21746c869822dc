import * as KeyRange from "@effect-slatedb/core/KeyRange"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as OtherProcess from "../../support/OtherProcess.ts"
import * as TestDb from "../../support/TestDb.ts"

it.effect("a table's id is above those that were compacted away, though the clock went back (L16)", () =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    yield* TestClock.setTime(600_000)
    const ahead = yield* (yield* TestDb.process(bucket)).open()
    yield* TestDb.awaitWithTime(ahead.put("a", "1"))
    yield* TestDb.awaitWithTime(ahead.flush("memtable"))
    yield* TestDb.awaitWithTime(ahead.close)
    yield* OtherProcess.compact(bucket)

    yield* TestClock.setTime(0)
    const behind = yield* (yield* TestDb.process(bucket)).open()
    yield* TestDb.awaitWithTime(behind.put("b", "2"))
    yield* TestDb.awaitWithTime(behind.flush("memtable"))
    const { l0, lastCompactedViewId } = yield* OtherProcess.manifest(bucket)
    assert.isAbove((l0[0]?.id ?? "").localeCompare(lastCompactedViewId ?? ""), 0)
    assert.deepStrictEqual(yield* TestDb.lines(behind, KeyRange.all), ["a=1", "b=2"])
  })
)
