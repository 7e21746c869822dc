/** The doors beside `getOption` and `scan`: they answer the same, each with what it promises besides. */
import * as BlockCache from "@effect-slatedb/core/BlockCache"
import * as Db from "@effect-slatedb/core/Db"
import * as DbError from "@effect-slatedb/core/DbError"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as MergeOperator from "@effect-slatedb/core/MergeOperator"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as OtherProcess from "./support/OtherProcess.ts"
import * as TestDb from "./support/TestDb.ts"

const later = { awaitDurable: false } as const
const newest = { readLevel: "uncommitted" } as const
const keyOf = (i: number) => `k${1000 + i}`

/** 300 keys in a run, a table, the memtable and the buffer; some of them deleted again. */
const spread = Effect.gen(function* () {
  const bucket = TestDb.bucket()
  const process = yield* TestDb.process(bucket)
  const db = yield* process.open({ blockSizeBytes: 1024, walFlush: "manual" })
  for (let part = 0; part < 4; part++) {
    for (let i = part; i < 300; i += 4) yield* db.put(keyOf(i), `${i}-`.padEnd(150, "v"), later)
    for (let i = part; i < 300; i += 17) yield* db.delete(keyOf(i), later)
    if (part < 2) yield* db.flush("memtable")
    if (part === 0) yield* OtherProcess.compact(bucket)
    if (part === 2) yield* db.flush("wal")
  }
  return { bucket, db, process }
})

const cacheOf = (bytesMax: number) => BlockCache.layerMemory({ blockBytesMax: bytesMax, metaBytesMax: bytesMax })

describe("getRange", () => {
  for (const [where, cacheBytesMax] of [
    ["in memory", 1 << 20],
    ["to be fetched", 0]
  ] as const) {
    it.effect(`gives what a scan gives: ${where}`, () =>
      Effect.gen(function* () {
        const { db } = yield* spread
        for (const order of ["ascending", "descending"] as const) {
          for (const readLevel of ["committed", "uncommitted"] as const) {
            for (const limit of [0, 1, 10, 255, Infinity]) {
              for (const range of [
                KeyRange.all,
                KeyRange.make({ from: keyOf(37), to: keyOf(205) }),
                KeyRange.prefix("k12")
              ]) {
                const options = { order, readLevel, limit }
                const scanned = yield* Stream.runCollect(db.scan(range, options))
                assert.deepStrictEqual(yield* db.getRange(range, options), scanned)
              }
            }
          }
        }
      }).pipe(Effect.provide(cacheOf(cacheBytesMax)))
    )
  }

  it.effect("gives more entries than one chunk has", () =>
    Effect.gen(function* () {
      const db = yield* (yield* TestDb.alone).open()
      for (let i = 0; i < 2000; i++) yield* db.put(keyOf(i), "v", later)
      assert.strictEqual((yield* db.getRange(KeyRange.all, newest)).length, 2000)
    })
  )

  it.effect("fails as a scan does: for a range that ends before it starts, and after a close", () =>
    Effect.gen(function* () {
      const db = yield* (yield* TestDb.alone).open()
      const reversed = yield* Effect.flip(db.getRange(KeyRange.make({ from: "b", to: "a" })))
      assert.strictEqual(reversed.reason._tag, "Invalid")
      yield* db.close
      const closed = yield* Effect.flip(db.getRange(KeyRange.all))
      assert.strictEqual(closed.reason._tag, "Closed")
    })
  )
})

describe("getUnsafe", () => {
  it.effect("answers as getOption does, at both read levels", () =>
    Effect.gen(function* () {
      const { db } = yield* spread
      for (const readLevel of ["committed", "uncommitted"] as const) {
        for (let i = 0; i < 310; i++) {
          // What it needs is in memory once it was asked for.
          const expected = yield* db.getOption(keyOf(i), { readLevel })
          assert.deepStrictEqual(db.getUnsafe(keyOf(i), { readLevel }), Option.getOrUndefined(expected))
        }
      }
    })
  )

  it.effect("says that a part is not in memory, and asks the store for nothing", () =>
    Effect.gen(function* () {
      const { db, process } = yield* spread
      yield* process.faults.reset
      assert.strictEqual(db.getUnsafe(keyOf(4)), Db.notResident)
      assert.strictEqual(db.getUnsafe("a key before all tables"), undefined)
      assert.deepStrictEqual(yield* process.faults.requests({ operation: "getRange" }), [])
    }).pipe(Effect.provide(cacheOf(0)))
  )

  it.effect("throws the error that a get fails with", () =>
    Effect.gen(function* () {
      const db = yield* (yield* TestDb.alone).open()
      yield* db.close
      const refused = yield* Effect.flip(Effect.try(() => db.getUnsafe("a")))
      assert.isTrue(DbError.isDbError(refused.cause))
    })
  )

  it.effect("gives merge functions bytes of their own", () =>
    Effect.gen(function* () {
      const db = yield* (yield* TestDb.alone).open()
      yield* db.put("a", "1", later)
      yield* db.merge("a", "2", later)
      assert.strictEqual(TestDb.text(db.getUnsafe("a", newest) as Uint8Array), "#")
      assert.strictEqual(TestDb.text(db.getUnsafe("a", newest) as Uint8Array), "#")
      assert.strictEqual(TestDb.text((yield* db.getOption("a", newest)).pipe(Option.getOrThrow)), "#")
    }).pipe(
      Effect.provideService(MergeOperator.MergeOperator, (_, existing, operand) => {
        if (existing === undefined) return operand
        // A function that was given the bytes of the database would change it here: 1 became # already.
        assert.strictEqual(TestDb.text(existing), "1")
        existing[0] = 0x23
        return existing
      })
    )
  )
})
