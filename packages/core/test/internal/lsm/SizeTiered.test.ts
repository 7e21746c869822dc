import { assert, describe, it } from "@effect/vitest"
import { refusal } from "../../../src/internal/lsm/CompactionPlan.ts"
import * as SizeTiered from "../../../src/internal/lsm/SizeTiered.ts"
import type { CompactionPlan, CompactionState } from "../../../src/internal/model/CompactionPlan.ts"
import type { Manifest } from "../../../src/internal/model/Manifest.ts"
import { sizeBytes } from "../../../src/internal/model/SsTable.ts"
import * as GenerationModel from "./GenerationModel.ts"
import * as TreeModel from "./TreeModel.ts"

const defaults: SizeTiered.Options = {
  minSources: 4,
  maxSources: 8,
  includeSizeThreshold: 4,
  sizeAmplificationAtRest: 0.5
}

/** The definition, with no thought of cost: every chain is tried, every condition asked of every part of it. */
const model = (
  options: SizeTiered.Options,
  { active, isAtRest, manifest, room }: CompactionState
): Array<CompactionPlan> => {
  const { includeSizeThreshold: threshold, maxSources, minSources } = options
  const plans: Array<CompactionPlan> = []
  const sizes = manifest.runs.map(({ tables }) => tables.reduce((sum, table) => sum + sizeBytes(table), 0))
  const ids = manifest.runs.map(({ id }) => id)
  const sum = (numbers: ReadonlyArray<number>) => numbers.reduce((a, b) => a + b, 0)
  const isAlike = (chain: ReadonlyArray<number>) =>
    chain.every((size, i) => i === 0 || size <= Math.min(...chain.slice(0, i)) * threshold)
  /** The longest length from `start` on of which every lesser one is good, too. */
  const longest = (start: number, isGood: (end: number) => boolean) => {
    const lengths = sizes.slice(start).map((_, i) => i + 1)
    const firstBad = lengths.find((length) => !isAlike(sizes.slice(start, start + length)) || !isGood(start + length))
    return firstBad === undefined ? lengths.length : firstBad - 1
  }
  const pressed = (bytes: number, next: number) =>
    next < sizes.length && (sizes[next] as number) <= bytes * threshold && longest(next, () => true) >= maxSources
  const isUsed = (plan: CompactionPlan) =>
    [...active, ...plans].some(
      (other) =>
        (plan.l0.length > 0 && other.l0.length > 0) ||
        [plan.destination, ...plan.runs].some((run) => [other.destination, ...other.runs].includes(run))
    )
  const merging = (start: number, end: number) => ({
    l0: [],
    runs: ids.slice(start, end),
    destination: ids[end - 1] as number
  })

  const pick = (): CompactionPlan | undefined => {
    if (manifest.l0.length >= minSources) {
      const taken = manifest.l0.slice(Math.max(0, manifest.l0.length - maxSources))
      const plan = {
        l0: taken.map(({ viewId }) => viewId),
        runs: [],
        destination: ids.length === 0 ? 0 : (ids[0] as number) + 1
      }
      if (!isUsed(plan) && !pressed(sum(taken.map(sizeBytes)), 0)) return plan
    }
    for (let start = 0; start < ids.length; start++) {
      const length = longest(
        start,
        (end) => !isUsed(merging(start, end)) && !pressed(sum(sizes.slice(start, end)), end)
      )
      if (length >= minSources) return merging(start + Math.max(0, length - maxSources), start + length)
    }
    return undefined
  }
  while (plans.length < room) {
    const plan = pick()
    if (plan === undefined) break
    plans.push(plan)
  }
  if (!isAtRest || room === 0 || active.length + plans.length > 0) return plans
  const all = [...manifest.l0.map(sizeBytes), ...sizes]
  const newer = sum(all.slice(0, -1))
  const isNever = options.sizeAmplificationAtRest === Infinity
  if (isNever || newer === 0 || newer <= (all.at(-1) as number) * options.sizeAmplificationAtRest) return plans
  const l0 = manifest.l0.map(({ viewId }) => viewId)
  return l0.length > 0
    ? [{ l0, runs: [], destination: (ids[0] ?? -1) + 1 }]
    : [{ l0, runs: ids, destination: ids.at(-1) as number }]
}

