import * as Dice from "@effect-slatedb/testkit/interop/Dice"
import * as History from "@effect-slatedb/testkit/interop/History"
import { assert, describe, it } from "@effect/vitest"

const hex = (key: Uint8Array): string => Buffer.from(key).toString("hex")

describe("Dice", () => {
  it("fall the same for the same seed, and differently for another", () => {
    const throws = (...seed: ReadonlyArray<number>) => {
      const dice = Dice.make(...seed)
      return Array.from({ length: 20 }, () => dice.below(1000))
    }
    assert.deepStrictEqual(throws(1, 2), throws(1, 2))
    assert.notDeepEqual(throws(1, 2), throws(2, 1))
    assert.notDeepEqual(throws(1), throws(2))
    assert.notDeepEqual(throws(1), throws(1 + 2 ** 32))
  })

  it("fall evenly, below the end", () => {
    const dice = Dice.make(7)
    const counts = new Array<number>(10).fill(0)
    for (let i = 0; i < 10_000; i++) {
      const thrown = dice.below(10)
      counts[thrown] = (counts[thrown] ?? Number.NaN) + 1
    }
    for (const count of counts) assert.isTrue(count > 850 && count < 1150, String(counts))
  })
})

describe("a history", () => {
  const batches = (seed: number, count: number) => {
    const history = History.make({ seed })
    return Array.from({ length: count }, (_, i) => history.batch(i + 1))
  }

  it("is a function of its seed", () => {
    assert.deepStrictEqual(batches(1, 50), batches(1, 50))
    assert.notDeepEqual(batches(1, 5), batches(2, 5))
    assert.deepStrictEqual(History.make({ seed: 1 }).batch(40), batches(1, 40)[39])
  })

  it("has some of everything, within what rows can hold", () => {
    const writes = batches(3, 1000).flat()
    const values = writes.flatMap((write) => (write._tag === "Put" ? [write.value.length] : []))
    const keys = writes.map(({ key }) => key.length)
    assert.isAbove(Math.max(...values), 65_536)
    assert.strictEqual(Math.min(...values), 0)
    assert.strictEqual(Math.max(...keys), 65_535)
    assert.strictEqual(Math.min(...keys), 1)
    for (const tag of ["Put", "Delete", "Merge"]) assert.isAbove(writes.filter(({ _tag }) => _tag === tag).length, 100)
    for (const lifetime of ["forever", "long", "over"]) {
      assert.isAbove(writes.filter((write) => write._tag === "Put" && write.lifetime === lifetime).length, 50)
    }
  })

  it("writes only keys that it names", () => {
    const named = new Set(History.make({ seed: 3 }).keys.map(hex))
    assert.deepStrictEqual(
      batches(3, 1000)
        .flat()
        .filter(({ key }) => !named.has(hex(key))),
      []
    )
  })

  it("merges no key that lets values expire at once, and no operand that expires beside other writes", () => {
    const all = batches(3, 1000)
    const over = new Set(
      all.flat().flatMap((write) => (write._tag === "Put" && write.lifetime === "over" ? [hex(write.key)] : []))
    )
    for (const batch of all) {
      for (const write of batch) {
        if (write._tag !== "Merge") continue
        assert.isFalse(over.has(hex(write.key)))
        assert.isTrue(write.lifetime === "forever" || batch.length === 1)
      }
    }
  })
})
