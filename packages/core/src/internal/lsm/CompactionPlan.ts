/**
 * Whether a plan may be carried out, and what it means in a manifest.
 *
 *     level 0, newest to oldest   |  runs, greatest id to least
 *       e    d    c    b    a     |   7    5    4    1
 *                 └─────────sources──────┘                 destination 5
 *
 * Versions of a key lie in this order, newest first, and a result takes the place
 * of its sources. So sources are neighbours, and none of level 0 may be left below
 * one that is taken: what stays in level 0 is always newer than every run (L6).
 */
import type { CompactionPlan } from "../model/CompactionPlan.ts"
import type { Manifest, SortedRun } from "../model/Manifest.ts"
import type { SsTable } from "../model/SsTable.ts"

/** Run ids are unsigned 32-bit numbers in the files. */
const runIdMax = 2 ** 32 - 1

/** Why a plan must not be carried out beside those that are active; `undefined`: it may. */
export const refusal = (
  plan: CompactionPlan,
  manifest: Manifest,
  active: ReadonlyArray<CompactionPlan>
): string | undefined =>
  misplaced(plan, manifest) ??
  misdirected(plan, manifest) ??
  active.map(conflict(plan)).find((why) => why !== undefined)

/** Sources are there, and neighbours. */
const misplaced = ({ l0, runs }: CompactionPlan, manifest: Manifest): string | undefined => {
  if (l0.length + runs.length === 0) return "a plan has sources"
  const views = manifest.l0.map((table) => table.viewId)
  const ids = manifest.runs.map((run) => run.id)
  const absentTable = l0.find((view) => !views.includes(view))
  if (absentTable !== undefined) return `a source is not in level 0: table=${absentTable}`
  const absentRun = runs.find((run) => !ids.includes(run))
  if (absentRun !== undefined) return `a source is not among the runs: run=${absentRun}`
  const oldest = views.slice(views.length - l0.length)
  if (!isSame(l0, oldest)) return `level 0 is consumed from its oldest end: takes=${l0} oldest=${oldest}`
  const from = l0.length > 0 ? 0 : ids.indexOf(runs[0] as number)
  const neighbours = ids.slice(from, from + runs.length)
  return isSame(runs, neighbours) ? undefined : `sources are neighbours: takes=${runs} neighbours=${neighbours}`
}

const misdirected = ({ destination, runs }: CompactionPlan, manifest: Manifest): string | undefined => {
  const least = runs[runs.length - 1]
  if (least !== undefined) {
    return destination === least
      ? undefined
      : `the destination is the least run: destination=${destination} run=${least}`
  }
  const newest = manifest.runs[0]?.id ?? -1
  return Number.isInteger(destination) && destination > newest && destination <= runIdMax
    ? undefined
    : `the destination is above all runs: destination=${destination} newest=${newest}`
}

const conflict =
  (plan: CompactionPlan) =>
  (other: CompactionPlan): string | undefined => {
    // Whichever ends first would leave its run above or below newer rows.
    if (plan.l0.length > 0 && other.l0.length > 0) return `level 0 is being compacted: destination=${other.destination}`
    const used = [plan.destination, ...plan.runs].find((run) => run === other.destination || other.runs.includes(run))
    return used === undefined ? undefined : `a run is being compacted: run=${used}`
  }

const isSame = <A>(a: ReadonlyArray<A>, b: ReadonlyArray<A>): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i])

/** The sources of a plan that is not refused, newest first. */
export const sourcesOf = (
  plan: CompactionPlan,
  manifest: Manifest
): { readonly l0: ReadonlyArray<SsTable>; readonly runs: ReadonlyArray<SortedRun> } => {
  const why = misplaced(plan, manifest)
  if (why !== undefined) throw new Error(`L6: a compaction reads what its plan names: ${why}`)
  return {
    l0: manifest.l0.slice(manifest.l0.length - plan.l0.length),
    runs: manifest.runs.filter((run) => plan.runs.includes(run.id))
  }
}

/**
 * Whether nothing older can lie beneath the destination, so that tombstones may go
 * (L8). It stays true while the plan is carried out: only a compaction puts a run
 * beneath another, and only where its own sources were.
 */
export const isBottom = (plan: CompactionPlan, manifest: Manifest): boolean =>
  manifest.runs.every((run) => run.id >= plan.destination)
