import { assert, describe, it } from "@effect/vitest"
import * as Statistics from "../src/Statistics.ts"

describe("Statistics", () => {
  it("takes the middle of an odd number of values and the mean of the middle two of an even one", () => {
    assert.strictEqual(Statistics.median([5, 1, 3]), 3)
    assert.strictEqual(Statistics.median([10, 2, 4, 8]), 6)
    assert.throws(() => Statistics.median([]), RangeError)
  })

  it("compares numbers, not their text", () => {
    assert.strictEqual(Statistics.median([9, 10, 100]), 10)
  })

  it("leaves its input as it was", () => {
    const values = [3, 1, 2]
    Statistics.median(values)
    assert.deepStrictEqual(values, [3, 1, 2])
  })

  it("summarises nothing as nothing", () => {
    assert.isUndefined(Statistics.summary([]))
    assert.deepStrictEqual(Statistics.summary([4, 2, 9]), { median: 4, min: 2, max: 9 })
  })

  it("finds percentiles at both ends", () => {
    const ascending = Float64Array.from({ length: 100 }, (_, i) => i)
    assert.strictEqual(Statistics.percentile(ascending, 0), 0)
    assert.strictEqual(Statistics.percentile(ascending, 0.5), 50)
    assert.strictEqual(Statistics.percentile(ascending, 0.99), 99)
    assert.strictEqual(Statistics.percentile(ascending, 1), 99)
    assert.isUndefined(Statistics.percentile(new Float64Array(0), 0.5))
  })

  it("takes ratios within a run, so that a slow run slows both sides of its ratio", () => {
    assert.deepStrictEqual(Statistics.ratios([20, 2, 40], [10, 1, 20]), [2, 2, 2])
  })

  it("leaves out runs that failed on either side", () => {
    assert.deepStrictEqual(Statistics.ratios([20, undefined, 40], [10, 1, undefined]), [2])
  })
})
