import { assert, describe, it } from "@effect/vitest"
import { Arena } from "../../../src/internal/lsm/Arena.ts"
import { RowRecords } from "../../../src/internal/lsm/RowRecords.ts"
import * as VersionChain from "../../../src/internal/lsm/VersionChain.ts"
import { Kind } from "../../../src/internal/model/RowEntry.ts"

const key = Uint8Array.of(1)

class CountingRecords extends RowRecords {
  reads = 0
  override sequenceOf(row: number): number {
    this.reads++
    return super.sequenceOf(row)
  }
}

/** One key with so many versions, of sequence numbers 10, 20, 30, ... and rows 0, 1, 2, ... */
const hotKey = (versions: number) => {
  const rows = new CountingRecords(new Arena())
  let newest = -1
  for (let i = 0; i < versions; i++) {
    const row = rows.append(key, 0, 1, key, 0, 0, (i + 1) * 10, Kind.put, 0, 0)
    VersionChain.add(rows, row, newest)
    newest = row
  }
  return { newest, rows }
}

describe("VersionChain", () => {
  it("finds every version at its own bound and between bounds, however many there are", () => {
    for (let versions = 1; versions < 70; versions++) {
      const { newest, rows } = hotKey(versions)
      for (let bound = 0; bound < versions * 10 + 15; bound += 5) {
        const expected = Math.min(Math.floor(bound / 10), versions) - 1
        assert.strictEqual(VersionChain.newestAtMost(rows, newest, bound), expected)
      }
    }
  })

  it("knows head, newest and the next older version", () => {
    const { newest, rows } = hotKey(37)
    assert.strictEqual(newest, 36)
    assert.strictEqual(VersionChain.newestOf(rows, 0), 36)
    for (let row = 0; row < 37; row++) {
      assert.strictEqual(rows.olderOf(row), row - 1)
      assert.strictEqual(VersionChain.isHead(rows, row), row === 0)
    }
  })

  it("reads a hot key of 100,000 versions at any bound in fewer than 300 steps, and at the newest in one", () => {
    const { newest, rows } = hotKey(100_000)
    let worst = 0
    for (let bound = 5; bound < 1_000_000; bound += 977) {
      rows.reads = 0
      VersionChain.newestAtMost(rows, newest, bound)
      worst = Math.max(worst, rows.reads)
    }
    assert.isBelow(worst, 300)
    rows.reads = 0
    VersionChain.newestAtMost(rows, newest, 1_000_000)
    assert.strictEqual(rows.reads, 1)
  })
})
