/** Which tables of a run a walk comes to, against a look at all of them. */
import type * as KeyRange from "@effect-slatedb/core/KeyRange"
import { assert, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Manifest from "../../../src/internal/model/Manifest.ts"
import type { KeyBound, SsTable } from "../../../src/internal/model/SsTable.ts"
import { RunTables } from "../../../src/internal/store/RunTables.ts"
import * as Ulid from "../../../src/internal/model/Ulid.ts"
import type { TableReader } from "../../../src/internal/store/TableReader.ts"
import * as CompactionLab from "../../support/CompactionLab.ts"
import * as RowModel from "../../support/RowModel.ts"

const keyOf = (n: number) => RowModel.bytes(String.fromCharCode(0x61 + n))
const bound = (n: number): KeyBound => ({ _tag: "Included", key: keyOf(n) })

const Small = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 }))

/** How far a table begins behind the one before, 0 for its last key again, how many keys it spans, and how it is shown. */
const Tables = Arbitrary.array(
  Arbitrary.all([Arbitrary.schema(Small), Arbitrary.schema(Small), Arbitrary.schema(Small)]),
  { maxLength: 6 }
)
const Place = Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: -1, maximum: 26 })))

/** A run of views in order, some of them two of one table; `of` lends the other fields. */
const runOf = (of: SsTable, shapes: ReadonlyArray<readonly [gap: number, span: number, shown: number]>) => {
  let last = 0
  let views = 0
  return shapes.flatMap(([gap, span, shown]) => {
    const first = last + gap
    last = first + span
    const known = (visibleRange?: SsTable["visibleRange"]): SsTable => ({
      ...of,
      viewId: Ulid.make(++views, () => 0.5),
      info: { ...of.info, firstEntry: keyOf(first), lastEntry: keyOf(last) },
      visibleRange
    })
    const unbounded: KeyBound = { _tag: "Unbounded" }
    const split: KeyBound = { _tag: "Excluded", key: keyOf(first + 2) }
    const tables =
      span < 3 || shown === 0
        ? [known()]
        : shown === 1
          ? [known({ start: bound(first + 1), end: bound(last - 1) })]
          : [known({ start: unbounded, end: split }), known({ start: bound(first + 2), end: unbounded })]
    return tables.map((table) => ({
      known: table,
      table: shown === 3 ? { ...table, info: { ...table.info, lastEntry: undefined } } : table
    }))
  })
}

it.effect.prop("are those that overlap the range, in the order of the walk", [Tables, Place], ([shapes, to]) =>
  Effect.gen(function* () {
    const lab = yield* CompactionLab.make()
    const run = runOf(yield* lab.table([RowModel.row("a", 1, {})]), shapes)
    const end = to > 25 ? undefined : keyOf(Math.max(0, to))
    // What a table can tell of itself: old ones do not know their last key.
    const unsure = run.map(({ table }) => lab.tables.reader(table))
    lab.tables.adopt(Manifest.empty)
    const sure = run.map(({ known }) => lab.tables.reader(known))
    for (let from = -1; from < 27; from++) {
      const range: KeyRange.KeyRange = { start: from < 0 ? undefined : keyOf(from), end }
      const overlapping = (readers: ReadonlyArray<TableReader>) =>
        readers.filter((reader) => reader.overlaps(range)).map(({ table }) => table.viewId)
      for (const order of ["ascending", "descending"] as const) {
        const tables = new RunTables(unsure, range, order)
        const found: Array<string> = []
        while (!tables.isOver) found.push(tables.take()?.table.viewId ?? "none")
        assert.isUndefined(tables.take())
        assert.deepStrictEqual(found, order === "ascending" ? found.toSorted() : found.toSorted().toReversed())
        assert.includeMembers(overlapping(unsure), found)
        assert.includeMembers(found, overlapping(sure))
      }
    }
  })
)

it.effect("are looked at as the walk comes to them, and no others", () =>
  Effect.gen(function* () {
    const lab = yield* CompactionLab.make()
    const shapes = Array.from({ length: 25 }, () => [1, 0, 0] as const)
    const readers = runOf(yield* lab.table([RowModel.row("a", 1, {})]), shapes).map(({ table }) =>
      lab.tables.reader(table)
    )
    let looks = 0
    for (const reader of readers) {
      const { beginsBelow, overlaps } = reader
      reader.beginsBelow = (key) => {
        looks++
        return beginsBelow.call(reader, key)
      }
      reader.overlaps = (range) => {
        looks++
        return overlaps.call(reader, range)
      }
    }
    const tables = new RunTables(readers, { start: keyOf(9), end: undefined }, "ascending")
    assert.strictEqual(tables.take()?.table.info.firstEntry?.[0], keyOf(9)[0])
    assert.isAtMost(looks, 5 + 4)
  })
)