/** A plan whose result is in the manifest, but which is not marked as completed yet: its sources are gone. */
const stale = ({ runs }: Manifest, random: TreeModel.Dice): CompactionPlan => {
  const destination = (runs[0]?.id ?? -1) + random(2)
  return random(2) === 0
    ? { l0: [TreeModel.table(990).viewId], runs: [], destination: Math.max(0, destination) }
    : { l0: [], runs: [destination + 1, Math.max(0, destination)], destination: Math.max(0, destination) }
}

it("chooses what the definition says, and nothing that would be refused, alone or beside all others", () => {
  const count = { chosen: 0, several: 0, levelZero: 0, clamped: 0, everything: 0 }
  for (let seed = 0; seed < 8000; seed++) {
    const random = GenerationModel.randomFrom(seed)
    const manifest = TreeModel.randomTree(random)
    const active: Array<CompactionPlan> = []
    for (let i = random(3); i > 0; i--) {
      const plan = TreeModel.randomPlan(manifest, random)
      if (plan !== undefined && refusal(plan, manifest, active) === undefined) active.push(plan)
    }
    if (random(4) === 0) active.push(stale(manifest, random))
    const minSources = 2 + random(3)
    const options = {
      minSources,
      maxSources: minSources + random(5),
      includeSizeThreshold: 1 + random(7) / 2,
      sizeAmplificationAtRest: random(8) === 0 ? Infinity : random(8) / 4
    }
    const state = { manifest, active, room: random(5), isAtRest: random(2) === 0 }
    const plans = SizeTiered.choose(options)(state)
    assert.deepStrictEqual(plans, model(options, state), `seed=${seed}`)
    plans.forEach((plan, i) => {
      assert.isUndefined(refusal(plan, manifest, []), `seed=${seed}`)
      assert.isUndefined(refusal(plan, manifest, [...active, ...plans.toSpliced(i, 1)]), `seed=${seed}`)
      const sources = plan.l0.length + plan.runs.length
      const isEverything =
        plan.l0.length === manifest.l0.length && (plan.l0.length > 0 || sources === manifest.runs.length)
      if (isEverything && state.isAtRest) count.everything++
      else assert.isTrue(sources >= options.minSources && sources <= options.maxSources, `seed=${seed}`)
      count.chosen++
      if (plan.l0.length > 0) count.levelZero++
      if (sources === options.maxSources) count.clamped++
    })
    if (plans.length > 1) count.several++
  }
  assert.isAbove(count.chosen, 2000)
  assert.isAbove(count.several, 300)
  assert.isAbove(count.levelZero, 500)
  assert.isAbove(count.clamped, 300)
  assert.isAbove(count.everything, 80)
})

