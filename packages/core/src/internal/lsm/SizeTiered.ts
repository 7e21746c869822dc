/**
 * Merges things of like size: the database becomes tiers of runs, each some times
 * larger than the one above, and a row is rewritten about once per tier.
 *
 *     level 0   ▪▪▪▪▪▪          at least `minSources` tables: the oldest make a run
 *     runs      ▬▬▬             a chain: each run at most `includeSizeThreshold` times
 *               ▬▬▬▬▬             the smallest newer one in it
 *               ▬▬▬▬            long enough: it becomes one run, in the place of its oldest
 *               ▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬
 *
 * *Backpressure*: a result that would join a tier which has `maxSources` runs
 * already is not made, as it would only lengthen a chain that is not merged fast
 * enough. The order of choices is upstream's, so that both engines, taking turns,
 * amplify writes alike.
 *
 * *At rest* the tiers themselves are what wastes space: each may hold another version
 * of the same rows. So when nothing is left to do and all that is newer than the
 * oldest run has grown beyond a part of it, everything becomes one run. (The measure
 * is RocksDB's size amplification of universal compaction; ADR 36 says why it waits.)
 */
import type { CompactionPlan, CompactionState } from "../model/CompactionPlan.ts"
import type { Manifest, SortedRun } from "../model/Manifest.ts"
import { type SsTable, sizeBytes } from "../model/SsTable.ts"

export interface Options {
  /** From 2 on: a chain of one would be rewritten for ever. */
  readonly minSources: number
  /** From `minSources` on. */
  readonly maxSources: number
  /** From 1 on. */
  readonly includeSizeThreshold: number
  /** From 0 on; infinite for never. */
  readonly sizeAmplificationAtRest: number
}

/** Plans until there is no more room, or nothing to merge. */
export const choose =
  (options: Options) =>
  ({ active, isAtRest, manifest, room }: CompactionState): ReadonlyArray<CompactionPlan> => {
    const tiers = new Tiers(options, manifest.runs)
    const chosen: Array<CompactionPlan> = []
    while (chosen.length < room) {
      const busy = busyWith([...active, ...chosen])
      const plan = levelZero(options, manifest.l0, tiers, busy) ?? runs(options, tiers, busy)
      if (plan === undefined) break
      chosen.push(plan)
    }
    return isAtRest && room > 0 && active.length === 0 && chosen.length === 0 ? everything(options, manifest) : chosen
  }

/**
 * Makes one run of all there is, when what is newer than the oldest source has grown beyond a part of it: level 0 becomes
 * a run first, and then the runs one. So level 0 is never held for as long as it takes to rewrite a database.
 */
const everything = ({ sizeAmplificationAtRest }: Options, { l0, runs }: Manifest): ReadonlyArray<CompactionPlan> => {
  const sizes = [...l0.map(sizeBytes), ...runs.map(({ tables }) => sizeOf(tables))]
  const oldest = sizes.pop() ?? 0
  if (!(sizes.reduce((a, b) => a + b, 0) > oldest * sizeAmplificationAtRest)) return []
  return [l0.length > 0 ? newRun(l0, runs) : merged(runs)]
}

/** What other plans read or write, also those that are in the manifest but not ended yet. */
interface Busy {
  readonly levelZero: boolean
  readonly runs: ReadonlySet<number>
}

const busyWith = (plans: ReadonlyArray<CompactionPlan>): Busy => ({
  // All that take of level 0 take its oldest.
  levelZero: plans.some((plan) => plan.l0.length > 0),
  runs: new Set(plans.flatMap((plan) => [plan.destination, ...plan.runs]))
})

const levelZero = (
  { maxSources, minSources }: Options,
  l0: ReadonlyArray<SsTable>,
  tiers: Tiers,
  busy: Busy
): CompactionPlan | undefined => {
  if (l0.length < minSources || busy.levelZero) return undefined
  const taken = l0.slice(-maxSources)
  const plan = newRun(taken, tiers.runs)
  return busy.runs.has(plan.destination) || tiers.isFullFrom(0, sizeOf(taken)) ? undefined : plan
}

/** A chain is never longer than `maxSources`: what follows its first run would be a full tier. */
const runs = ({ minSources }: Options, tiers: Tiers, busy: Busy): CompactionPlan | undefined => {
  const isAllowed = (run: SortedRun, index: number, bytes: number) =>
    !busy.runs.has(run.id) && !tiers.isFullFrom(index + 1, bytes)
  for (let start = 0; start < tiers.runs.length; start++) {
    const end = tiers.chainEnd(start, isAllowed)
    if (end - start >= minSources) return merged(tiers.runs.slice(start, end))
  }
  return undefined
}

/** Tables of level 0 become a run above all others. */
const newRun = (l0: ReadonlyArray<SsTable>, runs: ReadonlyArray<SortedRun>): CompactionPlan => ({
  l0: l0.map((table) => table.viewId),
  runs: [],
  destination: (runs[0]?.id ?? -1) + 1
})

/** Neighbouring runs, of which there is at least one, become the oldest. */
const merged = (runs: ReadonlyArray<SortedRun>): CompactionPlan => ({
  l0: [],
  runs: runs.map((run) => run.id),
  destination: (runs[runs.length - 1] as SortedRun).id
})

const sizeOf = (tables: ReadonlyArray<SsTable>): number => tables.reduce((bytes, table) => bytes + sizeBytes(table), 0)

/** The runs and their sizes, newest first. */
class Tiers {
  readonly runs: ReadonlyArray<SortedRun>
  readonly #options: Options
  readonly #sizes: ReadonlyArray<number>

  constructor(options: Options, runs: ReadonlyArray<SortedRun>) {
    this.runs = runs
    this.#options = options
    this.#sizes = runs.map((run) => sizeOf(run.tables))
  }

  /**
   * Where the chain of runs of like size that begins at `start` ends: the index after its last. `isAllowed` is asked of
   * each run, with the bytes of the chain up to and with it; a refusal ends the chain.
   */
  chainEnd(start: number, isAllowed: (run: SortedRun, index: number, bytes: number) => boolean): number {
    let least = Infinity
    let bytes = 0
    for (let i = start; i < this.runs.length; i++) {
      const size = this.#sizes[i] as number
      bytes += size
      if (size > least * this.#options.includeSizeThreshold) return i
      if (!isAllowed(this.runs[i] as SortedRun, i, bytes)) return i
      least = Math.min(least, size)
    }
    return this.runs.length
  }

  /** Whether a result of so many bytes just above run `next` would join a tier that is full already. */
  isFullFrom(next: number, bytes: number): boolean {
    const size = this.#sizes[next]
    if (size === undefined || size > bytes * this.#options.includeSizeThreshold) return false
    return this.chainEnd(next, () => true) - next >= this.#options.maxSources
  }
}
