/**
 * The edits that this engine makes to a manifest.
 *
 * An edit is a pure function of the latest stored manifest. When another process
 * wrote a version in between, the edit is applied again to that one (L11), so it
 * touches only what its author owns and says nothing about the rest: a writer
 * pushes at the front of level 0 while a compactor takes tables off its end.
 *
 * An edit whose first try may have landed is applied twice; each is idempotent.
 */
import type { Manifest } from "../model/Manifest.ts"
import { noCreateTime } from "../model/RowEntry.ts"
import type { Sequence } from "../model/Sequence.ts"
import type { SsTable } from "../model/SsTable.ts"
import type { CommitPoint } from "./DbState.ts"
import * as SequenceTracker from "../model/SequenceTracker.ts"

/** Takes the writer's role: from here on, older writers cannot commit a manifest. */
export const claimWriter = (manifest: Manifest): Manifest => ({
  ...manifest,
  writerEpoch: manifest.writerEpoch + 1
})

/** What became of one memtable. */
export interface FlushedMemtable {
  /** Absent when no row survived: then the WAL is covered without a table. */
  readonly table: SsTable | undefined
  readonly lastSequence: Sequence
  readonly lastWalId: number
  /** Greatest creation time of its rows, milliseconds; `noCreateTime` when none has one. */
  readonly clockTick: number
  readonly commitPoints: ReadonlyArray<CommitPoint>
}

/**
 * Names a memtable's table in level 0, and covers its WAL objects in the same
 * step (L16). Memtables come oldest first.
 */
export const addFlushed =
  (flushed: FlushedMemtable, minPinned: Sequence) =>
  (manifest: Manifest): Manifest => {
    if (manifest.lastL0Sequence >= flushed.lastSequence) return manifest
    const clockTick = Math.max(manifest.lastL0ClockTick ?? noCreateTime, flushed.clockTick)
    return {
      ...manifest,
      l0: flushed.table === undefined ? manifest.l0 : [flushed.table, ...manifest.l0],
      replayAfterWalId: Math.max(manifest.replayAfterWalId, flushed.lastWalId),
      walIdLastSeen: Math.max(manifest.walIdLastSeen, flushed.lastWalId),
      lastL0Sequence: flushed.lastSequence,
      lastL0ClockTick: clockTick === noCreateTime ? undefined : clockTick,
      recentSnapshotMinSequence: Math.min(minPinned, flushed.lastSequence),
      sequenceTracker: flushed.commitPoints.reduce(
        (tracker, point) => SequenceTracker.append(tracker, point.sequence, point.seconds),
        manifest.sequenceTracker ?? SequenceTracker.empty
      )
    }
  }
