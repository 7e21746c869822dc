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
import * as Result from "effect/Result"
import type { Checkpoint, Manifest } from "../model/Manifest.ts"
import { noCreateTime } from "../model/RowEntry.ts"
import type { Sequence } from "../model/Sequence.ts"
import type { SsTable } from "../model/SsTable.ts"
import type { CommitPoint } from "./DbState.ts"
import * as SequenceTracker from "../model/SequenceTracker.ts"

/**
 * Takes the writer's role: from here on, older writers cannot commit a manifest.
 *
 * No WAL object through `rowlessWalId` holds a row that is not in tables: the log is covered up to there. So
 * fences of writers that wrote nothing do not pile up for the next one to read.
 */
export const claimWriter =
  (rowlessWalId: number) =>
  (manifest: Manifest): Manifest => ({
    ...manifest,
    writerEpoch: manifest.writerEpoch + 1,
    replayAfterWalId: Math.max(manifest.replayAfterWalId, rowlessWalId),
    walIdLastSeen: Math.max(manifest.walIdLastSeen, rowlessWalId)
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

/**
 * Adds a checkpoint. Without a source it pins the version that this edit makes, whose id is given; with one, what
 * that one pins. Fails with what is wrong.
 */
export const addCheckpoint =
  (checkpoint: Omit<Checkpoint, "manifestId">, source: string | undefined) =>
  (manifest: Manifest, id: number): Result.Result<Manifest, string> => {
    if (manifest.checkpoints.some((known) => known.id === checkpoint.id)) return Result.succeed(manifest)
    const from = manifest.checkpoints.find((known) => known.id === source)
    if (source !== undefined && from === undefined) return Result.fail(`there is no checkpoint ${source}`)
    const added = { ...checkpoint, manifestId: from?.manifestId ?? id }
    return Result.succeed({ ...manifest, checkpoints: [...manifest.checkpoints, added] })
  }

/** Changes when a checkpoint expires. Fails when it is gone. */
export const refreshCheckpoint =
  (id: string, expireTimeSeconds: number | undefined) =>
  (manifest: Manifest): Result.Result<Manifest, string> => {
    const known = manifest.checkpoints.find((checkpoint) => checkpoint.id === id)
    if (known === undefined) return Result.fail(`there is no checkpoint ${id}`)
    if (known.expireTimeSeconds === expireTimeSeconds) return Result.succeed(manifest)
    const refreshed = { ...known, expireTimeSeconds }
    return Result.succeed({
      ...manifest,
      checkpoints: manifest.checkpoints.map((checkpoint) => (checkpoint === known ? refreshed : checkpoint))
    })
  }

/** Removes a checkpoint; nothing changes when it is gone. */
export const removeCheckpoint =
  (id: string) =>
  (manifest: Manifest): Manifest =>
    withoutCheckpoints(manifest, (checkpoint) => checkpoint.id === id)

/** Removes the checkpoints whose time has come. */
export const dropExpired =
  (nowSeconds: number) =>
  (manifest: Manifest): Manifest =>
    withoutCheckpoints(manifest, (checkpoint) => isExpired(checkpoint, nowSeconds))

/** Whether a collector may remove it. */
export const isExpired = ({ expireTimeSeconds }: Checkpoint, nowSeconds: number): boolean =>
  expireTimeSeconds !== undefined && expireTimeSeconds <= nowSeconds

const withoutCheckpoints = (manifest: Manifest, isGone: (checkpoint: Checkpoint) => boolean): Manifest =>
  manifest.checkpoints.some(isGone)
    ? { ...manifest, checkpoints: manifest.checkpoints.filter((checkpoint) => !isGone(checkpoint)) }
    : manifest
