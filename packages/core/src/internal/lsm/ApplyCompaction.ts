/**
 * A finished compaction as an edit of the manifest.
 *
 *     manifest 41                          manifest 42
 *     l0    [d, c, b, a]      apply        l0    [d]
 *     runs  [5, 4, 1]      ─────────>      runs  [4, 1]          4 is new
 *     inputs: c, b, a, 5, 4                checkpoint of 41, for 900 s
 *
 * The plan is checked again, against the manifest that the edit is applied to: the
 * writer may have pushed tables at the front of level 0, which stay there.
 */
import * as Result from "effect/Result"
import type { CompactionPlan } from "../model/CompactionPlan.ts"
import type { Checkpoint, Manifest } from "../model/Manifest.ts"
import type { SsTable } from "../model/SsTable.ts"
import { refusal } from "./CompactionPlan.ts"

/** What a compaction came to. */
export interface Outcome {
  readonly plan: CompactionPlan
  /** The tables of the new run, by ascending keys; none: no row survived, and there is no run. */
  readonly outputs: ReadonlyArray<SsTable>
  /** Keeps the inputs for those who still read them. Its id is the job's own: by it a commit is known again. */
  readonly checkpoint: Omit<Checkpoint, "manifestId">
}

/** How long inputs are kept for readers of older manifests: as upstream. */
const protectionSeconds = 900

/** The checkpoint of a commit that is made at `nowSeconds` since the Unix epoch. */
export const checkpointAt = (id: string, nowSeconds: number): Outcome["checkpoint"] => ({
  id,
  createTimeSeconds: nowSeconds,
  expireTimeSeconds: nowSeconds + protectionSeconds,
  metadata: undefined,
  name: undefined
})

/**
 * Replaces the inputs by the outputs; or says why that must not be.
 *
 * `manifestId` is the id of the manifest that is edited, of which the result is the
 * successor. The checkpoint names *it*, as it is the last that lists the inputs. It
 * exists: it was the latest until the successor was created, and from then on it is
 * pinned by that; so there is no moment at which a collector may take it (L9), and
 * one version is enough where upstream writes two, the first with nothing but a
 * checkpoint of itself.
 *
 * Who reads an older manifest still is safe too: what that one lists and this one
 * does not was consumed by another compaction, which left its own checkpoint.
 *
 * Applied to a manifest that holds it already, it changes nothing. Runs are known by
 * their ids, which are given anew in time: the caller checks in the same edit that
 * it still holds the compactor's epoch, so that nobody else gave one since.
 */
export const apply =
  (outcome: Outcome) =>
  (manifest: Manifest, manifestId: number): Result.Result<Manifest, string> => {
    if (isApplied(outcome, manifest)) return Result.succeed(manifest)
    const { checkpoint, outputs, plan } = outcome
    const why = refusal(plan, manifest, [])
    if (why !== undefined) return Result.fail(why)
    const kept = manifest.runs.filter((run) => !plan.runs.includes(run.id))
    const added = outputs.length === 0 ? [] : [{ id: plan.destination, tables: outputs }]
    return Result.succeed({
      ...manifest,
      l0: manifest.l0.slice(0, manifest.l0.length - plan.l0.length),
      lastCompactedViewId: plan.l0[0] ?? manifest.lastCompactedViewId,
      runs: [...kept, ...added].toSorted((a, b) => b.id - a.id),
      checkpoints: [...manifest.checkpoints, { ...checkpoint, manifestId }]
    })
  }

/**
 * Whether a manifest came after the commit. Its checkpoint says so, and after that
 * has expired its run, until the next compaction consumes it; from then on an input
 * is missed, and `apply` refuses.
 */
export const isApplied = ({ checkpoint, outputs, plan }: Outcome, manifest: Manifest): boolean => {
  if (manifest.checkpoints.some(({ id }) => id === checkpoint.id)) return true
  const tables = manifest.runs.find((run) => run.id === plan.destination)?.tables
  return (
    outputs.length > 0 &&
    tables !== undefined &&
    tables.length === outputs.length &&
    tables.every((table, i) => table.id === outputs[i]?.id)
  )
}
