import type * as Compactor from "@effect-slatedb/core/Compactor"
import { assert, describe, it } from "@effect/vitest"
import * as CompactionText from "../src/CompactionText.ts"

const job = (id: string, spec: Partial<Compactor.Compaction["spec"]>): Compactor.Compaction => ({
  id,
  status: "running",
  outputs: [],
  spec: {
    _tag: "Tiered",
    l0ViewIds: [],
    runIds: [],
    destination: undefined,
    segment: new Uint8Array(0),
    ...spec
  } as Compactor.Compaction["spec"]
})

describe("CompactionText", () => {
  it("names what is merged and where to", () => {
    const merge = (l0: number, runs: ReadonlyArray<number>, destination?: number) =>
      CompactionText.merge({ l0: Array.from({ length: l0 }, () => "x"), runs, destination })
    assert.deepStrictEqual(
      [merge(1, [], 0), merge(4, [7]), merge(0, [3, 2, 1], 1), merge(2, [7, 6, 5, 4, 3, 2, 1], 1)],
      [
        "1 table of level 0 into run 0",
        "4 tables of level 0, run 7 into a new run",
        "runs 3 2 1 into run 1",
        "2 tables of level 0, 7 runs into run 1"
      ]
    )
  })

  it("derives a destination that the file does not hold from the runs", () => {
    const destination = (spec: Partial<Compactor.Compaction["spec"]>) =>
      CompactionText.mergeOf(job("", spec)).destination
    assert.strictEqual(destination({ runIds: [9, 4, 7] }), 4)
    assert.strictEqual(destination({ runIds: [9], destination: 12 } as object), 12)
    assert.isUndefined(destination({ l0ViewIds: ["x"] }))
    assert.isUndefined(destination({ _tag: "DrainSegment", runIds: [9] } as object))
  })

  it("reads the time in a job's id", () => {
    const at = (id: string) => CompactionText.beganMillis(job(id, {}))
    assert.strictEqual(at("00000000000000000000000000"), 0)
    assert.strictEqual(at("0000000001ZZZZZZZZZZZZZZZZ"), 1)
    assert.strictEqual(at("0000000010ZZZZZZZZZZZZZZZZ"), 32)
    assert.strictEqual(at("7ZZZZZZZZZ0000000000000000"), 2 ** 48 - 1)
    assert.strictEqual(new Date(at("01ARZ3NDEKTSV4RRFFQ69G5FAV")).toISOString(), "2016-07-30T23:54:10.259Z")
  })
})
