import type * as Db from "@effect-slatedb/core/Db"
import type * as DbError from "@effect-slatedb/core/DbError"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as MergeOperator from "@effect-slatedb/core/MergeOperator"
import * as Fault from "@effect-slatedb/testkit/Fault"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as OtherProcess from "./support/OtherProcess.ts"
import * as TestDb from "./support/TestDb.ts"

const writerAndReader = Effect.gen(function* () {
  const bucket = TestDb.bucket()
  const process = yield* TestDb.process(bucket)
  const db = yield* (yield* TestDb.process(bucket)).open()
  return { bucket, db, process, reader: yield* process.reader() }
})

/** A durable put that does not wait for the tick. */
const store = (db: Db.Db["Service"], key: string, value: string) =>
  Effect.andThen(db.put(key, value, { awaitDurable: false }), db.flush("wal"))

const keys = (count: number) => Array.from({ length: count }, (_, i) => `k${String(i).padStart(4, "0")}`)

/** One durable batch of writes. */
const storeAll = (db: Db.Db["Service"], names: ReadonlyArray<string>, value: string) =>
  Effect.andThen(
    Effect.forEach(names, (key) => db.put(key, value, { awaitDurable: false }), { discard: true }),
    db.flush("wal")
  )

const reasonOf = (error: DbError.DbError) => error.reason._tag

describe("a reader", () => {
  it.effect("shows the moment at which it was opened, until it is refreshed", () =>
    Effect.gen(function* () {
      const { db, reader } = yield* writerAndReader
      yield* store(db, "a", "1")
      assert.deepStrictEqual(yield* TestDb.lines(reader, KeyRange.all), [])
      yield* reader.refresh
      yield* store(db, "a", "2")
      yield* store(db, "b", "1")
      assert.deepStrictEqual(yield* TestDb.lines(reader, KeyRange.all), ["a=1"])
      assert.strictEqual(TestDb.text(yield* reader.get("a")), "1")
      yield* reader.refresh
      assert.deepStrictEqual(yield* TestDb.lines(reader, KeyRange.all), ["a=2", "b=1"])
      yield* db.flush("memtable")
      yield* reader.refresh
      assert.deepStrictEqual(yield* TestDb.lines(reader, KeyRange.all), ["a=2", "b=1"])
      assert.strictEqual((yield* reader.status).l0Tables, 1)
    })
  )

  it.effect("never sees what is not durable", () =>
    Effect.gen(function* () {
      const { db, reader } = yield* writerAndReader
      yield* db.put("a", "1", { awaitDurable: false })
      yield* reader.refresh
      for (const readLevel of ["committed", "uncommitted"] as const) {
        assert.deepStrictEqual(yield* TestDb.lines(reader, KeyRange.all, { readLevel }), [])
      }
    })
  )

  it.effect("says which moment it shows", () =>
    Effect.gen(function* () {
      const { db, reader } = yield* writerAndReader
      yield* store(db, "a", "1")
      yield* reader.refresh
      assert.deepStrictEqual(yield* reader.status, {
        manifestId: 2,
        writerEpoch: 1,
        lastWalId: 2,
        lastSequence: 1,
        l0Tables: 0,
        sortedRuns: 0
      })
    })
  )

  it.effect("writes nothing, fences nobody and has no timer", () =>
    Effect.gen(function* () {
      const { db, process, reader } = yield* writerAndReader
      yield* store(db, "a", "1")
      yield* db.flush("memtable")
      yield* reader.refresh
      yield* reader.get("a")
      yield* TestDb.lines(reader, KeyRange.all)
      const { counts } = { counts: yield* process.faults.counts }
      for (const operation of ["put", "putIfAbsent", "delete"] as const) assert.strictEqual(counts[operation].count, 0)
      yield* process.faults.reset
      yield* TestClock.adjust("1 hour")
      assert.lengthOf(yield* process.faults.requests(), 0)
      yield* store(db, "b", "1")
      assert.strictEqual((yield* db.status).state, "open")
    })
  )

  it.effect("asks two listings for a refresh that finds nothing", () =>
    Effect.gen(function* () {
      const { process, reader } = yield* writerAndReader
      yield* process.faults.reset
      yield* reader.refresh
      assert.deepStrictEqual(
        (yield* process.faults.requests()).map(({ operation, path }) => `${operation} ${path}`),
        ["list db/manifest/", "list db/wal/"]
      )
    })
  )

  it.effect("reads only the WAL objects that are new", () =>
    Effect.gen(function* () {
      const { db, process, reader } = yield* writerAndReader
      yield* store(db, "a", "1")
      yield* reader.refresh
      yield* store(db, "b", "1")
      yield* process.faults.reset
      yield* reader.refresh
      assert.deepStrictEqual(
        (yield* process.faults.requests({ operation: "get" })).map(({ path }) => path),
        [OtherProcess.paths.wals.path(3)]
      )
    })
  )

  it.effect("there is no database: it says so and creates none", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const error = yield* Effect.flip((yield* TestDb.process(bucket)).reader())
      assert.include(error.message, "there is no database at path=db; a reader does not create one")
      assert.strictEqual(bucket.objects.size, 0)
    })
  )

  it.effect("a compaction by another process is seen after a refresh", () =>
    Effect.gen(function* () {
      const { bucket, db, reader } = yield* writerAndReader
      yield* storeAll(db, keys(10), "1")
      yield* db.flush("memtable")
      yield* OtherProcess.compact(bucket)
      yield* reader.refresh
      const { l0Tables, sortedRuns } = yield* reader.status
      assert.deepStrictEqual([l0Tables, sortedRuns], [0, 1])
      assert.lengthOf(yield* TestDb.lines(reader, KeyRange.all), 10)
    })
  )
})

