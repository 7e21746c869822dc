/**
 * The compactor's register, step by step: the edits that this engine makes to it,
 * and what an active job that nobody here is running means.
 *
 *     request            begin              recordOutputs        finish
 *     ───────> submitted ─────> running ─┐ <────────────┘ ─────> completed | failed ──> forgotten
 *                  ^    a new compactor  │                       with the next finished one
 *                  └───────claim─────────┘
 *
 * - A job is in the register before its first output is stored, and each output
 *   before the next: who takes over goes on behind the last one.
 * - The manifest is written before the job is completed here. So a job that is
 *   active may be in the manifest already: its checkpoint or its outputs are there.
 *   Then it is completed without being run again.
 * - Version 1 of the file has no destination. Who reads a job again derives it: a job of
 *   level 0 makes a run above all others. That holds for outputs made before, too. Rows
 *   were dropped from them for good only if no run lay beneath, and then none does now:
 *   the first run can only come from level 0, whose jobs are never two at a time.
 *
 * Edits are pure and idempotent, as their first try may have landed (L11); an edit
 * that changes nothing answers with the register it was given.
 */
import * as Result from "effect/Result"
import type { CompactionPlan } from "../model/CompactionPlan.ts"
import { type Compaction, type Compactions, empty, isActive } from "../model/Compactions.ts"
import type { Manifest } from "../model/Manifest.ts"
import type { SsTable } from "../model/SsTable.ts"
import * as Ulid from "../model/Ulid.ts"
import * as Uuid from "../model/Uuid.ts"
import { refusal } from "./CompactionPlan.ts"

/** A plan on its way to a run. */
export interface Job {
  /** A ULID, minted before the first output. */
  readonly id: string
  readonly plan: CompactionPlan
  /** Output tables that are complete and in the register. */
  readonly outputs: ReadonlyArray<SsTable>
}

export type Edit = (compactions: Compactions) => Compactions

/** The first version of the file. */
export const none = (compactorEpoch: number): Compactions => ({ ...empty, compactorEpoch })

/** Takes the compactor's role: nobody runs the jobs of the one before. */
export const claim =
  (epoch: number): Edit =>
  (compactions) => {
    const next = kept(
      compactions,
      compactions.compactions.map((job): Compaction =>
        job.status === "running" ? { ...job, status: "submitted" } : job
      )
    )
    return next.compactorEpoch === epoch ? next : { ...next, compactorEpoch: epoch }
  }

/** Why a plan cannot be asked for beside the jobs that are active; `undefined`: it can. */
export const refusalOf = (plan: CompactionPlan, { compactions }: Compactions, manifest: Manifest): string | undefined =>
  refusal(
    plan,
    manifest,
    compactions
      .filter(isActive)
      .flatMap((job) => Result.getOrElse(Result.map(planOf(job, manifest), Array.of), () => []))
  )

/** Asks whoever is the compactor to carry a plan out. */
export const request =
  (id: string, plan: CompactionPlan): Edit =>
  (compactions) =>
    has(compactions, id) ? compactions : added(compactions, { id, plan, outputs: [] }, "submitted")

/** Jobs that are about to run: new ones, and those that were submitted. */
export const begin =
  (jobs: ReadonlyArray<Job>): Edit =>
  (compactions) =>
    jobs.reduce(
      (begun, job) =>
        has(begun, job.id)
          ? changed(begun, job.id, (found) => (found.status === "running" ? found : { ...found, status: "running" }))
          : added(begun, job, "running"),
      compactions
    )

/** Outputs that are stored; all of the job, in order. */
export const recordOutputs = (id: string, outputs: ReadonlyArray<SsTable>): Edit => {
  const names = idsOf(outputs)
  return (compactions) =>
    changed(compactions, id, (found) => (idsOf(found.outputs) === names ? found : { ...found, outputs }))
}

/** The job is over. Of those that are, only the youngest stays: the collector needs one job to judge ages by. */
export const finish =
  (id: string, status: "completed" | "failed"): Edit =>
  (compactions) =>
    kept(compactions, changed(compactions, id, (found) => ({ ...found, status })).compactions)

export const all =
  (edits: ReadonlyArray<Edit>): Edit =>
  (compactions) =>
    edits.reduce((edited, edit) => edit(edited), compactions)

/** Why a job ends without being run. */
export interface Finished {
  readonly id: string
  readonly status: "completed" | "failed"
  readonly detail: string
}

export interface Survey {
  /** Jobs to run, oldest first, as many as there is room for. */
  readonly jobs: ReadonlyArray<Job>
  readonly finished: ReadonlyArray<Finished>
  /** The plans of all jobs that are not over, run or not. */
  readonly active: ReadonlyArray<CompactionPlan>
  /** How many jobs may be begun besides. */
  readonly room: number
}

