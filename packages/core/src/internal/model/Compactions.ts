/**
 * The compactor's register: its jobs, from their submission until their outcome
 * is no longer of use.
 *
 * A job is in the register before its first output table is stored, and its id is
 * older than theirs: this is how the collector knows which unnamed tables may
 * still be named. The register says what is being done; what *is* is the manifest.
 */
import type { SsTable } from "./SsTable.ts"

/**
 *     submitted ─> (scheduled ─>) running ─> (compacted ─>) completed
 *         └──────────────────────────┴────────────────────> failed
 *
 * `scheduled` (may be claimed by a worker) and `compacted` (output stored, not yet
 * in the manifest) come from compactors with workers in other processes.
 */
export type CompactionStatus = "submitted" | "running" | "completed" | "failed" | "compacted" | "scheduled"

/** Merges tables and runs, named newest first, into one run. */
export interface TieredSpec {
  readonly _tag: "Tiered"
  /** Tables of level 0, by view id. */
  readonly l0ViewIds: ReadonlyArray<string>
  readonly runIds: ReadonlyArray<number>
  /** The run that it makes. Absent in version 1 files: derived from the runs it consumes. */
  readonly destination: number | undefined
  /** Keys with this prefix; empty: all that no segment claims. */
  readonly segment: Uint8Array
}

/** Drops a segment without a merge. Read, never written, by this engine. */
export interface DrainSegmentSpec {
  readonly _tag: "DrainSegment"
  readonly segment: Uint8Array
  readonly l0ViewIds: ReadonlyArray<string>
  readonly runIds: ReadonlyArray<number>
}

export interface Compaction {
  /** A ULID, minted before the first output. */
  readonly id: string
  readonly spec: TieredSpec | DrainSegmentSpec
  readonly status: CompactionStatus
  /** Output tables that are complete: a restarted job goes on after the last row of the last one. */
  readonly outputs: ReadonlyArray<SsTable>
}

export interface Compactions {
  readonly compactorEpoch: number
  /** Active jobs, and the most recent finished one. */
  readonly compactions: ReadonlyArray<Compaction>
  /** Why this file must not be rewritten by this engine, if so: it holds what we would lose. */
  readonly readOnlyReason: string | undefined
}

export const empty: Compactions = { compactorEpoch: 0, compactions: [], readOnlyReason: undefined }

/** Whether somebody may still be working on it. */
export const isActive = (compaction: Compaction): boolean =>
  compaction.status !== "completed" && compaction.status !== "failed"
