import { assert, it } from "@effect/vitest"
import { Step } from "../../../src/internal/lsm/Cursor.ts"
import { DropTombstones } from "../../../src/internal/lsm/DropTombstones.ts"
import { Kind, type RowEntry } from "../../../src/internal/model/RowEntry.ts"
import * as RowModel from "../../support/RowModel.ts"

/** The definition: a tombstone stays when an older row of its key that is none stays. */
const model = (rows: ReadonlyArray<RowEntry>): ReadonlyArray<RowEntry> =>
  rows.filter(
    (row) =>
      row.kind !== Kind.tombstone ||
      rows.some(
        (other) =>
          other.kind !== Kind.tombstone &&
          other.sequence < row.sequence &&
          RowModel.text(other.key) === RowModel.text(row.key)
      )
  )

const dropped = (rows: ReadonlyArray<RowEntry>) =>
  RowModel.drain(new DropTombstones(new RowModel.ArrayCursor(RowModel.inOrder(rows, "ascending"))))

it.prop(
  "what has nothing to hide goes, all else comes out as it was and in order, wherever the source blocks",
  [RowModel.placedRows],
  ([placed]) => {
    for (const isStretched of [false, true]) {
      const rows = placed.map(({ row }, i) => ({
        ...row,
        sequence: i + 1,
        createTime: 1000 + i,
        // Longer than the room for a key at first.
        key: isStretched
          ? RowModel.bytes(RowModel.text(row.key).padEnd(50 + 30 * (row.key[1] as number), "x"))
          : row.key
      }))
      assert.deepStrictEqual(dropped(rows), model(RowModel.inOrder(rows, "ascending")))
    }
  }
)

/** Rows as letters, newest first: put, tombstone, merge operand. */
const rowsOf = (key: string, kinds: string): ReadonlyArray<RowEntry> =>
  Array.from(kinds, (kind, i) =>
    RowModel.row(key, 100 - i, kind === "p" ? { put: "v" } : kind === "m" ? { merge: "v" } : { createTime: i })
  )

it.each([
  ["", ""],
  ["t", ""],
  ["ttt", ""],
  ["p", "p"],
  ["pt", "p"],
  ["tp", "tp"],
  ["ttpt", "ttp"],
  ["tptmtt", "tptm"],
  ["mtt", "m"],
  ["tttttttttp", "tttttttttp"]
])("of the versions %j stay %j", (before, after) => {
  const told = (kinds: string) => rowsOf("k", kinds).map(RowModel.told)
  assert.deepStrictEqual(dropped(rowsOf("k", before)).map(RowModel.told), told(after))
})

it("a key hides nothing of its neighbours, be they its prefix or its extension", () => {
  const rows = [
    ...rowsOf("a", "t"),
    ...rowsOf("ab", "p"),
    ...rowsOf("abc", "tt"),
    ...rowsOf("b", "p"),
    ...rowsOf("c", "t")
  ]
  assert.deepStrictEqual(dropped(rows).map(RowModel.told), ["100 ab=v", "100 b=v"])
})

it("a row that is no tombstone and follows none is passed on, not copied", () => {
  const source = new RowModel.ArrayCursor(rowsOf("k", "pm"))
  const cursor = new DropTombstones(source)
  for (let i = 0; i < 2; i++) {
    assert.strictEqual(cursor.next(), Step.row)
    assert.strictEqual(cursor.row, source.row)
  }
})

it("stays at its end", () => {
  const cursor = new DropTombstones(new RowModel.ArrayCursor(rowsOf("k", "t")))
  for (let i = 0; i < 3; i++) assert.strictEqual(cursor.next(), Step.done)
})
