import * as Fault from "@effect-slatedb/testkit/Fault"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as TestDb from "../../support/TestDb.ts"

it.effect("after an outage the manifest is not polled for every poll that was missed", () =>
  Effect.gen(function* () {
    const process = yield* TestDb.alone
    const db = yield* process.open()
    yield* process.faults.add({ fault: Fault.failBefore() })
    yield* TestClock.adjust("5 minutes")
    yield* process.faults.clear
    yield* process.faults.reset
    yield* TestClock.adjust("10 seconds")
    const polls = yield* process.faults.requests({ operation: "list", path: "manifest/" })
    assert.isAtLeast(polls.length, 9)
    // Ten of these seconds, the one that was waiting for the store, and one behind it.
    assert.isAtMost(polls.length, 12)
    yield* TestDb.awaitWithTime(db.put("a", "1"))
  })
)
