import { assert, describe, it } from "@effect/vitest"
import { isBottom, refusal, sourcesOf } from "../../../src/internal/lsm/CompactionPlan.ts"
import type { CompactionPlan } from "../../../src/internal/model/CompactionPlan.ts"
import type { Manifest } from "../../../src/internal/model/Manifest.ts"
import * as GenerationModel from "./GenerationModel.ts"
import * as TreeModel from "./TreeModel.ts"

/** Level 0 [900, 899, 898], runs [3, 2, 1, 0]. */
const manifest = TreeModel.tree([1, 1, 1], [1, 1, 1, 1])
const noRuns = TreeModel.tree([1, 1, 1], [])
const view = (number: number) => TreeModel.table(number).viewId
const plan = (l0: ReadonlyArray<number>, runs: ReadonlyArray<number>, destination: number): CompactionPlan => ({
  l0: l0.map(view),
  runs,
  destination
})

/**
 * The definition: the list of tables, newest first, reads the same when the sources
 * have become one run, and level 0 still lies above all runs.
 */
const keepsAges = (manifest: Manifest, plan: CompactionPlan): boolean => {
  const { l0, runs } = manifest
  const tables = l0.filter(({ viewId }) => plan.l0.includes(viewId))
  for (const run of runs) if (plan.runs.includes(run.id)) tables.push(...run.tables)
  const after = {
    ...manifest,
    l0: l0.filter(({ viewId }) => !plan.l0.includes(viewId)),
    runs: [...runs.filter(({ id }) => !plan.runs.includes(id)), { id: plan.destination, tables }].toSorted(
      (a, b) => b.id - a.id
    )
  }
  return (
    new Set(after.runs.map(({ id }) => id)).size === after.runs.length &&
    TreeModel.ages(after).join() === TreeModel.ages(manifest).join()
  )
}

describe("a plan is accepted", () => {
  it.each([
    [plan([900, 899, 898], [], 4)],
    [plan([898], [], 4)],
    [plan([898], [], 9)],
    [plan([899, 898], [3, 2], 2)],
    [plan([], [3, 2, 1, 0], 0)],
    [plan([], [2, 1], 1)],
    [plan([], [2], 2)]
  ])("%j", (plan) => assert.isUndefined(refusal(plan, manifest, [])))

  it("into run 0 when there are no runs", () => assert.isUndefined(refusal(plan([899, 898], [], 0), noRuns, [])))

  it("beside others that touch nothing of it", () =>
    assert.isUndefined(refusal(plan([], [1, 0], 0), manifest, [plan([899, 898], [3, 2], 2)])))
})

describe("a plan is refused", () => {
  it.each([
    ["a plan has sources", plan([], [], 4), []],
    ["not in level 0", plan([897], [], 4), []],
    ["not among the runs", plan([], [4, 3], 3), []],
    ["from its oldest end", plan([900, 899], [], 4), []],
    ["from its oldest end", plan([900, 898], [], 4), []],
    ["from its oldest end", plan([898, 899], [], 4), []],
    ["from its oldest end", plan([898, 898], [], 4), []],
    ["are neighbours", plan([], [3, 1], 1), []],
    ["are neighbours", plan([], [1, 2], 2), []],
    ["are neighbours", plan([], [2, 2], 2), []],
    ["are neighbours", plan([898], [2, 1], 1), []],
    ["is the least run", plan([], [2, 1], 2), []],
    ["is the least run", plan([898], [3], 4), []],
    ["above all runs", plan([898], [], 3), []],
    ["above all runs", plan([898], [], 0), []],
    ["above all runs", plan([898], [], 4.5), []],
    ["above all runs", plan([898], [], NaN), []],
    ["above all runs", plan([898], [], 2 ** 32), []],
    ["level 0 is being compacted", plan([899, 898], [], 4), [plan([898], [3], 3)]],
    ["run=2", plan([], [2, 1], 1), [plan([], [3, 2], 2)]],
    ["run=1", plan([], [1, 0], 0), [plan([], [3, 2], 2), plan([], [1], 1)]],
    ["run=4", plan([898], [], 4), [plan([], [4], 4)]],
    // The result of an active one may be in the manifest already.
    ["run=3", plan([], [3, 2], 2), [plan([897], [], 3)]]
  ])("%s: %j", (why, plan, active) => assert.include(refusal(plan, manifest, active), why))

  it("for a destination below 0 when there are no runs", () =>
    assert.include(refusal(plan([898], [], -1), noRuns, []), "above all runs"))
})

it("a plan that is accepted keeps the order of ages, an honest one is accepted, and the refused ones are many", () => {
  const count = { honest: 0, accepted: 0, refused: 0 }
  for (let seed = 0; seed < 4000; seed++) {
    const random = GenerationModel.randomFrom(seed)
    const manifest = TreeModel.randomTree(random)
    const honest = TreeModel.randomPlan(manifest, random)
    if (honest === undefined) continue
    assert.isUndefined(refusal(honest, manifest, []), `seed=${seed}`)
    assert.isTrue(keepsAges(manifest, honest), `seed=${seed}`)
    const plan = TreeModel.bent(honest, random)
    count.honest++
    if (refusal(plan, manifest, []) === undefined) {
      count.accepted++
      assert.isTrue(keepsAges(manifest, plan), `seed=${seed} ${JSON.stringify(plan)}`)
    } else count.refused++
  }
  assert.isAbove(count.honest, 2000)
  assert.isAbove(count.accepted, 200)
  assert.isAbove(count.refused, 1000)
})

it("sources are given newest first, as the manifest has them", () => {
  const { l0, runs } = sourcesOf(plan([899, 898], [3, 2], 2), manifest)
  assert.deepStrictEqual(l0, manifest.l0.slice(1))
  assert.deepStrictEqual(runs, manifest.runs.slice(0, 2))
})

it("a source that is not there is a defect, not a smaller merge", () => {
  assert.throws(() => sourcesOf(plan([897], [], 4), manifest), /L6: .*table=0*897/)
  assert.throws(() => sourcesOf(plan([], [5], 5), manifest), /L6: .*run=5/)
})

it("the bottom is where no run is older than the destination", () => {
  let bottoms = 0
  for (let seed = 0; seed < 2000; seed++) {
    const random = GenerationModel.randomFrom(seed)
    const manifest = TreeModel.randomTree(random)
    const plan = TreeModel.randomPlan(manifest, random)
    if (plan === undefined) continue
    const oldest = manifest.runs[manifest.runs.length - 1]
    assert.strictEqual(isBottom(plan, manifest), oldest === undefined || plan.runs.includes(oldest.id), `seed=${seed}`)
    if (isBottom(plan, manifest)) bottoms++
  }
  assert.isAbove(bottoms, 200)
})
