/** What a merge means, wherever its operands lie. */
import type * as Db from "@effect-slatedb/core/Db"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as MergeOperator from "@effect-slatedb/core/MergeOperator"
import type * as Settings from "@effect-slatedb/core/Settings"
import * as WriteBatch from "@effect-slatedb/core/WriteBatch"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Kind } from "../src/internal/model/RowEntry.ts"
import * as OtherProcess from "./support/OtherProcess.ts"
import * as TestDb from "./support/TestDb.ts"

const later = { awaitDurable: false } as const

const opened = (settings?: Settings.Input) =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    return { bucket, db: yield* (yield* TestDb.process(bucket)).open(settings) }
  })

const withAppend = Effect.provideService(MergeOperator.MergeOperator, MergeOperator.append)

const value = (db: Pick<Db.Db["Service"], "getOption">, key: string, readLevel: Db.ReadLevel = "uncommitted") =>
  Effect.map(db.getOption(key, { readLevel }), TestDb.textOption)

const tableRows = (bucket: ReturnType<typeof TestDb.bucket>) =>
  Effect.map(OtherProcess.manifest(bucket), ({ l0 }) =>
    OtherProcess.rows(bucket, OtherProcess.paths.table(l0[0]?.id ?? "")).map(
      ({ key, kind, sequence, value }) => [TestDb.text(key), sequence, kind, TestDb.text(value)] as const
    )
  )

describe("a read", () => {
  it.effect("folds operands oldest first, onto the value below them", () =>
    Effect.gen(function* () {
      const { db } = yield* opened()
      yield* db.merge("none", "1", later)
      yield* db.merge("none", "2", later)
      yield* db.put("put", "0", later)
      yield* db.merge("put", "1", later)
      yield* db.merge("put", "2", later)
      yield* db.put("deleted", "0", later)
      yield* db.delete("deleted", later)
      yield* db.merge("deleted", "1", later)
      yield* db.merge("overwritten", "1", later)
      yield* db.put("overwritten", "2", later)
      yield* db.merge("gone", "1", later)
      yield* db.delete("gone", later)
      const expected = ["deleted=1", "none=12", "overwritten=2", "put=012"]
      assert.deepStrictEqual(yield* TestDb.lines(db, KeyRange.all, { readLevel: "uncommitted" }), expected)
      assert.strictEqual(yield* value(db, "none"), "12")
      assert.strictEqual(yield* value(db, "put"), "012")
      assert.strictEqual(yield* value(db, "deleted"), "1")
      assert.strictEqual(yield* value(db, "gone"), undefined)
    }).pipe(withAppend)
  )

  it.effect("folds across run, tables, memtables and buffer, each operand once", () =>
    Effect.gen(function* () {
      const { bucket, db } = yield* opened()
      yield* db.put("a", "0", later)
      yield* db.flush("memtable")
      yield* db.merge("a", "1", later)
      yield* db.flush("memtable")
      yield* OtherProcess.compact(bucket)
      yield* db.merge("a", "2", later)
      yield* db.flush("memtable")
      yield* db.merge("a", "3", later)
      yield* db.flush("wal")
      yield* db.merge("a", "4", later)
      assert.strictEqual(yield* value(db, "a"), "01234")
      assert.deepStrictEqual(yield* TestDb.lines(db, KeyRange.all, { readLevel: "uncommitted" }), ["a=01234"])
    }).pipe(withAppend)
  )

  it.effect("at the committed level leaves out operands that are not durable", () =>
    Effect.gen(function* () {
      const { db } = yield* opened({ walFlush: "manual" })
      yield* db.merge("a", "1", later)
      yield* db.flush("wal")
      yield* db.merge("a", "2", later)
      assert.strictEqual(yield* value(db, "a", "committed"), "1")
      assert.strictEqual(yield* value(db, "a"), "12")
      yield* db.flush("wal")
      assert.strictEqual(yield* value(db, "a", "committed"), "12")
    }).pipe(withAppend)
  )

  it.effect("passes the key and borrowed bytes, and keeps what comes back", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      yield* Effect.gen(function* () {
        const { db } = yield* opened()
        yield* db.merge("counter", new Uint8Array([1]), later)
        yield* db.merge("counter", new Uint8Array([2]), later)
        const sum = yield* db.get("counter", { readLevel: "uncommitted" })
        assert.deepStrictEqual([...sum], [3])
      }).pipe(
        Effect.provideService(MergeOperator.MergeOperator, (key, existing, operand) => {
          seen.push(TestDb.text(key))
          return new Uint8Array([(existing?.[0] ?? 0) + (operand[0] as number)])
        })
      )
      assert.isTrue(seen.every((key) => key === "counter"))
      assert.isAbove(seen.length, 0)
    })
  )
})

