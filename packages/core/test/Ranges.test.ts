/**
 * Ranges one after another over one state, which walk it with the same cursors: each gives what lies in it, whatever
 * the one before was, and however that ended.
 */
import type * as Db from "@effect-slatedb/core/Db"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as MergeOperator from "@effect-slatedb/core/MergeOperator"
import { assert, describe, it, vi } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as RangeWalk from "../src/internal/read/RangeWalk.ts"
import { SsTableCursor } from "../src/internal/store/SsTableCursor.ts"
import * as OtherProcess from "./support/OtherProcess.ts"
import * as TestDb from "./support/TestDb.ts"

const later = { awaitDurable: false } as const
const newest = { readLevel: "uncommitted" } as const
const keyCount = 60
const keyOf = (n: number) => `key/${100 + n}`
const line = ({ key, value }: Db.Entry) => `${TestDb.text(key)}=${TestDb.text(value)}`
/** So long that a table has several blocks. */
const valueOf = (part: string) => part.padEnd(150, ".")

/** What `spread` writes, by hand. */
const expected: ReadonlyArray<string> = Array.from({ length: keyCount }, (_, n) => n).flatMap((n) => {
  const base = n % 3 === 0 ? "run" : n % 3 === 1 ? "table" : "memtable"
  const put = n % 7 === 0 ? [] : [`${keyOf(n)}=${valueOf(base)}${n % 5 === 0 ? "+" : ""}`]
  return n % 9 === 0 ? [...put, `${keyOf(n)}/alone=+`] : put
})

/** Keys in a run, a table and the memtable, some with an operand above, some deleted, and operands without a value. */
const spread = Effect.gen(function* () {
  hook.inMerge = () => {}
  const bucket = TestDb.bucket()
  const db = yield* (yield* TestDb.process(bucket)).open({ blockSizeBytes: 1024, compactorEnabled: false })
  const puts = (rest: number, value: string) =>
    Effect.forEach(
      Array.from({ length: keyCount / 3 }, (_, n) => 3 * n + rest),
      (n) => db.put(keyOf(n), valueOf(value), later)
    )
  yield* puts(0, "run")
  yield* TestDb.awaitWithTime(db.flush("memtable"))
  yield* OtherProcess.compact(bucket)
  yield* puts(1, "table")
  yield* TestDb.awaitWithTime(db.flush("memtable"))
  yield* puts(2, "memtable")
  for (let n = 0; n < keyCount; n += 5) yield* db.merge(keyOf(n), "+", later)
  for (let n = 0; n < keyCount; n += 7) yield* db.delete(keyOf(n), later)
  for (let n = 0; n < keyCount; n += 9) yield* db.merge(`${keyOf(n)}/alone`, "+", later)
  return db
})

const withAppend = Effect.provideService(MergeOperator.MergeOperator, MergeOperator.append)

const asked = (db: Db.Db["Service"], from: number, to: number, order: "ascending" | "descending", limit: number) =>
  Effect.map(db.getRange(KeyRange.make({ from: keyOf(from), to: keyOf(to) }), { ...newest, order, limit }), (entries) =>
    entries.map(line)
  )

const lying = (from: number, to: number, order: "ascending" | "descending", limit: number) => {
  const inRange = expected.filter((entry) => entry >= keyOf(from) && entry < keyOf(to))
  return (order === "ascending" ? inRange : inRange.toReversed()).slice(0, limit)
}

