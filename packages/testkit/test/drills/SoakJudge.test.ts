/** A soak's judge finds every miss. */
import type * as MemoryTrend from "@effect-slatedb/testkit/drills/MemoryTrend"
import * as SoakJudge from "@effect-slatedb/testkit/drills/SoakJudge"
import { assert, describe, it } from "@effect/vitest"

const flat: ReadonlyArray<MemoryTrend.Sample> = [0, 1, 2, 3, 4].map((minutes) => ({ minutes, mebibytes: 200 }))

const measures: SoakJudge.Measures = {
  ours: { userBytes: 1000, uploadedBytes: 4300 },
  official: { userBytes: 1000, uploadedBytes: 4000, tableBytes: 150, rowBytes: 100 },
  tableBytes: 190,
  rowBytes: 100,
  memory: flat,
  compactions: 3,
  collectedObjects: 9,
  leftovers: [],
  verifyCode: 0,
  wrong: []
}

const missesWith = (part: Partial<SoakJudge.Measures>): ReadonlyArray<string> =>
  SoakJudge.misses({ ...measures, ...part }, SoakJudge.bounds)

describe("SoakJudge", () => {
  it("finds nothing wrong within the bounds", () => {
    assert.deepStrictEqual(missesWith({}), [])
  })

  const cases: ReadonlyArray<readonly [what: string, part: Partial<SoakJudge.Measures>, miss: RegExp]> = [
    ["too many bytes of tables", { tableBytes: 200 }, /space amplification is 2\.00/],
    ["rows that are no rows", { tableBytes: 0, rowBytes: 0 }, /space amplification is NaN/],
    [
      "too many bytes uploaded",
      { ours: { userBytes: 1000, uploadedBytes: 4401 } },
      /write amplification is 1\.10 times/
    ],
    ["no work of the official engine", { official: { ...measures.official, uploadedBytes: 0 } }, /Infinity times/],
    [
      "other work than the official engine's",
      { ours: { userBytes: 999, uploadedBytes: 4000 } },
      /different work: ours=999 official=1000/
    ],
    [
      "memory that grows",
      { memory: flat.map(({ minutes }) => ({ minutes, mebibytes: 200 + 17 * minutes })) },
      /grows by 17\.00 MiB a minute in the later half, and must by at most 16\.00/
    ],
    ["no compaction", { compactions: 0 }, /nothing was compacted/],
    ["no collection", { collectedObjects: 0 }, /nothing was collected/],
    ["a fault", { verifyCode: 1 }, /slate verify ended with 1/],
    ["an object that is left", { leftovers: ["compacted/x.sst"] }, /1 objects are left .*compacted\/x\.sst/],
    ["wrong contents", { wrong: ["a scan"] }, /^a scan$/]
  ]
  for (const [what, part, miss] of cases) {
    it(`finds ${what}`, () => {
      const found = missesWith(part)
      assert.strictEqual(found.length, 1)
      assert.match(found[0] ?? "", miss)
    })
  }
})
