/** What a compaction policy is asked, and what it answers: plain data. */
import type { Manifest } from "./Manifest.ts"

/**
 * Tables and runs to merge into one sorted run.
 *
 * **Details**
 *
 * Sources are neighbours in the order of level 0, newest to oldest, and then the
 * runs, greatest id to least; of level 0 they take the oldest. The destination is
 * the least run among the sources; without one, an id above all runs, and 0 when
 * there are none.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface CompactionPlan {
  /** Level 0 tables, newest first, by view id. */
  readonly l0: ReadonlyArray<string>
  /** Sorted runs, greatest id first. */
  readonly runs: ReadonlyArray<number>
  /** Id of the run that is written, below 2^32. */
  readonly destination: number
}

/**
 * What there is to compact, and what is being compacted.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface CompactionState {
  /** The database as it is: sources of active plans are still in it. */
  readonly manifest: Manifest
  /** Plans that are being carried out, or wait for it. */
  readonly active: ReadonlyArray<CompactionPlan>
  /** So many new plans at most: whole, from 0 on. */
  readonly room: number
  /** Level 0 has not grown for a while: what is merged now delays nobody. */
  readonly isAtRest: boolean
}