describe("ranges over one state", () => {
  const Place = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: keyCount }))
  const Range = Schema.Struct({
    ends: Schema.Tuple([Place, Place]),
    order: Schema.Literals(["ascending", "descending"]),
    limit: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 8 }))
  })
  const Ranges = Arbitrary.schema(Schema.Array(Range).check(Schema.isMaxLength(30)))

  it.effect.prop("each gives what lies in it", [Ranges], ([ranges]) =>
    Effect.gen(function* () {
      const db = yield* spread
      assert.deepStrictEqual((yield* Stream.runCollect(db.scan(KeyRange.all, newest))).map(line), expected)
      for (const { ends, limit, order } of ranges) {
        const [from, to] = [Math.min(...ends), Math.max(...ends)]
        assert.deepStrictEqual(yield* asked(db, from, to, order, limit), lying(from, to, order, limit))
      }
    }).pipe(Effect.scoped, withAppend)
  )

  it.effect("one begins with the key that the one before ended with", () =>
    Effect.gen(function* () {
      const db = yield* spread
      for (const order of ["ascending", "descending"] as const) {
        for (let n = 0; n < keyCount; n++) {
          const [from, to] = order === "ascending" ? [n, keyCount] : [0, keyCount - n]
          for (const limit of [1, 2, 3]) {
            assert.deepStrictEqual(yield* asked(db, from, to, order, limit), lying(from, to, order, limit))
          }
        }
      }
    }).pipe(withAppend)
  )

  it.effect("one that a merge function asks for has cursors of its own", () =>
    Effect.gen(function* () {
      const db = yield* spread
      hook.calls = 0
      hook.inMerge = () => {
        assert.deepStrictEqual(Effect.runSync(asked(db, 1, 5, "ascending", 8)), lying(1, 5, "ascending", 8))
      }
      for (let round = 0; round < 3; round++) {
        assert.deepStrictEqual(yield* asked(db, 0, keyCount, "ascending", 8), lying(0, keyCount, "ascending", 8))
      }
      assert.isAtLeast(hook.calls, 3)
    }).pipe(Effect.provideService(MergeOperator.MergeOperator, hooked))
  )

  it.effect("one that failed in the middle takes nothing with it", () =>
    Effect.gen(function* () {
      const db = yield* spread
      const first = yield* asked(db, 0, keyCount, "ascending", 8)
      assert.deepStrictEqual(first, lying(0, keyCount, "ascending", 8))
      hook.inMerge = () => {
        throw new Error("the merge function fails")
      }
      assert.strictEqual((yield* Effect.exit(asked(db, 0, keyCount, "ascending", 8)))._tag, "Failure")
      hook.inMerge = () => {}
      for (let round = 0; round < 2; round++) {
        assert.deepStrictEqual(yield* asked(db, 0, keyCount, "ascending", 8), first)
      }
    }).pipe(Effect.provideService(MergeOperator.MergeOperator, hooked))
  )

  it.effect("take the cursors of one that loaded with them", () =>
    Effect.gen(function* () {
      const db = yield* spread
      const walks = yield* spied(RangeWalk.RangeWalk.prototype)
      // One that found the run not in memory, one that loaded it, and one more.
      for (let round = 0; round < 2; round++) yield* asked(db, 0, keyCount, "ascending", 8)
      assert.strictEqual(walks.mock.calls.length, 3)
      assert.strictEqual(new Set(walks.mock.contexts).size, 3)
    }).pipe(withAppend)
  )

  it.effect("walk with the cursors of the one before", () =>
    Effect.gen(function* () {
      const db = yield* spread
      // The first one loads what is not in the cache, and takes its cursors with it.
      for (let round = 0; round < 2; round++) yield* asked(db, 0, keyCount, "ascending", 8)
      const walks = yield* spied(RangeWalk.RangeWalk.prototype)
      const tables = yield* spied(SsTableCursor.prototype)
      for (let round = 0; round < 5; round++) yield* asked(db, 0, keyCount, "ascending", 8)
      assert.strictEqual(new Set(walks.mock.contexts).size, 1)
      assert.strictEqual(tables.mock.calls.length, 2 * 5, "of a table and a run")
    }).pipe(withAppend)
  )

  it.effect("leave its cursors to a scan that is held open", () =>
    Effect.gen(function* () {
      const db = yield* (yield* TestDb.alone).open()
      for (let n = 0; n < 2000; n++) yield* db.put(`key/${10_000 + n}`, "v", later)
      const walks = yield* spied(RangeWalk.RangeWalk.prototype)
      const held = yield* Stream.toPull(db.scan(KeyRange.all, newest))
      let count = (yield* held).length
      for (let round = 0; round < 5; round++) {
        assert.strictEqual((yield* db.getRange(KeyRange.all, { ...newest, limit: 8 })).length, 8)
      }
      while (count < 2000) count += (yield* held).length
      assert.strictEqual(count, 2000)
      assert.strictEqual(new Set(walks.mock.contexts).size, 2)
    })
  )
})

/** Counts starts, and those who start, until the test ends. */
const spied = (of: { start: (...args: ReadonlyArray<never>) => void }) =>
  Effect.acquireRelease(
    Effect.sync(() => vi.spyOn(of, "start")),
    (spy) => Effect.sync(() => spy.mockRestore())
  )

/** What the merge function of `hooked` does besides. */
const hook = { calls: 0, inMerge: () => {} }

const hooked: MergeOperator.Merge = (key, existing, operand) => {
  hook.calls++
  hook.inMerge()
  return MergeOperator.append(key, existing, operand)
}
