/**
 * Decides what to compact: a pure function of the manifest. A plan is data; the
 * compactor carries it out and checks it against the state of that moment.
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type { Manifest } from "./internal/model/Manifest.ts"

/**
 * Tables to merge into one sorted run.
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
  /** Id of the run that is written. */
  readonly destination: number
}

/**
 * Chooses plans that do not share a source.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface CompactionPolicy {
  readonly choose: (manifest: Manifest) => ReadonlyArray<CompactionPlan>
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
 * The policy of a database; `none` by default.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export const CompactionPolicy = Context.Reference<CompactionPolicy>("@effect-slatedb/core/CompactionPolicy", {
  defaultValue: () => none
})
