import { assert, describe, it } from "@effect/vitest"
import { Arena } from "../../../src/internal/lsm/Arena.ts"
import { KeyIndex } from "../../../src/internal/lsm/KeyIndex.ts"
import { RowRecords } from "../../../src/internal/lsm/RowRecords.ts"
import { Kind } from "../../../src/internal/model/RowEntry.ts"
import { randomFrom } from "./GenerationModel.ts"

const keyOf = (n: number): Uint8Array => Uint8Array.of(n >>> 16, n >>> 8, n)

const make = () => {
  const rows = new RowRecords(new Arena())
  const index = new KeyIndex(rows)
  return {
    index,
    put: (n: number, hash: number) => {
      const key = keyOf(n)
      const row = rows.append(key, 0, 3, key, 0, 0, 1, Kind.put, 0, 0)
      return { row, before: index.put(hash, key, 0, 3, row) }
    },
    find: (n: number, hash: number) => index.find(hash, keyOf(n), 0, 3)
  }
}

/** Hashes of the nth key: well spread, and as badly as can be. */
const hashes: Record<string, (n: number) => number> = {
  "spread hashes": (n) => randomFrom(n)(2 ** 32) | 0,
  "hashes alike in their high bits": (n) => 0x7abc0000 | n,
  "hashes alike in their low bits": (n) => (n << 18) | 0x1234,
  "one hash for all": () => -1
}

describe("KeyIndex", () => {
  for (const [name, hashOf] of Object.entries(hashes)) {
    it(`finds every key and none else, with ${name}`, () => {
      const keys = name === "one hash for all" ? 4_000 : 12_000
      const { find, put } = make()
      for (let n = 0; n < keys; n++) assert.deepStrictEqual(put(n, hashOf(n)), { row: n, before: -1 })
      for (let n = 0; n < keys; n++) assert.strictEqual(find(n, hashOf(n)), n)
      for (let n = keys; n < keys + 100; n++) assert.strictEqual(find(n, hashOf(n)), -1)
    })
  }

  it("tells keys of one hash apart that are prefixes of each other", () => {
    const rows = new RowRecords(new Arena())
    const index = new KeyIndex(rows)
    const key = new Uint8Array(20).fill(7)
    for (let length = 0; length <= 20; length++) {
      assert.strictEqual(index.find(5, key, 0, length), -1)
      assert.strictEqual(index.put(5, key, 0, length, rows.append(key, 0, length, key, 0, 20, 1, Kind.put, 0, 0)), -1)
    }
    for (let length = 0; length <= 20; length++) assert.strictEqual(index.find(5, key, 0, length), length)
  })

  it("gives the row that was a key's newest before", () => {
    const { find, put } = make()
    assert.deepStrictEqual(put(7, 1), { row: 0, before: -1 })
    assert.deepStrictEqual(put(8, 1), { row: 1, before: -1 })
    assert.deepStrictEqual(put(7, 1), { row: 2, before: 0 })
    assert.strictEqual(find(7, 1), 2)
    assert.strictEqual(find(8, 1), 1)
  })

  it("stays below 32 bytes a key, and below 1.1 KiB when empty", () => {
    const { index, put } = make()
    assert.isBelow(index.allocatedBytes, 1.1 * 1024)
    const random = randomFrom(5)
    for (let n = 0; n < 200; n++) put(n, random(2 ** 32) | 0)
    assert.isBelow(index.allocatedBytes / 200, 32)
    for (let n = 200; n < 100_000; n++) put(n, random(2 ** 32) | 0)
    assert.isBelow(index.allocatedBytes / 100_000, 32)
  })
})