describe("a reader whose WAL objects are collected under it", () => {
  it.effect("begins again from the newer manifest that covers them", () =>
    Effect.gen(function* () {
      const { bucket, db, process, reader } = yield* writerAndReader
      yield* store(db, "a", "1")
      yield* store(db, "b", "1")
      const gate = yield* process.faults.hold({ operation: "get", path: "wal/" })
      const refresh = yield* Effect.forkChild(reader.refresh, { startImmediately: true })
      yield* gate.reached()
      yield* db.flush("memtable")
      yield* OtherProcess.collectWals(bucket, 3)
      yield* gate.open
      yield* Fiber.join(refresh)
      assert.deepStrictEqual(yield* TestDb.lines(reader, KeyRange.all), ["a=1", "b=1"])
    })
  )

  it.effect("says that one is missing when no manifest covers it", () =>
    Effect.gen(function* () {
      const { bucket, db, reader } = yield* writerAndReader
      yield* store(db, "a", "1")
      yield* store(db, "b", "1")
      yield* OtherProcess.collectWals(bucket, 2)
      const error = yield* Effect.flip(reader.refresh)
      assert.strictEqual(reasonOf(error), "Corrupt")
      assert.include(error.message, `object=${OtherProcess.paths.wals.path(2)}`)
      assert.deepStrictEqual(yield* TestDb.lines(reader, KeyRange.all), [], "and goes on to show what it did")
    })
  )
})

describe("a refresh", () => {
  it.effect("that fails leaves the reader as it was, and may be made again", () =>
    Effect.gen(function* () {
      const { db, process, reader } = yield* writerAndReader
      yield* store(db, "a", "1")
      yield* reader.refresh
      yield* store(db, "a", "2")
      const { remove } = yield* process.faults.add({ fault: Fault.failBefore() })
      assert.strictEqual(reasonOf(yield* Effect.flip(reader.refresh)), "Unavailable")
      assert.strictEqual(TestDb.text(yield* reader.get("a")), "1")
      yield* remove
      yield* reader.refresh
      assert.strictEqual(TestDb.text(yield* reader.get("a")), "2")
    })
  )

  it.effect("waits for the one before it", () =>
    Effect.gen(function* () {
      const { db, process, reader } = yield* writerAndReader
      yield* store(db, "a", "1")
      yield* process.faults.add({ fault: Fault.delay("10 millis") })
      yield* process.faults.reset
      yield* TestDb.awaitWithTime(Effect.all([reader.refresh, reader.refresh], { concurrency: "unbounded" }))
      assert.lengthOf(yield* process.faults.requests({ operation: "get" }), 1)
    })
  )

  // Rows of WAL 2 were in the generation already, and were added again.
  it.effect("after one that failed half way counts no merge operand twice", () =>
    Effect.gen(function* () {
      const { db, process, reader } = yield* writerAndReader
      for (const operand of ["1", "2"]) {
        yield* Effect.andThen(db.merge("a", operand, { awaitDurable: false }), db.flush("wal"))
      }
      const second = { operation: "get", path: OtherProcess.paths.wals.path(3), times: 1 } as const
      yield* process.faults.add({ ...second, fault: Fault.delay("1 second") })
      yield* process.faults.add({ ...second, fault: Fault.failBefore() })
      assert.strictEqual((yield* TestDb.exitWithTime(reader.refresh))._tag, "Failure")
      assert.strictEqual(TestDb.textOption(yield* reader.getOption("a")), undefined)
      yield* reader.refresh
      assert.strictEqual(TestDb.textOption(yield* reader.getOption("a")), "12")
    }).pipe(Effect.provideService(MergeOperator.MergeOperator, MergeOperator.append))
  )

  // The scan went on in the new state, where the flush had dropped the versions that it shows.
  it.effect.each(["ascending", "descending"] as const)("under an %s scan takes nothing from it", (order) =>
    Effect.gen(function* () {
      const { db, reader } = yield* writerAndReader
      yield* storeAll(db, keys(2000), "old")
      yield* reader.refresh
      const found: Array<string> = []
      yield* Stream.runForEachArray(reader.scan(KeyRange.all, { order }), (entries) =>
        Effect.gen(function* () {
          const isFirst = found.length === 0
          for (const { key, value } of entries) found.push(`${TestDb.text(key)}=${TestDb.text(value)}`)
          if (!isFirst) return
          yield* storeAll(db, keys(2000), "new")
          yield* db.flush("memtable")
          yield* reader.refresh
        })
      )
      assert.deepStrictEqual(
        found.toSorted(),
        keys(2000).map((key) => `${key}=old`)
      )
      assert.strictEqual(TestDb.text(yield* reader.get("k1999")), "new")
    })
  )
})
