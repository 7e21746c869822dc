/**
 * The compactor of a database: when it does something at all, what it leaves in the
 * registers, and what it does when a store request fails or it finds a successor.
 */
import type * as Db from "@effect-slatedb/core/Db"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import type * as Settings from "@effect-slatedb/core/Settings"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as OtherProcess from "../../support/OtherProcess.ts"
import * as TestDb from "../../support/TestDb.ts"

const settings: Settings.Input = { compactorPollInterval: "1 second", manifestPollInterval: "1 second" }

/** Fills level 0 with `tables` tables of the same keys. */
const fill = Effect.fnUntraced(function* (db: Db.Db["Service"], tables: number, from = 0) {
  for (let table = from; table < from + tables; table++) {
    for (let key = 0; key < 5; key++) yield* db.put(`k${key}`, `v${table}`, { awaitDurable: false })
    yield* TestDb.awaitWithTime(db.flush("memtable"))
  }
})

describe("the compactor of a database", () => {
  it.effect("merges level 0 into a run", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const process = yield* TestDb.process(bucket)
      const db = yield* process.open(settings)
      yield* fill(db, 4)
      yield* TestClock.adjust("5 seconds")
      const { l0, runs } = yield* OtherProcess.manifest(bucket)
      console.log(yield* db.status)
      assert.lengthOf(l0, 0)
      assert.lengthOf(runs, 1)
      assert.lengthOf(yield* TestDb.lines(db, KeyRange.all), 5)
    })
  )
})
