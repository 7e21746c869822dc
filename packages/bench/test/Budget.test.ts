import { assert, describe, it } from "@effect/vitest"
import * as Budget from "../src/budget/Budget.ts"

const budget: Budget.Budget = {
  headroomPercent: 10,
  freeBytes: 4,
  bytesPerOperation: { get: 100, "left of a row": 0 }
}

describe("complaints", () => {
  it("has none about figures within the headroom, and few bytes are free where there is next to none", () => {
    assert.deepStrictEqual(Budget.complaints(budget, { get: 114, "left of a row": 4 }), [])
  })

  it("names the workload, its figure, its budget, and how to renew it", () => {
    const [message, ...more] = Budget.complaints(budget, { get: 114.1, "left of a row": 0 })
    assert.lengthOf(more, 0)
    for (const part of ['"get"', "114.1", "100.0", "114.0", Budget.renew]) assert.include(message, part)
  })

  it("tells of a workload without a budget, and of a budget without a workload", () => {
    const messages = Budget.complaints(budget, { get: 1, put: 1 })
    assert.match(messages.join("\n"), /"left of a row" has a budget, but was not measured/)
    assert.match(messages.join("\n"), /"put" has no budget yet/)
  })
})

it("a renewed budget is met by the figures it was made of", () => {
  const figures = { get: 123.456, put: 7.04 }
  assert.deepStrictEqual(Budget.complaints(Budget.withFigures(budget, figures), figures), [])
})
