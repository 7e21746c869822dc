import * as CompactionPolicy from "@effect-slatedb/core/CompactionPolicy"
import { DbError, type Invalid } from "@effect-slatedb/core/DbError"
import { assert, describe, it } from "@effect/vitest"
import { refusal } from "../src/internal/lsm/CompactionPlan.ts"
import * as SizeTiered from "../src/internal/lsm/SizeTiered.ts"
import * as GenerationModel from "./internal/lsm/GenerationModel.ts"
import * as TreeModel from "./internal/lsm/TreeModel.ts"

const stateOf = (seed: number, room = 4): CompactionPolicy.CompactionState => ({
  manifest: TreeModel.randomTree(GenerationModel.randomFrom(seed)),
  active: [],
  room,
  isAtRest: seed % 2 === 0
})

describe("sizeTiered", () => {
  it("has upstream's defaults, and takes its options", () => {
    const options = { minSources: 2, maxSources: 3, includeSizeThreshold: 1.5, sizeAmplificationAtRest: 0 }
    let differing = 0
    for (let seed = 0; seed < 200; seed++) {
      const state = stateOf(seed)
      const byDefault = CompactionPolicy.sizeTiered().choose(state)
      const given = CompactionPolicy.sizeTiered(options).choose(state)
      assert.deepStrictEqual(
        byDefault,
        SizeTiered.choose({ minSources: 4, maxSources: 8, includeSizeThreshold: 4, sizeAmplificationAtRest: 0.5 })(
          state
        )
      )
      assert.deepStrictEqual(given, SizeTiered.choose(options)(state))
      assert.deepStrictEqual(
        CompactionPolicy.sizeTiered({ minSources: undefined, maxSources: undefined }).choose(state),
        byDefault
      )
      if (JSON.stringify(byDefault) !== JSON.stringify(given)) differing++
    }
    assert.isAbove(differing, 50)
  })

  const refused = (options: CompactionPolicy.SizeTieredOptions): Invalid => {
    try {
      CompactionPolicy.sizeTiered(options)
    } catch (error) {
      if (error instanceof DbError && error.reason._tag === "Invalid") return error.reason
      throw error
    }
    return assert.fail("it was taken")
  }

  it.each([
    [{ minSources: 1 }, "sizeTiered.minSources", "2"],
    [{ minSources: 2.5 }, "sizeTiered.minSources", "2"],
    [{ minSources: NaN }, "sizeTiered.minSources", "2"],
    [{ minSources: Infinity, maxSources: Infinity }, "sizeTiered.minSources", "2"],
    [{ minSources: 9 }, "sizeTiered.maxSources", "9"],
    [{ maxSources: 3 }, "sizeTiered.maxSources", "4"],
    [{ maxSources: 8.5 }, "sizeTiered.maxSources", "4"],
    [{ includeSizeThreshold: 0.99 }, "sizeTiered.includeSizeThreshold", "1"],
    [{ includeSizeThreshold: NaN }, "sizeTiered.includeSizeThreshold", "1"],
    [{ includeSizeThreshold: Infinity }, "sizeTiered.includeSizeThreshold", "1"],
    [{ sizeAmplificationAtRest: -0.1 }, "sizeTiered.sizeAmplificationAtRest", "0"],
    [{ sizeAmplificationAtRest: NaN }, "sizeTiered.sizeAmplificationAtRest", "0"]
  ])("refuses %j, naming field and bound", (options, field, bound) => {
    const reason = refused(options)
    assert.strictEqual(reason.field, field)
    assert.include(reason.detail, bound)
  })

  it.each([
    { minSources: 2, maxSources: 2 },
    { maxSources: 4 },
    { includeSizeThreshold: 1 },
    { sizeAmplificationAtRest: Infinity }
  ])("takes %j", (options) => assert.isDefined(CompactionPolicy.sizeTiered(options)))
})

describe("full", () => {
  it("merges everything into the oldest run, unless that is all there is", () => {
    let whole = 0
    for (let seed = 0; seed < 500; seed++) {
      const state = stateOf(seed, 1)
      const { l0, runs } = state.manifest
      const plans = CompactionPolicy.full.choose(state)
      if (l0.length === 0 && runs.length <= 1) {
        whole++
        assert.isEmpty(plans)
        continue
      }
      assert.lengthOf(plans, 1)
      for (const plan of plans) {
        assert.isUndefined(refusal(plan, state.manifest, []))
        assert.strictEqual(plan.l0.length + plan.runs.length, l0.length + runs.length)
      }
    }
    assert.isAbove(whole, 0)
  })

  it("one table of level 0 becomes a run", () =>
    assert.deepStrictEqual(
      CompactionPolicy.full.choose({ manifest: TreeModel.tree([1], []), active: [], room: 1, isAtRest: false }),
      [{ l0: [TreeModel.table(900).viewId], runs: [], destination: 0 }]
    ))

  it("waits while anything is compacted, and for room", () => {
    const manifest = TreeModel.tree([1], [1, 1, 1])
    const active = [{ l0: [], runs: [1, 0], destination: 0 }]
    assert.lengthOf(CompactionPolicy.full.choose({ manifest, active: [], room: 1, isAtRest: false }), 1)
    assert.isEmpty(CompactionPolicy.full.choose({ manifest, active, room: 1, isAtRest: true }))
    assert.isEmpty(CompactionPolicy.full.choose({ manifest, active: [], room: 0, isAtRest: true }))
  })
})

it("none chooses nothing", () => assert.isEmpty(CompactionPolicy.none.choose(stateOf(1))))