describe("with the defaults", () => {
  /** Level 0 as its newest and oldest place taken, counted from the newest; runs by id. */
  const chosen = (l0: ReadonlyArray<number>, runs: ReadonlyArray<number>, more: Partial<CompactionState> = {}) => {
    const manifest = TreeModel.tree(l0, runs)
    return SizeTiered.choose(defaults)({ manifest, active: [], room: 4, isAtRest: false, ...more }).map((plan) => {
      const places = plan.l0.map((view) => manifest.l0.findIndex(({ viewId }) => viewId === view))
      return `l0=${places} runs=${plan.runs} -> ${plan.destination}`
    })
  }
  const ones = (count: number) => Array.from({ length: count }, () => 1)

  it.each([
    ["three tables wait", ones(3), [], []],
    ["four become run 0", ones(4), [], ["l0=0,1,2,3 runs= -> 0"]],
    ["the oldest eight of ten go first", ones(10), [], ["l0=2,3,4,5,6,7,8,9 runs= -> 0"]],
    ["a new run comes above the newest", ones(4), [99, 99], ["l0=0,1,2,3 runs= -> 2"]],
    ["three runs wait", [], ones(3), []],
    ["four become the oldest of them", [], ones(4), ["l0= runs=3,2,1,0 -> 0"]],
    ["of nine the oldest eight", [], ones(9), ["l0= runs=7,6,5,4,3,2,1,0 -> 0"]],
    ["four times as large is alike", [], [1, 1, 1, 4], ["l0= runs=3,2,1,0 -> 0"]],
    ["more is not", [], [1, 1, 1, 5], []],
    ["the smallest counts, not the last", [], [2, 1, 4, 5], []],
    ["smaller older ones join", [], [8, 4, 2, 1], ["l0= runs=3,2,1,0 -> 0"]],
    ["a chain may begin below a small run", [], [1, 9, 9, 9, 9], ["l0= runs=3,2,1,0 -> 0"]],
    [
      "tiers are merged side by side",
      ones(4),
      [1, 1, 1, 1, 99, 99, 99, 99],
      ["l0=0,1,2,3 runs= -> 8", "l0= runs=7,6,5,4 -> 4", "l0= runs=3,2,1,0 -> 0"]
    ]
  ])("%s", (_, l0, runs, expected) => assert.deepStrictEqual(chosen(l0, runs), expected))

  it("a full tier is merged before another run joins it", () => {
    // Eight runs of 4: four tables of 1 would become the ninth.
    const full = Array.from({ length: 8 }, () => 4)
    assert.deepStrictEqual(chosen(ones(4), full), ["l0= runs=7,6,5,4,3,2,1,0 -> 0"])
    // Seven leave room; so do eight that are too large to be joined.
    assert.deepStrictEqual(chosen(ones(4), full.slice(1), { room: 1 }), ["l0=0,1,2,3 runs= -> 7"])
    assert.deepStrictEqual(
      chosen(
        ones(4),
        full.map(() => 17),
        { room: 1 }
      ),
      ["l0=0,1,2,3 runs= -> 8"]
    )
    assert.deepStrictEqual(
      chosen(
        ones(4),
        full.map(() => 16),
        { room: 1 }
      ),
      ["l0= runs=7,6,5,4,3,2,1,0 -> 0"]
    )
  })

  it("no more than there is room for", () => {
    assert.deepStrictEqual(chosen(ones(4), ones(4), { room: 0 }), [])
    assert.lengthOf(chosen(ones(4), ones(4), { room: 1 }), 1)
    assert.lengthOf(chosen(ones(4), ones(4), { room: 2 }), 2)
  })

  it("nothing of a plan that is in the manifest, but not ended yet", () => {
    const active = (plan: Partial<CompactionPlan>) => ({ active: [{ l0: [], runs: [], destination: 0, ...plan }] })
    // The first made run 3. The result of the others was empty: there is no run of that id, and may be none yet.
    assert.deepStrictEqual(chosen([], ones(4), active({ l0: [TreeModel.table(990).viewId], destination: 3 })), [])
    assert.deepStrictEqual(chosen(ones(4), [], active({ l0: [TreeModel.table(990).viewId], destination: 1 })), [])
    assert.deepStrictEqual(chosen(ones(4), ones(3), active({ runs: [4, 3], destination: 3 })), [])
  })

  it("settles: nothing is merged that was merged just now", () => assert.deepStrictEqual(chosen([], [4]), []))

  describe("at rest", () => {
    const atRest = (l0: ReadonlyArray<number>, runs: ReadonlyArray<number>, more: Partial<CompactionState> = {}) =>
      chosen(l0, runs, { isAtRest: true, ...more })

    it.each([
      ["nothing of nothing", [], [], []],
      ["nothing of one", [1], [], []],
      ["nothing of what is merged", [], [9], []],
      ["half of the oldest may wait", [], [5, 10], []],
      ["more may not", [], [6, 10], ["l0= runs=1,0 -> 0"]],
      ["level 0 becomes a run before", [1], [5, 10], ["l0=0 runs= -> 2"]],
      ["level 0 alone becomes run 0", [1, 1], [], ["l0=0,1 runs= -> 0"]],
      ["what is written in any case goes first", ones(4), [9], ["l0=0,1,2,3 runs= -> 1"]]
    ])("%s", (_, l0, runs, expected) => assert.deepStrictEqual(atRest(l0, runs), expected))

    it("not beside anything else, and not without room", () => {
      assert.deepStrictEqual(atRest([], [9, 9], { room: 0 }), [])
      assert.deepStrictEqual(
        atRest([], [9, 9], { active: [{ l0: [TreeModel.table(990).viewId], runs: [], destination: 7 }] }),
        []
      )
    })
  })
})
