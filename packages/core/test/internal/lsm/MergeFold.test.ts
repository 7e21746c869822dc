import { assert, it } from "@effect/vitest"
import { RowView } from "../../../src/internal/model/RowEntry.ts"
import { MergeFold, type MergeFunction } from "../../../src/internal/lsm/MergeFold.ts"
import * as RowModel from "../../support/RowModel.ts"

const rowOf = (value: string): RowView => {
  const row = new RowView()
  row.value = RowModel.bytes(value)
  row.valueEnd = row.value.length
  return row
}

const key = RowModel.bytes("k")

/** Concatenation, and how many bytes it has copied. */
const counting = () => {
  const count = { bytes: 0 }
  const append: MergeFunction = (_key, existing, operand) => {
    count.bytes += (existing?.length ?? 0) + operand.length
    return new Uint8Array([...(existing ?? []), ...operand])
  }
  return { append, count }
}

it("folds oldest first onto the base, in whichever order the operands were met", () => {
  for (const operands of [1, 2, 31, 32, 33, 64, 65, 1000, 1025]) {
    const values = Array.from({ length: operands }, (_, n) => `${n},`)
    for (const base of [undefined, "base:"]) {
      const fold = new MergeFold()
      const middle = Math.floor(operands / 2)
      for (const value of values.slice(0, middle).toReversed()) fold.addOlder(rowOf(value))
      for (const value of values.slice(middle)) fold.addNewer(rowOf(value))
      const folded = fold.fold(counting().append, key, base === undefined ? undefined : RowModel.bytes(base))
      assert.strictEqual(RowModel.text(folded), (base ?? "") + values.join(""))
      fold.clear()
      assert.isTrue(fold.isEmpty)
    }
  }
})

it("a result that grows with every operand is not copied for each of them", () => {
  const fold = new MergeFold()
  for (let n = 0; n < 2000; n++) fold.addOlder(rowOf("0123456789"))
  const { append, count } = counting()
  fold.fold(append, key, undefined)
  // One after the other: 20 million.
  assert.isBelow(count.bytes, 1_500_000)
})
