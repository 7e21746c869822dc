/**
 * Holds a manifest against the one written just before it: what no edit of any
 * engine does, beyond the laws of succession.
 */
import type { Fault } from "./Fault.ts"
import type { Checkpoint, Manifest } from "./Manifest.ts"
import * as ManifestInvariants from "./ManifestInvariants.ts"

/** `next` is the version right after `previous`, and has the id `nextId`. */
export const check = (previous: Manifest, next: Manifest, nextId: number): ReadonlyArray<Fault> => [
  ...ManifestInvariants.checkSuccession(previous, next).map(({ found, law, says }) => ({
    rule: law,
    detail: `broken: ${says}: ${found}`
  })),
  ...epochs(previous, next),
  ...progress(previous, next),
  ...retention(previous, next),
  ...tracker(previous, next),
  ...checkpoints(previous, next, nextId),
  ...runs(previous, next)
]

/** An epoch is claimed by a version of its own, one at a time. */
const epochs = (previous: Manifest, next: Manifest): ReadonlyArray<Fault> =>
  (["writerEpoch", "compactorEpoch"] as const)
    .filter((field) => next[field] > previous[field] + 1)
    .map((field) => ({ rule: "L10", detail: `an epoch was skipped: ${field}=${next[field]} was=${previous[field]}` }))

/** Only a flush moves the border of level 0; where none of its rows is left to be a table, it covers WAL objects at least. */
const progress = (previous: Manifest, next: Manifest): ReadonlyArray<Fault> => {
  const known = new Set(previous.l0.map((table) => table.viewId))
  const isFlush = next.replayAfterWalId > previous.replayAfterWalId || next.l0.some((table) => !known.has(table.viewId))
  const faults: Array<Fault> = []
  if (next.lastL0Sequence > previous.lastL0Sequence && !isFlush) {
    faults.push({
      rule: "L16",
      detail: `the last sequence moved without a flush: lastL0Sequence=${next.lastL0Sequence} was=${previous.lastL0Sequence}`
    })
  }
  if (next.lastL0ClockTick !== previous.lastL0ClockTick && next.lastL0Sequence === previous.lastL0Sequence) {
    faults.push({
      rule: "L16",
      detail: `the clock moved without the last sequence: lastL0ClockTick=${next.lastL0ClockTick ?? "none"} was=${previous.lastL0ClockTick ?? "none"}`
    })
  }
  return faults
}

const retention = (previous: Manifest, next: Manifest): ReadonlyArray<Fault> => {
  const faults: Array<Fault> = []
  if (next.recentSnapshotMinSequence < previous.recentSnapshotMinSequence) {
    faults.push({
      rule: "L15",
      detail: `retention went back: recentSnapshotMinSequence=${next.recentSnapshotMinSequence} was=${previous.recentSnapshotMinSequence}`
    })
  }
  const mark = next.lastCompactedViewId
  if (mark !== previous.lastCompactedViewId && !previous.l0.some((table) => table.viewId === mark)) {
    faults.push({
      rule: "L6",
      detail: `the newest compacted table was not in level 0: lastCompactedViewId=${mark ?? "none"} was=${previous.lastCompactedViewId ?? "none"}`
    })
  }
  return faults
}

/** Points are added at the end; only a full tracker drops some. */
const tracker = (previous: Manifest, next: Manifest): ReadonlyArray<Fault> => {
  const before = previous.sequenceTracker
  const after = next.sequenceTracker
  if (before === undefined || after === undefined || after.sequences.length < before.sequences.length) return []
  const changed = before.sequences.findIndex(
    (sequence, i) => sequence !== after.sequences[i] || before.seconds[i] !== after.seconds[i]
  )
  return changed === -1
    ? []
    : [
        {
          rule: "tracker",
          detail: `a point changed: index=${changed} sequence=${after.sequences[changed]}@${after.seconds[changed]} was=${before.sequences[changed]}@${before.seconds[changed]}`
        }
      ]
}

/**
 * A checkpoint pins the manifest that it came with, the one before, which was the latest until then, or one that was
 * pinned before. Then only its expiry changes. None takes the place of another of the same time: that would be the
 * same one with another id.
 */
const checkpoints = (previous: Manifest, next: Manifest, nextId: number): ReadonlyArray<Fault> => {
  const before = new Map(previous.checkpoints.map((checkpoint) => [checkpoint.id, checkpoint]))
  const after = new Set(next.checkpoints.map(({ id }) => id))
  const gone = previous.checkpoints.filter(({ id }) => !after.has(id))
  const pinned = new Set([nextId, nextId - 1, ...previous.checkpoints.map(({ manifestId }) => manifestId)])
  return next.checkpoints.flatMap((checkpoint): ReadonlyArray<Fault> => {
    const known = before.get(checkpoint.id)
    if (known === undefined) {
      const renamed = gone.find(
        ({ createTimeSeconds, manifestId }) =>
          createTimeSeconds === checkpoint.createTimeSeconds && manifestId === checkpoint.manifestId
      )
      if (renamed !== undefined) {
        return [{ rule: "L9", detail: `a checkpoint got another id: ${describe(checkpoint)} was ${describe(renamed)}` }]
      }
      return pinned.has(checkpoint.manifestId)
        ? []
        : [{ rule: "L9", detail: `a new checkpoint pins what was not pinned: ${describe(checkpoint)}` }]
    }
    const isSame = (["manifestId", "createTimeSeconds", "name"] as const).every(
      (field) => checkpoint[field] === known[field]
    )
    return isSame
      ? []
      : [{ rule: "L9", detail: `a checkpoint changed: ${describe(checkpoint)} was ${describe(known)}` }]
  })
}

const describe = ({ createTimeSeconds, id, manifestId, name }: Checkpoint): string =>
  `checkpoint=${id} manifest=${manifestId} createTimeSeconds=${createTimeSeconds} name=${name ?? "none"}`

/**
 * A compaction takes neighbours, and writes what comes out into the oldest run of them, in new tables. So a run whose
 * tables changed has none that was there before, and one that is gone went into an older one.
 */
const runs = (previous: Manifest, next: Manifest): ReadonlyArray<Fault> => {
  const tablesBefore = new Set(previous.runs.flatMap((run) => run.tables.map((table) => table.viewId)))
  const before = new Map(previous.runs.map((run) => [run.id, run.tables.map((table) => table.viewId).join()]))
  const written = next.runs.filter((run) => before.get(run.id) !== run.tables.map((table) => table.viewId).join())
  const kept = new Set(next.runs.map((run) => run.id))
  return [
    ...written
      .filter((run) => run.tables.some((table) => tablesBefore.has(table.viewId)))
      .map((run) => ({ rule: "L7", detail: `a run changed and has tables that were there before: run=${run.id}` })),
    ...previous.runs
      .filter((run) => !kept.has(run.id) && !written.some(({ id }) => id < run.id))
      .map((run) => ({ rule: "L7", detail: `a run is gone, and none was written from it: run=${run.id}` }))
  ]
}
