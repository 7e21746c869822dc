/**
 * The manifest: what the database is made of, at one moment.
 *
 * Manifests are numbered objects, created and never overwritten; the greatest
 * number is the present. A manifest names every table that holds rows and says
 * up to which WAL object they cover the log, so a reader of (manifest, WAL
 * objects above `replayAfterWalId`) has seen everything.
 */
import * as SequenceTracker from "./SequenceTracker.ts"
import type { SsTable } from "./SsTable.ts"

/** Tables with disjoint, ascending key ranges (one key may span two neighbours). */
export interface SortedRun {
  readonly id: number
  readonly tables: ReadonlyArray<SsTable>
}

/** Pins a manifest, and with it every object that it names. */
export interface Checkpoint {
  /** A UUID, lower case, with dashes. */
  readonly id: string
  readonly manifestId: number
  /** Seconds since the Unix epoch; absent: never. */
  readonly expireTimeSeconds: number | undefined
  readonly createTimeSeconds: number
  /** What it is for, where a writer said so. No known writer does. */
  readonly metadata: WriterCheckpoint | undefined
  readonly name: string | undefined
}

/** Held by the writer of this epoch. */
export interface WriterCheckpoint {
  readonly _tag: "WriterCheckpoint"
  readonly epoch: number
}

/** A database that this one was cloned from and still reads tables of. */
export interface ExternalDb {
  readonly path: string
  readonly sourceCheckpointId: string
  readonly finalCheckpointId: string | undefined
  /** ULIDs of the tables that live below `path`. */
  readonly tableIds: ReadonlyArray<string>
}

/** Keys with this prefix live in an LSM tree of their own. Read, never written, by this engine. */
export interface Segment {
  readonly prefix: Uint8Array
  readonly lastCompactedViewId: string | undefined
  readonly l0: ReadonlyArray<SsTable>
  readonly runs: ReadonlyArray<SortedRun>
}

export interface Manifest {
  /** `false` while a clone is under construction: such a database must not be opened. */
  readonly initialized: boolean
  readonly writerEpoch: number
  readonly compactorEpoch: number
  /** Every row of the WAL objects up to this id is in a table; replay begins with the next one. */
  readonly replayAfterWalId: number
  /** The greatest WAL id its writer knew of. A writer that died may have left objects above it. */
  readonly walIdLastSeen: number
  /** The newest level 0 table (by view id) that compaction consumed. */
  readonly lastCompactedViewId: string | undefined
  /** Level 0, newest first. The order is load-bearing. */
  readonly l0: ReadonlyArray<SsTable>
  /** Sorted runs, newest (greatest id) first. */
  readonly runs: ReadonlyArray<SortedRun>
  /** The greatest creation time in level 0 and below, milliseconds; absent in a new database. */
  readonly lastL0ClockTick: number | undefined
  readonly lastL0Sequence: number
  /** Compaction keeps, for every key, the versions that a reader at this sequence number needs. */
  readonly recentSnapshotMinSequence: number
  readonly checkpoints: ReadonlyArray<Checkpoint>
  readonly externalDbs: ReadonlyArray<ExternalDb>
  readonly sequenceTracker: SequenceTracker.SequenceTracker | undefined
  /** Whether the WAL lives in a store of its own. The flag is all that the file holds. */
  readonly hasSeparateWalStore: boolean
  readonly segments: ReadonlyArray<Segment>
  readonly segmentExtractorName: string | undefined
  /** Why this manifest must not be rewritten by this engine, if so: it holds what we would lose. */
  readonly readOnlyReason: string | undefined
}

/** The manifest of a new database. */
export const empty: Manifest = {
  initialized: true,
  writerEpoch: 0,
  compactorEpoch: 0,
  replayAfterWalId: 0,
  walIdLastSeen: 0,
  lastCompactedViewId: undefined,
  l0: [],
  runs: [],
  lastL0ClockTick: undefined,
  lastL0Sequence: 0,
  recentSnapshotMinSequence: 0,
  checkpoints: [],
  externalDbs: [],
  sequenceTracker: SequenceTracker.empty,
  hasSeparateWalStore: false,
  segments: [],
  segmentExtractorName: undefined,
  readOnlyReason: undefined
}
