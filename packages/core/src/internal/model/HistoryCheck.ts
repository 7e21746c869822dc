/**
 * Holds a manifest against the one written just before it: what no edit of any
 * engine does, beyond the laws of succession.
 */
import type { Fault } from "./Fault.ts"
import type { Manifest } from "./Manifest.ts"
import * as ManifestInvariants from "./ManifestInvariants.ts"

/** `next` is the version right after `previous`. */
export const check = (previous: Manifest, next: Manifest): ReadonlyArray<Fault> => [
  ...ManifestInvariants.checkSuccession(previous, next).map(({ found, law, says }) => ({
    rule: law,
    detail: `broken: ${says}: ${found}`
  })),
  ...epochs(previous, next),
  ...retention(previous, next),
  ...tracker(previous, next)
]

/** An epoch is claimed by a version of its own, one at a time. */
const epochs = (previous: Manifest, next: Manifest): ReadonlyArray<Fault> =>
  (["writerEpoch", "compactorEpoch"] as const)
    .filter((field) => next[field] > previous[field] + 1)
    .map((field) => ({ rule: "L10", detail: `an epoch was skipped: ${field}=${next[field]} was=${previous[field]}` }))

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
