/**
 * In which fields two manifests differ, and which fields of a manifest nothing can
 * check.
 *
 * A manifest has no checksum. Most of what it says is held against the objects it
 * names, the manifest before it, and the laws; {@link unknowable} is the rest.
 */
import type * as Admin from "@effect-slatedb/core/Admin"

/** Names of the fields that differ, without positions in lists: `l0.info.indexOffset`, `checkpoints.length`. */
export const difference = (a: Admin.Manifest, b: Admin.Manifest): ReadonlyArray<string> => [
  ...new Set(differences("", a, b))
]

const differences = (name: string, a: unknown, b: unknown): ReadonlyArray<string> => {
  if (Object.is(a, b)) return []
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0 ? [] : [name]
  if (Array.isArray(a) && Array.isArray(b)) {
    if (a.length !== b.length) return [`${name}.length`]
    return a.flatMap((item: unknown, i) => differences(name, item, b[i]))
  }
  if (!isRecord(a) || !isRecord(b)) return [name]
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...keys].flatMap((key) => differences(name === "" ? key : `${name}.${key}`, a[key], b[key]))
}

const isRecord = (u: unknown): u is Readonly<Record<string, unknown>> =>
  typeof u === "object" && u !== null && !Array.isArray(u) && !(u instanceof Uint8Array)

/**
 * Fields of which some wrong values are as good as the right one to everybody who looks from outside, and why. Most
 * wrong values of them are found all the same.
 */
export const unknowable: ReadonlyMap<string, string> = new Map([
  ["readOnlyReason", "it looks like the work of a newer engine"],
  ["writerEpoch", "the next owner would write it"],
  ["compactorEpoch", "the next owner would write it"],
  ["walIdLastSeen", "an object that is there, or the next one"],
  ["lastL0Sequence", "the rows between were deleted or folded, or there are none"],
  ["lastL0ClockTick", "a later time than any row's"],
  ["recentSnapshotMinSequence", "a reader may have been there"],
  ["checkpoints.length", "checkpoints come and go"],
  ["checkpoints.id", "only its owner knows it"],
  ["checkpoints.manifestId", "a manifest that was pinned before"],
  ["checkpoints.createTimeSeconds", "only its owner knows it"],
  ["checkpoints.expireTimeSeconds", "its owner may have moved it"],
  ["checkpoints.name", "only its owner knows it"],
  ["runs.tables.length", "a compaction may leave nothing"]
])
