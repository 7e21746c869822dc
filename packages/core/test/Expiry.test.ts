/** When values with a lifetime end, also where clocks disagree. */
import type * as Db from "@effect-slatedb/core/Db"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as MergeOperator from "@effect-slatedb/core/MergeOperator"
import type * as Settings from "@effect-slatedb/core/Settings"
import * as WriteBatch from "@effect-slatedb/core/WriteBatch"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { Kind, neverExpires } from "../src/internal/model/RowEntry.ts"
import * as OtherProcess from "./support/OtherProcess.ts"
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

const later = { awaitDurable: false } as const

const opened = (settings?: Settings.Input) =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    return { bucket, db: yield* (yield* TestDb.process(bucket)).open(settings) }
  })

/** What every way to read shows: they must agree. */
const shown = (db: Db.Db["Service"]) =>
  Effect.gen(function* () {
    const level = { readLevel: "uncommitted" } as const
    const lines = yield* TestDb.lines(db, KeyRange.all, level)
    const descending = yield* TestDb.lines(db, KeyRange.all, { ...level, order: "descending" })
    assert.deepStrictEqual(descending, lines.toReversed())
    const keys = ["a", "b", "c"]
    const many = yield* db.getMany(keys, level)
    assert.deepStrictEqual(
      many.map(TestDb.textOption).flatMap((value, i) => (value === undefined ? [] : [`${keys[i]}=${value}`])),
      lines
    )
    for (const key of keys) {
      const value = TestDb.textOption(yield* db.getOption(key, level))
      assert.strictEqual(value, lines.find((line) => line.startsWith(key))?.slice(2))
    }
    return lines
  })

/** The newest table's rows: sequence, kind, text, expiry. */
const newestTable = (bucket: ReturnType<typeof TestDb.bucket>) =>
  Effect.map(OtherProcess.manifest(bucket), ({ l0 }) =>
    OtherProcess.rows(bucket, OtherProcess.paths.table(l0[0]?.id ?? "")).map(
      ({ expireTime, kind, sequence, value }) => [sequence, kind, TestDb.text(value), expireTime] as const
    )
  )

describe("a lifetime", () => {
  it.effect("ends to the millisecond, in memory and in a table", () =>
    Effect.gen(function* () {
      const { db } = yield* opened({ walFlush: "manual" })
      yield* TestClock.setTime(1000)
      yield* db.put("a", "memory", { ...later, ttl: "100 millis" })
      yield* db.put("b", "for ever", later)
      yield* TestClock.setTime(1099)
      assert.deepStrictEqual(yield* shown(db), ["a=memory", "b=for ever"])
      yield* TestClock.setTime(1100)
      assert.deepStrictEqual(yield* shown(db), ["b=for ever"])
      yield* db.put("a", "table", { ...later, ttl: 100 })
      yield* db.flush("memtable")
      yield* TestClock.setTime(1199)
      assert.deepStrictEqual(yield* shown(db), ["a=table", "b=for ever"])
      yield* TestClock.setTime(1200)
      assert.deepStrictEqual(yield* shown(db), ["b=for ever"])
    })
  )

  it.effect("is that of the write, else the default of the settings, else none", () =>
    Effect.gen(function* () {
      const { bucket, db } = yield* opened({ defaultTtl: "1 hour" })
      yield* TestClock.setTime(500)
      yield* db.put("a", "1", later)
      yield* db.put("b", "1", { ...later, ttl: "1 second" })
      yield* db.put("c", "1", { ...later, ttl: "none" })
      const first = WriteBatch.put(WriteBatch.empty, "d", "1")
      const second = WriteBatch.put(first, "e", "1", { ttl: "none" })
      yield* db.write(WriteBatch.put(second, "f", "1", { ttl: "2 seconds" }), later)
      yield* db.delete("g", later)
      yield* db.put("h", "1", { ...later, ttl: Duration.infinity })
      yield* db.flush("memtable")
      assert.deepStrictEqual(
        (yield* newestTable(bucket)).map(([, , , expireTime]) => expireTime),
        [3_600_500, 1500, neverExpires, 3_600_500, neverExpires, 2500, neverExpires, neverExpires]
      )
    })
  )

  it.effect("is the same after a reopening", () =>
    Effect.gen(function* () {
      const { bucket, db } = yield* opened()
      yield* TestDb.awaitWithTime(db.put("a", "1", { ttl: "1 minute" }))
      yield* TestDb.awaitWithTime(db.close)
      const again = yield* (yield* TestDb.process(bucket)).open()
      assert.deepStrictEqual(yield* shown(again), ["a=1"])
      yield* TestClock.setTime(60_000)
      assert.deepStrictEqual(yield* shown(again), [])
    })
  )

  it.effect("that ended hides older values, and ends with a newer put", () =>
    Effect.gen(function* () {
      const { db } = yield* opened()
      yield* db.put("a", "older", later)
      yield* db.put("a", "short", { ...later, ttl: "1 second" })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* shown(db), [])
      yield* db.put("a", "newer", later)
      assert.deepStrictEqual(yield* shown(db), ["a=newer"])
    })
  )

  it.effect("of a scan's values is judged at its start", () =>
    Effect.gen(function* () {
      const { db } = yield* opened({ walFlush: "manual" })
      for (let i = 0; i < 1000; i++) yield* db.put(`k${1000 + i}`, "1", { ...later, ttl: "1 minute" })
      let found = 0
      yield* Stream.runForEachArray(db.scan(KeyRange.all, { readLevel: "uncommitted" }), (entries) => {
        found += entries.length
        return TestClock.adjust("1 hour")
      })
      assert.strictEqual(found, 1000)
    })
  )
})

