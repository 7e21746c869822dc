import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as ApplyCompaction from "../../../src/internal/lsm/ApplyCompaction.ts"
import { refusal } from "../../../src/internal/lsm/CompactionPlan.ts"
import * as ManifestStep from "../../../src/internal/lsm/ManifestStep.ts"
import type { CompactionPlan } from "../../../src/internal/model/CompactionPlan.ts"
import type { Manifest } from "../../../src/internal/model/Manifest.ts"
import * as ManifestInvariants from "../../../src/internal/model/ManifestInvariants.ts"
import type { SsTable } from "../../../src/internal/model/SsTable.ts"
import * as GenerationModel from "./GenerationModel.ts"
import * as TreeModel from "./TreeModel.ts"

const outcome = (plan: CompactionPlan, outputs: ReadonlyArray<SsTable>, id = "job"): ApplyCompaction.Outcome => ({
  plan,
  outputs,
  checkpoint: TreeModel.checkpoint(id)
})

const applied = (outcome: ApplyCompaction.Outcome, manifest: Manifest, manifestId = 7): Manifest => {
  const result = ApplyCompaction.apply(outcome)(manifest, manifestId)
  return Result.isSuccess(result) ? result.success : assert.fail(result.failure)
}

const refused = (outcome: ApplyCompaction.Outcome, manifest: Manifest): string => {
  const result = ApplyCompaction.apply(outcome)(manifest, 7)
  return Result.isFailure(result) ? result.failure : assert.fail("it was applied")
}

/** Another process's memtable, pushed at the front of level 0. */
const push = (number: number) =>
  ManifestStep.addFlushed(
    {
      table: TreeModel.table(number),
      lastSequence: number,
      lastWalId: number,
      clockTick: number,
      commitPoints: []
    },
    Infinity
  )

const keepsLaws = (previous: Manifest, next: Manifest, seed: number) => {
  const violations = [...ManifestInvariants.check(next), ...ManifestInvariants.checkSuccession(previous, next)]
  assert.deepStrictEqual(violations.map(String), [], `seed=${seed}`)
}

/** Trees, an honest plan for each, and a new table or none that it comes to. */
const each = (
  use: (one: { seed: number; manifest: Manifest; outcome: ApplyCompaction.Outcome; random: TreeModel.Dice }) => void
) => {
  let count = 0
  for (let seed = 0; seed < 2000; seed++) {
    const random = GenerationModel.randomFrom(seed)
    const manifest = TreeModel.randomTree(random)
    assert.isEmpty(ManifestInvariants.check(manifest))
    const plan = TreeModel.randomPlan(manifest, random)
    if (plan === undefined) continue
    count++
    use({
      seed,
      manifest,
      random,
      outcome: outcome(
        plan,
        Array.from({ length: random(3) }, (_, i) => TreeModel.table(600 + i))
      )
    })
  }
  assert.isAbove(count, 1000)
}

