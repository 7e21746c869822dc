import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TableWarming from "../../../src/internal/store/TableWarming.ts"
import * as CompactionLab from "../../support/CompactionLab.ts"
import * as RowModel from "../../support/RowModel.ts"

it.effect("tables are read where most of their bytes are used: those that the cache does not know count, too", () =>
  Effect.gen(function* () {
    const lab = yield* CompactionLab.make()
    const table = (prefix: string, rows: number) =>
      lab.table(Array.from({ length: rows }, (_, n) => RowModel.row(`${prefix}${1000 + n}`, n + 1, {})))
    const small = lab.tables.reader(yield* table("a", 40))
    const large = lab.tables.reader(yield* table("b", 120))
    assert.isFalse(TableWarming.areRead([]))
    // Small tables are fetched whole, blocks and all.
    const { index } = yield* small.loadMeta
    assert.isAbove(index.blockCount, 3)
    assert.isFalse(TableWarming.areRead([small]), "in the cache, and not used")
    for (let block = 0; block < index.blockCount; block++) assert.isDefined(small.cached.block(block))
    assert.isTrue(TableWarming.areRead([small]))
    assert.isFalse(TableWarming.areRead([small, large]), "nothing is known of the larger one")
    const { index: larger } = yield* large.loadMeta
    for (let block = 0; 2 * block < larger.blockCount; block++) assert.isDefined(large.cached.block(block))
    assert.isTrue(TableWarming.areRead([small, large]))
  })
)