describe("an ended value", () => {
  it.effect("is a tombstone in the table of the flush that finds it, so that older tables stay hidden", () =>
    Effect.gen(function* () {
      const { bucket, db } = yield* opened({ walFlush: "manual" })
      yield* db.put("a", "older", later)
      yield* db.flush("memtable")
      yield* db.put("a", "short", { ...later, ttl: "1 second" })
      yield* TestClock.adjust("1 second")
      yield* db.put("z", "dates the memtable", later)
      yield* db.flush("memtable")
      const [first] = yield* newestTable(bucket)
      assert.deepStrictEqual(first, [2, Kind.tombstone, "", neverExpires])
      assert.deepStrictEqual(yield* TestDb.lines(db, KeyRange.all), ["z=dates the memtable"])
    })
  )

  it.effect("is shown with hideExpired false, until a flush or compaction takes it", () =>
    Effect.gen(function* () {
      const { db } = yield* opened({ hideExpired: false, walFlush: "manual" })
      yield* db.put("a", "1", { ...later, ttl: "1 second" })
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(yield* shown(db), ["a=1"])
      yield* db.flush("memtable")
      assert.deepStrictEqual(yield* shown(db), ["a=1"], "the memtable is no older than the value")
      yield* db.put("a", "2", { ...later, ttl: "1 second" })
      yield* TestClock.adjust("1 hour")
      yield* db.put("b", "1", later)
      yield* db.flush("memtable")
      assert.deepStrictEqual(yield* shown(db), ["b=1"])
    })
  )
})

describe("an ended operand", () => {
  it.effect("counts for nothing; what it was folded onto, and those that live, stay", () =>
    Effect.gen(function* () {
      const { db } = yield* opened()
      yield* db.put("a", "base", later)
      yield* db.merge("a", "+1s", { ...later, ttl: "1 second" })
      yield* db.merge("a", "+ever", later)
      yield* db.merge("b", "1s", { ...later, ttl: "1 second" })
      assert.deepStrictEqual(yield* shown(db), ["a=base+1s+ever", "b=1s"])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* shown(db), ["a=base+ever"])
      yield* db.flush("memtable")
      assert.deepStrictEqual(yield* shown(db), ["a=base+ever"])
    }).pipe(Effect.provideService(MergeOperator.MergeOperator, MergeOperator.append))
  )

  it.effect("is not folded with operands of another lifetime by a flush", () =>
    Effect.gen(function* () {
      const { bucket, db } = yield* opened({ walFlush: "manual" })
      yield* db.merge("a", "1", { ...later, ttl: "1 minute" })
      yield* db.merge("a", "2", { ...later, ttl: "1 minute" })
      yield* db.merge("a", "3", later)
      yield* db.merge("a", "4", later)
      yield* db.flush("memtable")
      assert.deepStrictEqual(yield* newestTable(bucket), [
        [4, Kind.merge, "34", neverExpires],
        [2, Kind.merge, "12", 60_000]
      ])
      assert.deepStrictEqual(yield* shown(db), ["a=1234"])
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* shown(db), ["a=34"])
    }).pipe(Effect.provideService(MergeOperator.MergeOperator, MergeOperator.append))
  )
})
