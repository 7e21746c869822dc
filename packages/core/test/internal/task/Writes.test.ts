import * as Clock from "effect/Clock"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as MergeOperator from "@effect-slatedb/core/MergeOperator"
import * as WriteBatch from "@effect-slatedb/core/WriteBatch"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestDb from "../../support/TestDb.ts"

/** A clock that goes on whenever it is read, as a real one may. */
const restlessClock = Effect.map(Clock.Clock, (clock): Clock.Clock => {
  let reads = 0
  return {
    ...clock,
    sleep: (duration) => clock.sleep(duration),
    currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + reads++
  }
})

it.effect("operands of one key in one batch expire together, though time goes on while the batch is read", () =>
  Effect.gen(function* () {
    const process = yield* TestDb.alone
    const db = yield* process.open().pipe(Effect.provideService(Clock.Clock, yield* restlessClock))
    const batch = ["a", "b", "c"].reduce(
      (batch, operand) => WriteBatch.merge(batch, "key", operand, { ttl: "1 hour" }),
      WriteBatch.empty
    )
    yield* db.write(batch, { awaitDurable: false })
    assert.deepStrictEqual(yield* TestDb.lines(db, KeyRange.all, { readLevel: "uncommitted" }), ["key=abc"])
  }).pipe(Effect.provideService(MergeOperator.MergeOperator, MergeOperator.append))
)