describe("a flush", () => {
  it.effect("folds the operands of a key into one, and onto its value", () =>
    Effect.gen(function* () {
      const { bucket, db } = yield* opened()
      for (const operand of ["1", "2", "3"]) yield* db.merge("operands", operand, later)
      yield* db.put("value", "0", later)
      yield* db.merge("value", "1", later)
      yield* db.delete("tombstone", later)
      yield* db.merge("tombstone", "1", later)
      yield* db.flush("memtable")
      assert.deepStrictEqual(yield* tableRows(bucket), [
        ["operands", 3, Kind.merge, "123"],
        ["tombstone", 7, Kind.put, "1"],
        ["value", 5, Kind.put, "01"]
      ])
    }).pipe(withAppend)
  )

  it.effect("by a writer without an operator leaves operands as they are", () =>
    Effect.gen(function* () {
      const { bucket, db } = yield* opened({ walFlush: "manual" })
      yield* Effect.gen(function* () {
        yield* db.merge("a", "1", later)
        yield* db.merge("a", "2", later)
        yield* db.close
      })
      const without = yield* (yield* TestDb.process(bucket))
        .open()
        .pipe(Effect.provideService(MergeOperator.MergeOperator, undefined))
      yield* without.flush("memtable")
      assert.deepStrictEqual(yield* tableRows(bucket), [
        ["a", 2, Kind.merge, "2"],
        ["a", 1, Kind.merge, "1"]
      ])
      yield* TestDb.awaitWithTime(without.close)
      const again = yield* (yield* TestDb.process(bucket)).open()
      assert.strictEqual(yield* value(again, "a"), "12")
    }).pipe(withAppend)
  )
})

describe("a batch", () => {
  it.effect("folds the operands of a key before it is stored: one row for each key", () =>
    Effect.gen(function* () {
      const { bucket, db } = yield* opened()
      const batch = WriteBatch.fromOperations([
        { _tag: "Merge", key: "a", operand: "1", ttl: undefined },
        { _tag: "Put", key: "b", value: "0", ttl: undefined },
        { _tag: "Merge", key: "a", operand: "2", ttl: undefined },
        { _tag: "Merge", key: "b", operand: "1", ttl: undefined },
        { _tag: "Delete", key: "c" },
        { _tag: "Merge", key: "c", operand: "1", ttl: undefined }
      ])
      yield* db.put("a", "0", later)
      yield* db.write(batch, later)
      yield* db.flush("wal")
      const rows = OtherProcess.rows(bucket, OtherProcess.paths.wals.path(2))
      assert.deepStrictEqual(
        rows.map(({ key, kind, sequence, value }) => [TestDb.text(key), sequence, kind, TestDb.text(value)]),
        [
          ["a", 1, Kind.put, "0"],
          ["a", 2, Kind.merge, "12"],
          ["b", 2, Kind.put, "01"],
          ["c", 2, Kind.put, "1"]
        ]
      )
      assert.deepStrictEqual(yield* TestDb.lines(db, KeyRange.all), ["a=012", "b=01", "c=1"])
    }).pipe(withAppend)
  )
})