describe("applied", () => {
  it("the outputs stand where the inputs stood, nothing else moves, and the laws of manifests hold", () =>
    each(({ manifest, outcome, seed }) => {
      const { outputs, plan } = outcome
      const next = applied(outcome, manifest)
      keepsLaws(manifest, next, seed)
      const isInput = new Set([
        ...plan.l0,
        ...manifest.runs.filter(({ id }) => plan.runs.includes(id)).flatMap(({ tables }) => tables.map(({ id }) => id))
      ])
      const before = TreeModel.ages(manifest)
      const rest = before.filter((id) => !isInput.has(id))
      const after = TreeModel.ages(next)
      assert.deepStrictEqual(
        after.filter((id) => rest.includes(id)),
        rest
      )
      assert.deepStrictEqual(
        after.filter((id) => !rest.includes(id)),
        outputs.map(({ id }) => id)
      )
      const first = before.findIndex((id) => isInput.has(id))
      if (first >= 0) assert.deepStrictEqual(after.slice(0, first), before.slice(0, first))
      assert.strictEqual(
        next.runs.some(({ id }) => id === plan.destination),
        outputs.length > 0
      )
      assert.strictEqual(next.lastCompactedViewId, plan.l0[0] ?? manifest.lastCompactedViewId)
    }))

  it("twice is as once: known by its checkpoint, and after that has gone by its run", () =>
    each(({ manifest, outcome }) => {
      const next = applied(outcome, manifest)
      assert.strictEqual(applied(outcome, next, 8), next)
      assert.isTrue(ApplyCompaction.isApplied(outcome, next))
      assert.isFalse(ApplyCompaction.isApplied(outcome, manifest))
      const later = { ...next, checkpoints: [] }
      if (outcome.outputs.length > 0) assert.strictEqual(applied(outcome, later, 8), later)
      else refused(outcome, later)
    }))

  it("before or after a writer's push it comes to the same, and what was pushed stays", () =>
    each(({ manifest, outcome, seed }) => {
      const pushed = push(700)(manifest)
      const next = applied(outcome, pushed)
      keepsLaws(pushed, next, seed)
      assert.deepStrictEqual(next, push(700)(applied(outcome, manifest)))
      assert.strictEqual(next.l0[0]?.id, TreeModel.table(700).id)
    }))

  it("before or after a plan that was accepted beside it, it comes to the same", () => {
    let count = 0
    each(({ manifest, outcome: first, random, seed }) => {
      const plan = TreeModel.randomPlan(manifest, random)
      if (plan === undefined || refusal(plan, manifest, [first.plan]) !== undefined) return
      count++
      const second = outcome(plan, [TreeModel.table(650)], "second")
      const forth = applied(second, applied(first, manifest))
      const back = applied(first, applied(second, manifest))
      assert.deepStrictEqual({ ...forth, checkpoints: [] }, { ...back, checkpoints: [] }, `seed=${seed}`)
    })
    assert.isAbove(count, 100)
  })
})

describe("the checkpoint", () => {
  it("names the manifest that was edited, the last that lists the inputs, also after a conflict", () =>
    each(({ manifest, outcome }) => {
      const edit = ApplyCompaction.apply(outcome)
      const pushed = push(700)(manifest)
      const versions = new Map([
        [7, manifest],
        [8, pushed]
      ])
      edit(manifest, 7)
      const next = Result.getOrThrow(edit(pushed, 8))
      const { manifestId } = next.checkpoints[next.checkpoints.length - 1] as Manifest["checkpoints"][number]
      const named = versions.get(manifestId) as Manifest
      for (const view of outcome.plan.l0) assert.isTrue(named.l0.some(({ viewId }) => viewId === view))
      for (const run of outcome.plan.runs) {
        const tables = (of: Manifest) => of.runs.find(({ id }) => id === run)?.tables
        assert.deepStrictEqual(tables(named), tables(pushed))
      }
      assert.strictEqual(manifestId, 8)
      assert.deepStrictEqual(next.checkpoints.slice(0, -1), pushed.checkpoints)
    }))

  it("lives for 900 seconds", () =>
    assert.deepStrictEqual(ApplyCompaction.checkpointAt("id", 1000), {
      id: "id",
      createTimeSeconds: 1000,
      expireTimeSeconds: 1900,
      metadata: undefined,
      name: undefined
    }))
})

describe("refused, with the reason", () => {
  const manifest = TreeModel.tree([1, 1, 1], [1, 1, 1])
  const view = (number: number) => TreeModel.table(number).viewId
  const outputs = [TreeModel.table(600)]

  it.each([
    ["a table that is gone", { l0: [view(897)], runs: [], destination: 3 }, "not in level 0"],
    ["a run that is gone", { l0: [], runs: [4], destination: 4 }, "not among the runs"],
    ["tables that are not the oldest", { l0: [view(900), view(899)], runs: [], destination: 3 }, "from its oldest end"],
    ["runs that are not neighbours any more", { l0: [], runs: [2, 0], destination: 0 }, "are neighbours"],
    ["a destination that somebody took", { l0: [view(898)], runs: [], destination: 2 }, "above all runs"]
  ])("%s", (_, plan, why) => assert.include(refused(outcome(plan, outputs), manifest), why))

  it("when another compaction consumed an input meanwhile", () =>
    each(({ manifest, outcome: ours }) => {
      const theirs = applied(outcome(ours.plan, [TreeModel.table(800)], "theirs"), manifest)
      // Of a run only its id tells that it is the one that was planned: ids of runs are given anew.
      if (ours.plan.l0.length > 0) assert.include(refused(ours, theirs), "not in level 0")
      else if (ours.plan.runs.length > 1) assert.include(refused(ours, theirs), "not among the runs")
    }))
})
