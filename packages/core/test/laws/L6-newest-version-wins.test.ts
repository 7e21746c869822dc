/** L6: the newest visible sequence of a key wins, on every path. */
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as MergeOperator from "@effect-slatedb/core/MergeOperator"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { KWayMerge } from "../../src/internal/lsm/KWayMerge.ts"
import * as Visibility from "../../src/internal/lsm/Visibility.ts"
import type { RowEntry } from "../../src/internal/model/RowEntry.ts"
import * as OtherProcess from "../support/OtherProcess.ts"
import * as RowModel from "../support/RowModel.ts"
import * as TestDb from "../support/TestDb.ts"

const { placedRows, row } = RowModel
const orders = ["ascending", "descending"] as const

const sourcesOf = (placed: ReadonlyArray<RowModel.Placed>, order: (typeof orders)[number]) =>
  [0, 1, 2, 3].map((source) =>
    RowModel.inOrder(
      placed.filter((one) => one.source === source).map(({ row }) => row),
      order
    )
  )

describe("a merge of sources", () => {
  it.prop("gives every row, by key and within a key by sequence number", [placedRows], ([placed]) => {
    for (const order of orders) {
      const merge = new KWayMerge(
        sourcesOf(placed, order).map((rows) => new RowModel.ArrayCursor(rows)),
        order
      )
      const all = placed.map(({ row }) => row)
      assert.deepStrictEqual(RowModel.drain(merge).map(RowModel.told), RowModel.inOrder(all, order).map(RowModel.told))
    }
  })

  it("of no sources, and of empty ones, is done", () => {
    for (const sources of [[], [[]], [[], [], []]]) {
      const merge = new KWayMerge(
        sources.map((rows) => new RowModel.ArrayCursor(rows)),
        "ascending"
      )
      assert.deepStrictEqual(RowModel.drain(merge), [])
    }
  })
})

describe("what is visible", () => {
  const seen = (rows: ReadonlyArray<RowEntry>, order: (typeof orders)[number], maxSequence: number, now: number) =>
    RowModel.drain(
      Visibility.make(new RowModel.ArrayCursor(RowModel.inOrder(rows, order)), order, {
        maxSequence,
        now,
        merge: RowModel.concat
      })
    ).map(({ key, value }) => `${RowModel.text(key)}=${RowModel.text(value)}`)

  it.prop(
    "is the same in both orders, at every sequence number and time, as the definition says",
    [placedRows],
    ([placed]) => {
      const rows = placed.map(({ row }) => row)
      const sequences = new Set([0, ...rows.map(({ sequence }) => sequence), Infinity])
      for (const maxSequence of sequences) {
        for (const now of [-Infinity, 0, 10, 15, 20]) {
          const expected = RowModel.visible(rows, { maxSequence, now })
          assert.deepStrictEqual(seen(rows, "ascending", maxSequence, now), expected)
          assert.deepStrictEqual(seen(rows, "descending", maxSequence, now), expected.toReversed())
        }
      }
    }
  )

  it.each<readonly [name: string, rows: ReadonlyArray<RowEntry>, now: number, expected: string | undefined]>([
    ["a put", [row("a", 1, { put: "1" })], 0, "1"],
    ["a newer put", [row("a", 1, { put: "1" }), row("a", 2, { put: "2" })], 0, "2"],
    ["a delete", [row("a", 1, { put: "1" }), row("a", 2, {})], 0, undefined],
    ["a put after a delete", [row("a", 1, {}), row("a", 2, { put: "2" })], 0, "2"],
    ["operands without a base", [row("a", 1, { merge: "x" }), row("a", 2, { merge: "y" })], 0, "x+y"],
    ["operands on a delete", [row("a", 1, { put: "1" }), row("a", 2, {}), row("a", 3, { merge: "x" })], 0, "x"],
    ["a put over operands", [row("a", 1, { merge: "x" }), row("a", 2, { put: "2" })], 0, "2"],
    ["a put at its expiry", [row("a", 1, { put: "1", expireTime: 10 })], 10, undefined],
    ["a put before its expiry", [row("a", 1, { put: "1", expireTime: 10 })], 9, "1"],
    [
      "an expired put hides what is older",
      [row("a", 1, { put: "1" }), row("a", 2, { put: "2", expireTime: 10 })],
      10,
      undefined
    ],
    [
      "an expired operand counts for nothing",
      [row("a", 1, { put: "1" }), row("a", 2, { merge: "x", expireTime: 10 })],
      10,
      "1"
    ],
    ["operands on an expired put", [row("a", 1, { put: "1", expireTime: 10 }), row("a", 2, { merge: "x" })], 10, "x"]
  ])("%s", (_name, rows, now, expected) => {
    const lines = expected === undefined ? [] : [`a=${expected}`]
    for (const order of orders) assert.deepStrictEqual(seen(rows, order, Infinity, now), lines)
  })
})

describe("a database", () => {
  it.effect("answers alike by get, getMany and scans, wherever the versions of a key lie", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const db = yield* (yield* TestDb.process(bucket)).open({ minFilterKeys: 1 })
      const later = { awaitDurable: false }
      const expected = new Map<string, string>()
      /** Writes what all older levels have, too, in another shape at each level. */
      const level = (name: string) =>
        Effect.gen(function* () {
          const changes = [`put`, `delete`, `merge`] as const
          for (const before of ["none", ...changes]) {
            for (const change of changes) {
              const key = `${before}-${change}`
              if (change === "put") {
                yield* db.put(key, name, later)
                expected.set(key, name)
              } else if (change === "delete") {
                yield* db.delete(key, later)
                expected.delete(key)
              } else {
                yield* db.merge(key, name, later)
                expected.set(key, (expected.get(key) ?? "") + name)
              }
            }
          }
          yield* db.put(`only-${name}`, name, later)
          expected.set(`only-${name}`, name)
        })
      const check = Effect.gen(function* () {
        const sorted = Array.from(expected).toSorted(([a], [b]) => (a < b ? -1 : 1))
        const lines = sorted.map(([key, value]) => `${key}=${value}`)
        const uncommitted = { readLevel: "uncommitted" } as const
        assert.deepStrictEqual(yield* TestDb.lines(db, KeyRange.all, uncommitted), lines)
        assert.deepStrictEqual(
          yield* TestDb.lines(db, KeyRange.all, { ...uncommitted, order: "descending" }),
          lines.toReversed()
        )
        const keys = [...sorted.map(([key]) => key), "put-delete", "missing"]
        const many = yield* db.getMany(keys, uncommitted)
        assert.deepStrictEqual(
          many.map(TestDb.textOption),
          keys.map((key) => expected.get(key))
        )
        for (const key of keys) {
          const one = yield* db.getOption(key, uncommitted)
          assert.strictEqual(TestDb.textOption(one), expected.get(key), key)
          assert.strictEqual(Option.isSome(one), expected.has(key))
        }
      })
      yield* level("run")
      yield* db.flush("memtable")
      yield* OtherProcess.compact(bucket)
      yield* level("older table")
      yield* db.flush("memtable")
      yield* check
      yield* level("newer table")
      yield* db.flush("memtable")
      yield* level("memtable")
      yield* db.flush("wal")
      yield* check
      yield* level("buffer")
      yield* check
    }).pipe(Effect.provideService(MergeOperator.MergeOperator, MergeOperator.append))
  )
})
