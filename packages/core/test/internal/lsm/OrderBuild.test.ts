import { assert, describe, it } from "@effect/vitest"
import { Arena } from "../../../src/internal/lsm/Arena.ts"
import { leafOf, noLeaf } from "../../../src/internal/lsm/OrderedLeaves.ts"
import { OrderBuild } from "../../../src/internal/lsm/OrderBuild.ts"
import { RowRecords } from "../../../src/internal/lsm/RowRecords.ts"
import * as VersionChain from "../../../src/internal/lsm/VersionChain.ts"
import { Kind } from "../../../src/internal/model/RowEntry.ts"

/** Counts how often it is asked where a key begins, once for each number, and for the order of two keys' bytes. */
class CountingRecords extends RowRecords {
  keyStarts = 0
  comparisons = 0
  override keyStartOf(row: number): number {
    this.keyStarts++
    return super.keyStartOf(row)
  }
  override compareKey(key: Uint8Array, start: number, end: number, row: number, same: number): number {
    this.comparisons++
    return super.compareKey(key, start, end, row, same)
  }
}

const rowsOf = (keys: Iterable<string>): CountingRecords => {
  const rows = new CountingRecords(new Arena())
  for (const key of keys) {
    const bytes = new TextEncoder().encode(key)
    VersionChain.add(rows, rows.append(bytes, 0, bytes.length, bytes, 0, 0, 1, Kind.put, 0, 0), -1)
  }
  return rows
}

const orderedKeys = ({ leaves }: OrderBuild, rows: RowRecords): Array<string> => {
  const keys: Array<string> = []
  for (let leaf = leafOf(leaves.firstPlace); leaf !== noLeaf; leaf = leaves.nextOf(leaf)) {
    for (let i = 0; i < leaves.countOf(leaf); i++) {
      const row = leaves.rowAt(leaf, i)
      const start = rows.keyStartOf(row)
      keys.push(new TextDecoder().decode(rows.chunkOf(row).subarray(start, start + rows.keyLengthOf(row))))
    }
  }
  return keys
}

const count = 4096
const shuffledKeys = Array.from({ length: count }, (_, n) => `key-${String((n * 7919) % 10_007).padStart(6, "0")}`)
const tiedKeys = Array.from(
  { length: count },
  (_, n) => `${n % 2}${"0".repeat(100)}${String((n * 7919) % 10_007).padStart(6, "0")}`
)

describe("OrderBuild", () => {
  it("spreads numbering, merging and filling each over slices of their own", () => {
    const rows = rowsOf(shuffledKeys)
    const build = new OrderBuild(rows)
    const units = 320
    let merging = 0
    while (!build.isDone) {
      const filled = build.leaves.size
      rows.keyStarts = 0
      build.advance(units)
      assert.isAtMost(rows.keyStarts, units / 16)
      assert.isAtMost(build.leaves.size - filled, units / 2)
      if (rows.keyStarts === 0 && build.leaves.size === 0) merging++
    }
    // Runs of 16 become one in eight passes.
    assert.isAtLeast(merging, (count * 8) / units - 1)
    assert.deepStrictEqual(orderedKeys(build, rows), shuffledKeys.toSorted())
  })

  it("counts what it takes to tell apart keys whose numbers tie", () => {
    const rows = rowsOf(tiedKeys)
    const build = new OrderBuild(rows)
    let all = 0
    while (!build.isDone) {
      rows.comparisons = 0
      build.advance(640)
      // A slice ends at the row that overdraws it: in a run of 16, one row takes up to 16 comparisons.
      assert.isAtMost(rows.comparisons, 640 / 32 + 17)
      all += rows.comparisons
    }
    assert.isAtMost(all, count * (Math.log2(count) + 10))
    assert.deepStrictEqual(orderedKeys(build, rows), tiedKeys.toSorted())
  })
})
