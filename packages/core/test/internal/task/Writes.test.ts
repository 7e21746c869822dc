import * as Clock from "effect/Clock"
import type * as Db from "@effect-slatedb/core/Db"
import type * as DbError from "@effect-slatedb/core/DbError"
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

const many = Array.from({ length: 256 }, (_, i) => `key ${i}`).reduce(
  (batch, key) => WriteBatch.put(batch, key, "value"),
  WriteBatch.empty
)
const now = { awaitDurable: false }

for (const [what, count, write] of [
  ["rows", 4096, (db, i) => db.put(`key ${i}`, "value", now)],
  ["batches", 16, (db) => db.write(many, now)],
  ["large values", 4, (db) => db.put("large", new Uint8Array(1 << 20), now)]
] satisfies ReadonlyArray<
  readonly [string, number, (db: Db.Db["Service"], i: number) => Effect.Effect<void, DbError.DbError>]
>) {
  it.effect(`a writer that waits for nothing leaves turns to others: ${what}`, () =>
    Effect.gen(function* () {
      const process = yield* TestDb.alone
      const db = yield* process.open()
      const turns = { count: 0 }
      yield* Effect.forkChild(
        Effect.forever(
          Effect.andThen(
            Effect.yieldNow,
            Effect.sync(() => turns.count++)
          )
        )
      )
      yield* Effect.promise(async () => {
        for (let i = 0; i < count; i++) await Effect.runPromise(write(db, i))
      })
      assert.isAtLeast(turns.count, 2)
    })
  )
}
