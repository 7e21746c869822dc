/**
 * Decides what to compact: a pure function of the manifest and of what is being
 * compacted already. A plan is data; the compactor carries it out, and checks it
 * against the state of that moment before it starts and again before it commits.
 *
 *     manifest, active plans, room  ──>  choose  ──>  plans  ──>  merges, concurrently
 *
 * A plan that cannot be carried out is refused and changes nothing.
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as DbError from "./DbError.ts"
import * as SizeTiered from "./internal/lsm/SizeTiered.ts"
import type { CompactionPlan, CompactionState } from "./internal/model/CompactionPlan.ts"

export type { CompactionPlan, CompactionState } from "./internal/model/CompactionPlan.ts"

/**
 * Chooses plans that share neither a source nor a destination, with each other or
 * with those that are active.
 *
 * **Details**
 *
 * `choose` is pure, quick and total. A throw is a defect: the compactor pauses and
 * asks again, and the database goes on.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface CompactionPolicy {
  readonly choose: (state: CompactionState) => ReadonlyArray<CompactionPlan>
}

/**
 * How {@link sizeTiered} groups; absent fields have their defaults.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface SizeTieredOptions {
  /** A merge has at least so many sources: whole, from 2 on (1 would rewrite a single run for ever). Default 4. */
  readonly minSources?: number | undefined
  /** And at most so many: whole, from `minSources` on. Default 8. */
  readonly maxSources?: number | undefined
  /** A run joins newer ones while it is at most this many times the smallest of them: finite, from 1 on. Default 4. */
  readonly includeSizeThreshold?: number | undefined
  /**
   * At rest everything is merged when what is newer than the oldest run is larger than this part of it: from 0 on, infinite
   * for never. Default 0.5.
   */
  readonly sizeAmplificationAtRest?: number | undefined
}

/**
 * Merges level 0 tables into a run, and runs of like size into one: upstream's
 * size-tiered scheduler, and tidies up at rest.
 *
 * **Details**
 *
 * Level 0 comes first, its oldest tables at most. Then the first chain of runs of
 * like size, from the newest on, that is long enough. A merge whose result would
 * join a tier that is full already waits until that tier was merged.
 *
 * That keeps several versions of a row for as long as they are in tiers of different
 * size. When level 0 has not grown for twelve polls (a minute) and nothing else is to
 * do, all becomes one run, if that gives enough space back: see
 * `sizeAmplificationAtRest`. It rewrites at most three times what was written since
 * it was last done, with the default.
 *
 * **Gotchas**
 *
 * Throws `DbError` with the reason `Invalid`, which names field and bound, when an
 * option is out of bounds.
 *
 * **Example** (Fewer, larger merges)
 *
 * ```ts
 * import * as CompactionPolicy from "@effect-slatedb/core/CompactionPolicy"
 * import * as Layer from "effect/Layer"
 *
 * const patient = Layer.succeed(
 *   CompactionPolicy.CompactionPolicy,
 *   CompactionPolicy.sizeTiered({ minSources: 8, maxSources: 16 })
 * )
 * ```
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const sizeTiered = (options: SizeTieredOptions = {}): CompactionPolicy => {
  const { includeSizeThreshold = 4, maxSources = 8, minSources = 4, sizeAmplificationAtRest = 0.5 } = options
  check(Number.isSafeInteger(minSources) && minSources >= 2, "minSources", "must be a whole number from 2 on")
  check(
    Number.isSafeInteger(maxSources) && maxSources >= minSources,
    "maxSources",
    `must be a whole number from minSources on, which is ${minSources}`
  )
  check(
    Number.isFinite(includeSizeThreshold) && includeSizeThreshold >= 1,
    "includeSizeThreshold",
    "must be a finite number from 1 on"
  )
  check(sizeAmplificationAtRest >= 0, "sizeAmplificationAtRest", "must be a number from 0 on")
  return { choose: SizeTiered.choose({ minSources, maxSources, includeSizeThreshold, sizeAmplificationAtRest }) }
}

const check = (condition: boolean, field: string, detail: string): void => {
  if (!condition) throw DbError.fail(new DbError.Invalid({ field: `sizeTiered.${field}`, detail }))
}

/**
 * Merges everything into one run, whenever there is more than that and nothing is
 * being compacted. For databases that are written seldom: each compaction rewrites
 * all data.
 *
 * @stability unstable
 * @category instances
 * @since 0.1.0
 */
export const full: CompactionPolicy = {
  choose: ({ active, manifest: { l0, runs }, room }) =>
    room === 0 || active.length > 0 || (l0.length === 0 && runs.length < 2)
      ? []
      : [
          {
            l0: l0.map((table) => table.viewId),
            runs: runs.map((run) => run.id),
            destination: runs[runs.length - 1]?.id ?? 0
          }
        ]
}

/**
 * Never compacts.
 *
 * @stability unstable
 * @category instances
 * @since 0.1.0
 */
export const none: CompactionPolicy = { choose: () => [] }

/**
 * The policy of a database and of a compactor; {@link sizeTiered} with its defaults where nothing is said.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export const CompactionPolicy = Context.Reference<CompactionPolicy>("@effect-slatedb/core/CompactionPolicy", {
  defaultValue: () => sizeTiered()
})
