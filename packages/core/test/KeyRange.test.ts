import * as KeyRange from "@effect-slatedb/core/KeyRange"
import { assert, it } from "@effect/vitest"

const bytes = (...values: ReadonlyArray<number>) => Uint8Array.from(values)

it("a range keeps its own copy of its bounds, also of a Node Buffer", () => {
  const from = Buffer.from("a")
  const prefix = Buffer.from("p")
  const range = KeyRange.make({ from })
  const byPrefix = KeyRange.prefix(prefix)
  from[0] = 0
  prefix[0] = 0
  assert.deepStrictEqual(Array.from(range.start ?? []), [0x61])
  assert.deepStrictEqual(Array.from(byPrefix.start ?? []), [0x70])
})

it("a prefix ends below the next key that does not begin with it", () => {
  assert.deepStrictEqual(KeyRange.prefix(bytes(1, 2)).end, bytes(1, 3))
  assert.deepStrictEqual(KeyRange.prefix(bytes(1, 0xff, 0xff)).end, bytes(2))
  assert.isUndefined(KeyRange.prefix(bytes(0xff, 0xff)).end)
  assert.deepStrictEqual(KeyRange.prefix(""), KeyRange.all)
  assert.isTrue(KeyRange.contains(KeyRange.prefix(bytes(1)), bytes(1)))
  assert.isTrue(KeyRange.contains(KeyRange.prefix(bytes(1)), bytes(1, 0xff)))
  assert.isFalse(KeyRange.contains(KeyRange.prefix(bytes(1)), bytes(2)))
})

it("an intersection holds the keys that both ranges hold", () => {
  const keys = Array.from({ length: 8 }, (_, i) => bytes(i))
  const bounds = [undefined, ...keys]
  for (const start of bounds) {
    for (const end of bounds) {
      const left = { start, end: bytes(5) }
      const right = { start: bytes(2), end }
      for (const key of keys) {
        assert.strictEqual(
          KeyRange.contains(KeyRange.intersect(left, right), key),
          KeyRange.contains(left, key) && KeyRange.contains(right, key)
        )
      }
    }
  }
})

it("an empty range is one thing, a reversed one another", () => {
  const same = KeyRange.make({ from: "a", to: "a" })
  const reversed = KeyRange.make({ from: "b", to: "a" })
  assert.deepStrictEqual([KeyRange.isEmpty(same), KeyRange.isReversed(same)], [true, false])
  assert.deepStrictEqual([KeyRange.isEmpty(reversed), KeyRange.isReversed(reversed)], [true, true])
  assert.deepStrictEqual([KeyRange.isEmpty(KeyRange.all), KeyRange.isReversed(KeyRange.all)], [false, false])
})
