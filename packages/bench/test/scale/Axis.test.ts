import { assert, describe, it } from "@effect/vitest"
import * as Axis from "../../src/scale/Axis.ts"

describe("Axis", () => {
  it("covers the decades that its values are in", () => {
    const { ticks } = Axis.logarithmic("us", [0.3, 42])
    assert.deepStrictEqual(ticks, [
      { value: 0.1, label: "0.1" },
      { value: 1, label: "1" },
      { value: 10, label: "10" },
      { value: 100, label: "100" }
    ])
  })

  it("covers no more than that when values are powers of ten themselves", () => {
    assert.deepStrictEqual(
      Axis.logarithmic("entries", [1e4, 1e5, 1e6, 1e7]).ticks.map(({ label }) => label),
      ["10⁴", "10⁵", "10⁶", "10⁷"]
    )
  })

  it("covers a decade for a single value, too", () => {
    assert.deepStrictEqual(
      Axis.logarithmic("us", [10]).ticks.map(({ value }) => value),
      [10, 100]
    )
  })

  it("has lines between the ticks at the digits, and none beyond the last", () => {
    assert.deepStrictEqual(Axis.logarithmic("us", [0.5, 1]).minor, [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
    assert.deepStrictEqual(Axis.logarithmic("us", [20, 30]).minor, [20, 30, 40, 50, 60, 70, 80, 90])
  })

  it("places equal factors equally far apart", () => {
    const { place } = Axis.logarithmic("us", [1, 100])
    assert.deepStrictEqual([1, 10, 100].map(place), [0, 0.5, 1])
  })

  it("gives the values of a row equal distances, 0 among them, and a single one the middle", () => {
    const { place, ticks } = Axis.row("held scans", [0, 10, 1000])
    assert.deepStrictEqual([0, 10, 1000].map(place), [0, 0.5, 1])
    assert.deepStrictEqual(
      ticks.map(({ label }) => label),
      ["0", "10", "1,000"]
    )
    assert.strictEqual(Axis.row("lanes", [16]).place(16), 0.5)
  })
})
