/**
 * What a collector may delete (L9): a verdict on each object of a listing, and why.
 *
 * What is known was read in this order, and the order is the argument:
 *
 *     1 objects listed ──> 2 compactions ──> 3 manifest ──> 4 manifests that its checkpoints pin
 *
 * A listed object that no manifest of 3 and 4 needs can be needed later only by one
 * of these:
 *
 *     who                     does                              is safe because
 *     ---------------------   -------------------------------   --------------------------------------------
 *     a flush                 stores table t, names it later    ids of level 0 grow in the order of naming
 *                                                               (L16): t is above the newest one of 3
 *     a compaction            job in the register, stores t,    t was there at 1, so its job was at 2: active,
 *                             names it, job completed           and older than t; or completed, and t named by 3
 *     whoever pins a moment   names the version it writes, or   its edit is applied to a version with that pin;
 *                             what an older pin named           one that 3 lacks is never there again
 *     a reader with a pin     reads what its pin names          4
 *     a reader without        reads what the manifest named     what a compaction took away is pinned for 900 s;
 *                             when it last looked               this process's own manifest is among 4
 *     a writer that opens     replays above `replayAfterWalId`  only what is strictly below is garbage; it looks
 *                                                               again when what it read about was moved
 *     a writer that slept     creates its next WAL object, or   fences stay; the boundary is raised before a
 *                             manifest, where others were       manifest goes
 *
 * None of this hangs on a clock. Age comes on top, by the store's own time: it covers
 * engines that name their tables by a clock that went back, and fences by the lease
 * of a writer (L13).
 *
 * The register proves something only if there is one. Without it tables are spared,
 * unless no compactor ever claimed its role: then there is no output to be named, and
 * the orphan of a flush that crashed can go. Upstream spares them until a job was run.
 */
import * as Compactions from "../model/Compactions.ts"
import type { Facts, Kind, Listed, Verdict } from "../model/Garbage.ts"
import type { Manifest } from "../model/Manifest.ts"
import * as TreeCheck from "../model/TreeCheck.ts"
import * as Ulid from "../model/Ulid.ts"

/**
 * The verdicts, by object. What came after what was read is needed. A verdict of garbage is for good: no name comes
 * back, so it may be carried out however late.
 */
export const judge = (facts: Facts): ((object: Listed) => Verdict) => {
  const { latest, pinned, youngSince } = facts
  const versions = new Set(pinned.map(({ id }) => id))
  const active = [latest, ...pinned]
  const tables = new Set(active.flatMap(({ manifest }) => TreeCheck.tablesOf(manifest).map(({ id }) => id)))
  const newest = newestTableTime(latest.manifest)
  const oldestJob = oldestJobTime(facts)

  const manifestNeed = (id: number) =>
    id >= latest.id
      ? "it is the latest manifest, or newer"
      : versions.has(id)
        ? "a checkpoint pins this manifest"
        : undefined

  const walNeed = (id: number) =>
    id >= latest.manifest.replayAfterWalId
      ? "replay begins here or before"
      : pinned.some(({ manifest }) => id > manifest.replayAfterWalId && id <= manifest.walIdLastSeen)
        ? "a pinned manifest replays it"
        : undefined

  const tableHope = (id: string) => {
    const time = Ulid.timeMillis(id)
    if (time >= newest) return "a flush may be about to name it: it is not older than level 0"
    if (time >= oldestJob) return "a compaction may be about to name it"
    return time >= youngSince ? "its name is young" : undefined
  }

  const hopeOf = (object: Listed): string | undefined => {
    if (object.kind === "compacted") return tableHope(object.id)
    return object.kind === "fence" && !facts.withFences ? "a writer that slept may have to run into it" : undefined
  }

  const need = (object: Listed): string | undefined => {
    switch (object.kind) {
      case "manifest":
        return manifestNeed(object.id)
      case "wal":
      case "fence":
        return walNeed(object.id)
      case "compactions":
        return facts.compactions === undefined || object.id >= facts.compactions.id
          ? "it is the latest register of the compactor, or newer"
          : undefined
      case "compacted":
        return tables.has(object.id) ? "a manifest names it" : undefined
    }
  }

  return (object) => {
    const needed = need(object)
    if (needed !== undefined) return { _tag: "Needed", why: needed }
    const hope = hopeOf(object)
    if (hope !== undefined) return { _tag: "Spared", why: hope }
    if (object.lastModified >= youngSince) return { _tag: "Spared", why: "it is young" }
    return { _tag: "Garbage", why: garbage[object.kind] }
  }
}

const garbage: Readonly<Record<Kind, string>> = {
  manifest: "a later manifest took its place and no checkpoint pins it",
  wal: "its rows are in tables and no checkpoint replays it",
  fence: "tables cover the log behind it, and every writer is said to keep a lease",
  compacted: "no manifest names it and none is about to",
  compactions: "a later register took its place"
}

/** Tables named by a flush from now on have ids of this time or later; before level 0 ever had one, anything may be. */
const newestTableTime = ({ l0, lastCompactedViewId, segments }: Manifest): number => {
  const ids = [
    ...(l0[0] === undefined ? [] : [l0[0].id]),
    ...segments.flatMap((segment) => segment.l0.slice(0, 1).map(({ id }) => id))
  ]
  const known = ids.length > 0 || lastCompactedViewId === undefined ? ids : [lastCompactedViewId]
  return known.length === 0 ? -Infinity : Math.max(...known.map(Ulid.timeMillis))
}

/** Outputs of jobs that may still be committed have ids of this time or later. */
const oldestJobTime = ({ compactions, latest }: Facts): number => {
  if (compactions === undefined) return latest.manifest.compactorEpoch === 0 ? Infinity : -Infinity
  return Math.min(
    ...compactions.value.compactions.filter(Compactions.isActive).map(({ id }) => Ulid.timeMillis(id)),
    Infinity
  )
}
