/**
 * A memory of recent changes, by which a listing can be shown as it was before
 * them.
 *
 * Only changes made while a rule makes listings stale are remembered, and no
 * longer than the longest lag of these rules. Each is kept with the object it
 * found; the picture of a past moment is the present one, with every path that
 * changed since put back to what its first change since then found.
 */
import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as Duration from "effect/Duration"
import type { Fault } from "../Fault.ts"

interface Change {
  readonly path: string
  readonly at: number
  readonly found: ObjectStore.ObjectMeta | undefined
}

export class StaleListing {
  private changes: Array<Change> = []

  /** How long the rules in force need changes to be remembered, milliseconds; 0 without such a rule. */
  static lagMax(faults: ReadonlyArray<Fault>): number {
    let lagMax = 0
    for (const fault of faults) {
      if (fault._tag === "StaleList") lagMax = Math.max(lagMax, Duration.toMillis(fault.lag))
    }
    return lagMax
  }

  changed(path: string, found: ObjectStore.ObjectMeta | undefined, now: number, lagMax: number): void {
    this.changes.push({ path, at: now, found })
    const kept = this.changes.findIndex(({ at }) => at > now - lagMax)
    this.changes = kept === -1 ? [] : this.changes.slice(kept)
  }

  /** The listing `present` as it was at `moment`. */
  at(
    moment: number,
    present: ReadonlyArray<ObjectStore.ObjectMeta>,
    options: { readonly prefix: string; readonly startAfter?: string | undefined }
  ): ReadonlyArray<ObjectStore.ObjectMeta> {
    const past = new Map(present.map((meta) => [meta.path, meta]))
    const since = this.changes.filter(({ at }) => at > moment)
    // The oldest change of a path has the last word.
    for (const { path, found } of since.toReversed()) {
      if (found === undefined) past.delete(path)
      else if (isListed(path, options)) past.set(path, found)
    }
    return [...past.values()].toSorted((a, b) => ObjectStore.comparePaths(a.path, b.path))
  }
}

const isListed = (
  path: string,
  { prefix, startAfter }: { readonly prefix: string; readonly startAfter?: string | undefined }
): boolean => path.startsWith(prefix) && (startAfter === undefined || ObjectStore.comparePaths(path, startAfter) > 0)
