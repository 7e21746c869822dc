/**
 * What a database is done with it does not hold: once its rows are in tables, a
 * generation can be collected, whoever was or is at work on it. Counted on the heap.
 */
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as v8 from "node:v8"
import { SsTableWriter } from "../src/internal/format/SsTableWriter.ts"
import { Generation } from "../src/internal/lsm/Generation.ts"
import * as TestDb from "./support/TestDb.ts"

const later = { awaitDurable: false } as const

/** How many of a class something still refers to, after a full collection. Takes half a second. */
const held = (of: typeof Generation | typeof SsTableWriter) =>
  Effect.promise(async () => {
    // Fibers that have ended are let go with the turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve))
    return v8.queryObjects(of, { format: "count" })
  })

const puts = (db: Effect.Success<ReturnType<TestDb.Process["open"]>>, count: number) =>
  Effect.forEach(
    Array.from({ length: count }, (_, n) => n),
    (n) => db.put(`key/${10_000 + n}`, "value", later),
    {
      discard: true
    }
  )

describe("a generation is let go once it is in level 0", () => {
  it.effect("the first one of a database, too", () =>
    Effect.gen(function* () {
      const db = yield* (yield* TestDb.alone).open()
      for (let round = 0; round < 2; round++) {
        yield* puts(db, 10)
        yield* TestDb.awaitWithTime(db.flush("memtable"))
        assert.strictEqual(yield* held(Generation), 1, `round=${round}`)
      }
      assert.strictEqual(
        yield* held(SsTableWriter),
        1,
        "what encodes the next WAL, and nothing that encoded these rows"
      )
    })
  )

  it.effect("and those that replay sealed", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      yield* Effect.gen(function* () {
        const db = yield* (yield* TestDb.process(bucket)).open({ walFlush: "manual" })
        for (let wal = 0; wal < 6; wal++) {
          yield* puts(db, 10)
          yield* db.flush("wal")
        }
      }).pipe(Effect.scoped)
      const db = yield* (yield* TestDb.process(bucket)).open({ walFilesPerMemtableMax: 2 })
      yield* TestDb.awaitWithTime(db.flush("memtable"))
      yield* TestClock.adjust("1 second")
      assert.isAtLeast((yield* db.status).l0Tables, 3)
      assert.strictEqual(yield* held(Generation), 1)
    })
  )

  it.effect("while a scan is held open that began in it", () =>
    Effect.gen(function* () {
      const db = yield* (yield* TestDb.alone).open()
      yield* puts(db, 2000)
      yield* TestDb.awaitWithTime(db.flush("wal"))
      const scan = yield* Stream.toPull(db.scan(KeyRange.all))
      let entries = (yield* scan).length
      yield* TestDb.awaitWithTime(db.flush("memtable"))
      assert.strictEqual(yield* held(Generation), 1)
      while (entries < 2000) entries += (yield* scan).length
      assert.strictEqual(entries, 2000)
    })
  )

  it.effect("after ranges, of which one is kept", () =>
    Effect.gen(function* () {
      const db = yield* (yield* TestDb.alone).open()
      yield* puts(db, 10)
      for (const order of ["ascending", "descending"] as const) {
        const entries = yield* db.getRange(KeyRange.all, { order, readLevel: "uncommitted" })
        assert.strictEqual(entries.length, 10)
      }
      yield* TestDb.awaitWithTime(db.flush("memtable"))
      assert.strictEqual(yield* held(Generation), 1)
    })
  )

  it.effect("by a reader that moved on", () =>
    Effect.gen(function* () {
      const process = yield* TestDb.alone
      const db = yield* process.open()
      yield* puts(db, 10)
      yield* TestDb.awaitWithTime(db.flush("wal"))
      const reader = yield* process.reader()
      for (let round = 0; round < 2; round++) {
        yield* puts(db, 10)
        yield* TestDb.awaitWithTime(db.flush("memtable"))
        yield* reader.refresh
      }
      assert.strictEqual(yield* held(Generation), 2, "there is that of the writer and that of the reader")
    })
  )
})
