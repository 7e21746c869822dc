import { assert, describe, it } from "@effect/vitest"
import { Arena } from "../../../src/internal/lsm/Arena.ts"
import { RowRecords } from "../../../src/internal/lsm/RowRecords.ts"
import * as RowEntry from "../../../src/internal/model/RowEntry.ts"

describe("RowRecords", () => {
  it("finds the bytes of rows in chunks of any number", () => {
    for (const chunksBefore of [0, 1, 4094, 5000, 70_000]) {
      const arena = new Arena()
      for (let i = 0; i < chunksBefore; i++) arena.chunks.push(new Uint8Array(0))
      const rows = new RowRecords(arena)
      const value = new Uint8Array(300_000)
      const keys = [0, 1, 2, 3].map((n) => new Uint8Array(65_535).fill(n))
      for (const [n, key] of keys.entries()) {
        rows.append(key, 0, key.length, value.fill(n + 10), 0, value.length, 1, RowEntry.Kind.merge, 0, 0)
      }
      const view = new RowEntry.RowView()
      for (const [row, key] of keys.entries()) {
        rows.view(row, view)
        assert.deepStrictEqual(view.key.slice(view.keyStart, view.keyEnd), key)
        assert.isTrue(view.value.subarray(view.valueStart, view.valueEnd).every((byte) => byte === row + 10))
        assert.strictEqual(view.kind, RowEntry.Kind.merge)
        assert.isTrue(rows.keyEquals(row, key, 0, key.length))
        assert.strictEqual(rows.compareKey(key, 0, key.length, row, 0), 0)
      }
    }
  })

  it("keeps every field of every row over all growth", () => {
    const rows = new RowRecords(new Arena())
    const key = new Uint8Array(4)
    const count = 20_000
    const view = new RowEntry.RowView()
    for (let n = 0; n < count; n++) {
      new DataView(key.buffer).setUint32(0, n)
      const row = rows.append(key, 1, 4, key, 2, 4, 2 ** 53 - 1 - count + n, (n % 3) as RowEntry.Kind, -n, n * 1e9)
      rows.setChain(row, n - 1, n - 2, n - 3)
    }
    for (let n = 0; n < count; n++) {
      rows.view(n, view)
      assert.deepStrictEqual(
        [rows.sequenceOf(n), view.sequence, view.kind, view.createTime, view.expireTime],
        [2 ** 53 - 1 - count + n, 2 ** 53 - 1 - count + n, n % 3, -n, n * 1e9]
      )
      assert.deepStrictEqual([rows.olderOf(n), rows.jumpOf(n), rows.headOf(n)], [n - 1, n - 2, n - 3])
      assert.strictEqual(rows.firstAbove(2 ** 53 - 1 - count + n - 1), n)
    }
    assert.strictEqual(rows.firstAbove(Infinity), count)
  })
})
