/**
 * What `slate compact` is to merge: a plan, made of what was named.
 *
 * Sources may be named in any order; whether they may be merged is for the engine
 * to say (they are neighbours, and of level 0 the oldest).
 */
import type * as Admin from "@effect-slatedb/core/Admin"
import * as CompactionPolicy from "@effect-slatedb/core/CompactionPolicy"
import type * as Compactor from "@effect-slatedb/core/Compactor"
import * as Result from "effect/Result"
import * as Problem from "./Problem.ts"

/** None named: everything. */
export interface Named {
  /** Tables of level 0, by view id or by the id of the table. */
  readonly l0: ReadonlyArray<string>
  readonly runs: ReadonlyArray<number>
}

/** `undefined`: everything is one run already. */
export const planOf = (
  named: Named,
  manifest: Admin.Manifest
): Result.Result<Compactor.CompactionPlan | undefined, Problem.Problem> => {
  if (named.l0.length + named.runs.length === 0) {
    return Result.succeed(CompactionPolicy.full.choose({ manifest, active: [], room: 1, isAtRest: true })[0])
  }
  const strangeTable = named.l0.find((name) => !manifest.l0.some((table) => isNamed(table, name)))
  if (strangeTable !== undefined) return absent(`--l0: there is no table ${strangeTable} in level 0`)
  const strangeRun = named.runs.find((id) => !manifest.runs.some((run) => run.id === id))
  if (strangeRun !== undefined) return absent(`--run: there is no run ${strangeRun}`)
  const runs = manifest.runs.map((run) => run.id)
  const taken = runs.filter((id) => named.runs.includes(id))
  return Result.succeed({
    l0: manifest.l0.filter((table) => named.l0.some((name) => isNamed(table, name))).map((table) => table.viewId),
    runs: taken,
    destination: taken.at(-1) ?? (runs[0] ?? -1) + 1
  })
}

/** Whether a job takes what a plan takes. Its destination follows from that. */
export const isSame = (
  job: Pick<Compactor.CompactionPlan, "l0" | "runs">,
  plan: Compactor.CompactionPlan | undefined
): boolean => job.l0.join() === plan?.l0.join() && job.runs.join() === plan.runs.join()

const isNamed = (table: Admin.Manifest["l0"][number], name: string): boolean =>
  table.viewId === name || table.id === name

const absent = (what: string) => Result.fail(Problem.usage(what, "run `slate tree` to see what is there"))
