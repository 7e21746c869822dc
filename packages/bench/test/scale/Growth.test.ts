import { assert, describe, it } from "@effect/vitest"
import * as Growth from "../../src/scale/Growth.ts"

const sizes = [1e4, 1e5, 1e6, 1e7]
const samples = (cost: (n: number) => number) => sizes.map((n) => ({ n, cost: cost(n) }))

describe("Growth", () => {
  it("finds the exponent of a power, whatever its factor", () => {
    for (const power of [-0.5, 0, 0.1, 1, 2]) {
      for (const factor of [0.3, 1, 7000]) {
        assert.closeTo(Growth.exponent(samples((n) => factor * n ** power)) ?? NaN, power, 1e-9)
      }
    }
  })

  it("fits all samples, not only the first and the last", () => {
    const up = [1, 1, 1, 8].map((cost, i) => ({ n: 2 ** i, cost }))
    // The slope of 0, 0, 0, 3 over 0, 1, 2, 3.
    assert.closeTo(Growth.exponent(up) ?? NaN, 0.9, 1e-9)
  })

  it("needs two sizes", () => {
    assert.isUndefined(Growth.exponent([]))
    assert.isUndefined(Growth.exponent([{ n: 10, cost: 3 }]))
    assert.isUndefined(
      Growth.exponent([
        { n: 10, cost: 3 },
        { n: 10, cost: 4 }
      ])
    )
  })

  it("gives a logarithm the exponent of log n, and less to what grows slower", () => {
    const bound = Growth.exponentOfLogarithm(sizes) ?? NaN
    assert.closeTo(Growth.exponent(samples(Math.log2)) ?? NaN, bound, 1e-9)
    assert.isBelow(Growth.exponent(samples((n) => 5 + Math.log2(n))) ?? NaN, bound)
    assert.isAbove(Growth.exponent(samples((n) => Math.log2(n) ** 1.1)) ?? NaN, bound)
  })

  it("draws a logarithm through the first sample", () => {
    assert.deepStrictEqual(Growth.logarithmThrough({ n: 4, cost: 3 }, [4, 16, 256]), [
      { n: 4, cost: 3 },
      { n: 16, cost: 6 },
      { n: 256, cost: 12 }
    ])
  })
})