/** What to do about the register's active jobs, seen against a manifest that was read after it. */
export const survey = (state: {
  readonly compactions: Compactions
  readonly manifest: Manifest
  /** Jobs that run here. */
  readonly running: ReadonlyMap<string, unknown>
  /** Plans of jobs that were begun or asked for here, with the destinations that the file does not hold. */
  readonly plans: ReadonlyMap<string, CompactionPlan>
  readonly jobsMax: number
}): Survey => {
  const { manifest, plans, running } = state
  const jobs: Array<Job> = []
  const finished: Array<Finished> = []
  const active: Array<CompactionPlan> = []
  const open = state.compactions.compactions.filter(isActive)
  for (const { id } of open) {
    const plan = running.has(id) ? plans.get(id) : undefined
    if (plan !== undefined) active.push(plan)
  }
  let room = state.jobsMax - running.size
  for (const compaction of open) {
    if (running.has(compaction.id)) continue
    const judged = judge(compaction, plans.get(compaction.id), manifest, active)
    if ("status" in judged) {
      finished.push(judged)
      continue
    }
    active.push(judged.plan)
    if (room > 0) {
      room--
      jobs.push(judged)
    }
  }
  return { jobs, finished, active, room: Math.max(0, room) }
}

/** The plans of a policy that may be carried out together with those that are; and why others may not. */
export const admit = (
  plans: ReadonlyArray<CompactionPlan>,
  { active, manifest, room }: Pick<Survey, "active" | "room"> & { readonly manifest: Manifest }
): { readonly admitted: ReadonlyArray<CompactionPlan>; readonly refused: ReadonlyArray<string> } => {
  const admitted: Array<CompactionPlan> = []
  const refused: Array<string> = []
  for (const plan of plans) {
    const reason = refusal(plan, manifest, [...active, ...admitted])
    if (reason !== undefined) refused.push(reason)
    else if (admitted.length < room) admitted.push(plan)
  }
  return { admitted, refused }
}

/** An active job that nobody here is running: begun by a compactor that is gone, or asked for by somebody else. */
const judge = (
  compaction: Compaction,
  known: CompactionPlan | undefined,
  manifest: Manifest,
  active: ReadonlyArray<CompactionPlan>
): Job | Finished => {
  const { id, outputs } = compaction
  if (isCommitted(compaction, manifest)) return { id, status: "completed", detail: "it is in the manifest" }
  const plan = known === undefined ? planOf(compaction, manifest) : Result.succeed(known)
  const reason = Result.isFailure(plan) ? plan.failure : refusal(plan.success, manifest, active)
  return reason !== undefined || Result.isFailure(plan)
    ? { id, status: "failed", detail: reason ?? "" }
    : { id, plan: plan.success, outputs }
}

/** The plan of a job as it was read, or why it has none that is sure. */
export const planOf = ({ spec }: Compaction, manifest: Manifest): Result.Result<CompactionPlan, string> => {
  if (spec._tag === "DrainSegment" || spec.segment.length > 0) return Result.fail("it is of a segment")
  const plan = { l0: spec.l0ViewIds, runs: spec.runIds }
  if (spec.destination !== undefined) return Result.succeed({ ...plan, destination: spec.destination })
  if (spec.runIds.length > 0) return Result.succeed({ ...plan, destination: Math.min(...spec.runIds) })
  return Result.succeed({ ...plan, destination: (manifest.runs[0]?.id ?? -1) + 1 })
}

/** The checkpoint that the commit of a job leaves: its id is the job's, in the spelling of checkpoints. */
export const checkpointId = (id: string): string => {
  const { high, low } = Ulid.toHalves(id)
  return Uuid.fromHalves(high, low)
}

/** Compactors of other engines leave checkpoints of other names; then the outputs tell, if there are any. */
const isCommitted = ({ id, outputs }: Compaction, { checkpoints, runs }: Manifest): boolean => {
  if (checkpoints.some((checkpoint) => checkpoint.id === checkpointId(id))) return true
  const named = new Set(runs.flatMap(({ tables }) => tables.map((table) => table.id)))
  return outputs.length > 0 && outputs.every((table) => named.has(table.id))
}

const has = ({ compactions }: Compactions, id: string): boolean => compactions.some((job) => job.id === id)

const idsOf = (tables: ReadonlyArray<SsTable>): string => tables.map(({ id }) => id).join()

const added = (compactions: Compactions, { id, outputs, plan }: Job, status: "submitted" | "running"): Compactions => ({
  ...compactions,
  compactions: [
    ...compactions.compactions,
    {
      id,
      spec: {
        _tag: "Tiered",
        l0ViewIds: plan.l0,
        runIds: plan.runs,
        destination: plan.destination,
        segment: new Uint8Array(0)
      },
      status,
      outputs
    }
  ]
})

/** A job that is over stays as it is. */
const changed = (compactions: Compactions, id: string, change: (job: Compaction) => Compaction): Compactions =>
  withJobs(
    compactions,
    compactions.compactions.map((job) => (job.id === id && isActive(job) ? change(job) : job))
  )

/** Active jobs, and of the others the one with the greatest id. */
const kept = (compactions: Compactions, jobs: ReadonlyArray<Compaction>): Compactions => {
  const youngest = jobs
    .filter((job) => !isActive(job))
    .reduce((greatest, { id }) => (id > greatest ? id : greatest), "")
  return withJobs(
    compactions,
    jobs.filter((job) => isActive(job) || job.id === youngest)
  )
}

const withJobs = (compactions: Compactions, jobs: ReadonlyArray<Compaction>): Compactions =>
  jobs.length === compactions.compactions.length && jobs.every((job, i) => job === compactions.compactions[i])
    ? compactions
    : { ...compactions, compactions: jobs }
