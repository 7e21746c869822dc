import { assert, describe, it } from "@effect/vitest"
import { Arena } from "../../../src/internal/lsm/Arena.ts"
import { KeyNumber } from "../../../src/internal/model/KeyNumber.ts"
import { leafOf, noLeaf, OrderedLeaves, positionOf } from "../../../src/internal/lsm/OrderedLeaves.ts"
import { RowRecords } from "../../../src/internal/lsm/RowRecords.ts"
import { Kind } from "../../../src/internal/model/RowEntry.ts"
import { randomFrom } from "./GenerationModel.ts"

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const digits = (n: number): string => String(n).padStart(8, "0")

class CountingRecords extends RowRecords {
  comparisons = 0
  override compareKey(key: Uint8Array, start: number, end: number, row: number, same: number): number {
    this.comparisons++
    return super.compareKey(key, start, end, row, same)
  }
}

const ordered = (keys: Iterable<string>) => {
  const rows = new CountingRecords(new Arena())
  const leaves = new OrderedLeaves(rows, new KeyNumber(new Uint8Array(0), 0, 0xff))
  let worst = 0
  for (const key of keys) {
    const bytes = text(key)
    rows.comparisons = 0
    leaves.insert(rows.append(bytes, 0, bytes.length, bytes, 0, 0, 1, Kind.put, 0, 0))
    worst = Math.max(worst, rows.comparisons)
  }
  return { leaves, rows, worst }
}

const keyOf = (rows: RowRecords, row: number): string => {
  const start = rows.keyStartOf(row)
  return new TextDecoder().decode(rows.chunkOf(row).subarray(start, start + rows.keyLengthOf(row)))
}

const walk = (
  leaves: OrderedLeaves,
  rows: RowRecords
): { readonly keys: Array<string>; readonly leafCount: number } => {
  const keys: Array<string> = []
  let leafCount = 0
  let last = noLeaf
  for (let leaf = leafOf(leaves.firstPlace); leaf !== noLeaf; leaf = leaves.nextOf(leaf)) {
    assert.strictEqual(leaves.previousOf(leaf), last)
    for (let i = 0; i < leaves.countOf(leaf); i++) keys.push(keyOf(rows, leaves.rowAt(leaf, i)))
    last = leaf
    leafCount++
  }
  assert.strictEqual(leafOf(leaves.endPlace), last)
  return { keys, leafCount }
}

const count = 20_000
const shuffled = (seed: number): Array<number> => {
  const random = randomFrom(seed)
  const numbers = Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const j = random(i + 1)
    const number = numbers[i] as number
    numbers[i] = numbers[j] as number
    numbers[j] = number
  }
  return numbers
}

/** Ways to insert the numbers below `count`, and the least share of leaves they must fill. */
const arrivals: Record<string, { readonly numbers: Array<number>; readonly fill: number }> = {
  ascending: { numbers: Array.from({ length: count }, (_, i) => i), fill: 0.99 },
  descending: { numbers: Array.from({ length: count }, (_, i) => count - 1 - i), fill: 0.99 },
  random: { numbers: shuffled(3), fill: 0.6 },
  "descending in a gap": {
    numbers: [
      ...Array.from({ length: 128 }, (_, i) => i),
      ...Array.from({ length: 128 }, (_, i) => count - 128 + i),
      ...Array.from({ length: count - 256 }, (_, i) => count - 129 - i)
    ],
    fill: 0.9
  },
  "ascending in two places": {
    numbers: Array.from({ length: count }, (_, i) => (i % 2 === 0 ? i / 2 : count / 2 + (i - 1) / 2)),
    fill: 0.5
  }
}

/** What stands before the digits; bounds on how often one insert may go to the bytes of a key. */
const prefixes: Record<string, { readonly prefixOf: (n: number) => string; readonly comparisonsMax: number }> = {
  "no prefix": { prefixOf: () => "", comparisonsMax: 24 },
  "a prefix of 5,000 bytes": { prefixOf: () => "p".repeat(5000), comparisonsMax: 24 },
  "5,000 bytes alike behind where keys differ from the rest": {
    prefixOf: (n) => (n < count / 2 ? "user/" : "p".repeat(5000)),
    comparisonsMax: 24
  },
  "one key in ten with another prefix": { prefixOf: (n) => (n % 10 === 0 ? "settings/" : "user/"), comparisonsMax: 24 }
}

