/** The line through what memory a process takes. */
import * as MemoryTrend from "@effect-slatedb/testkit/drills/MemoryTrend"
import { assert, describe, it } from "@effect/vitest"

const sampled = (mebibytes: ReadonlyArray<number>): ReadonlyArray<MemoryTrend.Sample> =>
  mebibytes.map((mebibytes, minutes) => ({ minutes, mebibytes }))

describe("MemoryTrend", () => {
  it("is the slope of a line", () => {
    assert.closeTo(MemoryTrend.slope(sampled([10, 13, 16, 19, 22, 25])), 3, 1e-9)
    assert.closeTo(MemoryTrend.slope(sampled([25, 22, 19, 16, 13, 10])), -3, 1e-9)
  })

  it("does not see how a process grew up", () => {
    assert.closeTo(MemoryTrend.slope(sampled([0, 100, 200, 300, 300, 300, 300])), 0, 1e-9)
  })

  it("is that of the least squares", () => {
    // Through (2, 1), (3, 5), (4, 3): the covariance is 2, the variance of the minutes 2.
    assert.closeTo(MemoryTrend.slope(sampled([9, 9, 1, 5, 3])), 1, 1e-9)
  })

  it("is nothing without two samples", () => {
    assert.strictEqual(MemoryTrend.slope([]), 0)
    assert.strictEqual(MemoryTrend.slope(sampled([7])), 0)
  })
})