describe("OrderedLeaves", () => {
  for (const [arrival, { fill, numbers }] of Object.entries(arrivals)) {
    it(`orders keys that arrive ${arrival}, and fills leaves`, () => {
      const { leaves, rows } = ordered(numbers.map(digits))
      const { keys, leafCount } = walk(leaves, rows)
      assert.deepStrictEqual(keys, numbers.map(digits).toSorted())
      assert.isAtLeast(count / (leafCount * 128), fill)
    })
  }

  for (const [name, { comparisonsMax, prefixOf }] of Object.entries(prefixes)) {
    it(`goes to the bytes of few keys per insert, with ${name}`, () => {
      const keys = shuffled(4)
        .slice(0, 4000)
        .map((n) => prefixOf(n) + digits(n))
      const { leaves, rows, worst } = ordered(keys)
      assert.isAtMost(worst, comparisonsMax)
      assert.deepStrictEqual(walk(leaves, rows).keys, keys.toSorted())
    })
  }

  for (const [name, prefixOf] of Object.entries({
    "from the first": () => "tenant/7/user/",
    "from the thousandth": (n: number) => (n < 1000 ? "settings/shards/" : "tenant/7/user/")
  })) {
    it(`goes to the bytes of hardly any key of a prefix that keys share ${name} on`, () => {
      const { leaves, rows } = ordered([])
      let comparisons = 0
      for (const [n, number] of shuffled(5).entries()) {
        const key = text(prefixOf(n) + digits(number))
        rows.comparisons = 0
        leaves.insert(rows.append(key, 0, key.length, key, 0, 0, 1, Kind.put, 0, 0))
        if (n >= 4096) comparisons += rows.comparisons
      }
      assert.isBelow(comparisons, count / 100)
    })
  }

  for (const { built, renumbersAt } of [
    { built: 40_000, renumbersAt: undefined },
    { built: 600, renumbersAt: 4096 }
  ]) {
    it(`of an order built with ${built} keys, renumbers ${renumbersAt ?? "nothing later"}`, () => {
      const { leaves, rows } = ordered([])
      const append = (n: number): number => {
        const key = text(digits(n))
        return rows.append(key, 0, key.length, key, 0, 0, 1, Kind.put, 0, 0)
      }
      for (let n = 0; n < built; n++) leaves.push(leaves.numberOf(text(digits(n)), 0, 8), append(n))
      const leaf = leafOf(leaves.firstPlace)
      const version = leaves.versionOf(leaf)
      // All go behind the first leaf: only renumbering moves its version.
      for (let n = built; n < built + 5000; n++) {
        leaves.insert(append(n))
        const isRenumbered = renumbersAt !== undefined && leaves.size >= renumbersAt
        assert.strictEqual(leaves.versionOf(leaf) - version, isRenumbered ? 1 : 0)
      }
    })
  }

  it("seeks the first entry at or after a key, and finds the place of each entry", () => {
    const numbers = shuffled(6)
    const { leaves, rows } = ordered(numbers.map((n) => digits(n * 2)))
    const sought = (n: number): string | undefined => {
      const key = text(digits(n))
      const place = leaves.seek(key, 0, key.length)
      const leaf = leafOf(place)
      if (positionOf(place) < leaves.countOf(leaf)) return keyOf(rows, leaves.rowAt(leaf, positionOf(place)))
      const next = leaves.nextOf(leaf)
      return next === noLeaf ? undefined : keyOf(rows, leaves.rowAt(next, 0))
    }
    for (let n = 0; n < 2 * count - 1; n += 7) assert.strictEqual(sought(n), digits(n + (n % 2)))
    assert.strictEqual(sought(2 * count), undefined)
    for (let row = 0; row < count; row += 11) {
      const place = leaves.placeOf(row)
      assert.strictEqual(leaves.rowAt(leafOf(place), positionOf(place)), row)
    }
  })

  it("moves the version of a leaf whenever an entry of it moves", () => {
    const rows = new RowRecords(new Arena())
    const leaves = new OrderedLeaves(rows, new KeyNumber(new Uint8Array(0), 0, 0xff))
    const kept = new Map<number, { readonly place: number; readonly version: number; readonly number: number }>()
    for (const n of shuffled(7).slice(0, 3000)) {
      const key = text(`some prefix ${digits(n)}`)
      leaves.insert(rows.append(key, 0, key.length, key, 0, 0, 1, Kind.put, 0, 0))
      if (n % 5 === 0) {
        const row = rows.count - 1
        const place = leaves.placeOf(row)
        const leaf = leafOf(place)
        kept.set(row, { place, version: leaves.versionOf(leaf), number: leaves.numberAt(leaf, positionOf(place)) })
      }
      for (const [row, { number, place, version }] of kept) {
        const leaf = leafOf(place)
        if (leaves.versionOf(leaf) !== version) kept.delete(row)
        else {
          assert.isBelow(positionOf(place), leaves.countOf(leaf))
          assert.strictEqual(leaves.rowAt(leaf, positionOf(place)), row)
          assert.strictEqual(leaves.numberAt(leaf, positionOf(place)), number)
        }
      }
    }
  })
})
