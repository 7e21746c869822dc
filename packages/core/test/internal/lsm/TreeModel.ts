/**
 * Trees of tables without contents, as plans of compaction see them: made by chance,
 * and read as one list, the newest table first.
 */
import type { CompactionPlan } from "../../../src/internal/model/CompactionPlan.ts"
import * as Manifest from "../../../src/internal/model/Manifest.ts"
import type { SsTable } from "../../../src/internal/model/SsTable.ts"

export type Dice = (below: number) => number

const idOf = (number: number): string => String(number).padStart(26, "0")

/** Table `number` of so many bytes, with the one key `number`. */
export const table = (number: number, bytes = 100): SsTable => ({
  id: idOf(number),
  viewId: idOf(number),
  formatVersion: 2,
  visibleRange: undefined,
  info: {
    firstEntry: Uint8Array.of(number >> 8, number & 255),
    lastEntry: Uint8Array.of(number >> 8, number & 255),
    filterOffset: bytes,
    filterLength: 0,
    filterFormat: "legacy",
    indexOffset: bytes,
    indexLength: 0,
    statsOffset: bytes,
    statsLength: 0,
    compression: "none",
    kind: "compacted"
  }
})

/** Tables of the given sizes in level 0, and runs of one table each: newest first, run ids down to 0. */
export const tree = (l0: ReadonlyArray<number>, runs: ReadonlyArray<number>): Manifest.Manifest => ({
  ...Manifest.empty,
  lastL0Sequence: 1,
  l0: l0.map((bytes, i) => table(900 - i, bytes)),
  runs: runs.map((bytes, i) => ({ id: runs.length - 1 - i, tables: [table(500 - i, bytes)] }))
})

/** Up to 12 tables in level 0 and up to 12 runs, of which some are empty; gaps between run ids. */
export const randomTree = (random: Dice): Manifest.Manifest => {
  const size = () => 10 * 4 ** random(3) * (1 + random(3))
  let run = -1
  const runs = Array.from({ length: random(13) }, (_, place) => {
    run += 1 + (random(4) === 0 ? random(3) : 0)
    const tables = Array.from({ length: random(8) === 0 ? 0 : 1 + random(2) }, (_, i) =>
      table(10 * place + i + 1, size())
    )
    return { id: run, tables }
  })
  return {
    ...Manifest.empty,
    lastL0Sequence: 100,
    replayAfterWalId: 3,
    walIdLastSeen: 5,
    l0: Array.from({ length: random(13) }, (_, i) => table(500 - i, size())),
    runs: runs.toReversed(),
    checkpoints: random(2) === 0 ? [] : [{ ...checkpoint("other"), manifestId: 2 }]
  }
}

export const checkpoint = (id: string) => ({
  id,
  createTimeSeconds: 1,
  expireTimeSeconds: 901,
  metadata: undefined,
  name: undefined
})

/** A plan that may be carried out when nothing else is; absent when there is nothing to merge. */
export const randomPlan = ({ l0, runs }: Manifest.Manifest, random: Dice): CompactionPlan | undefined => {
  const taken = random(2) === 0 ? 0 : random(l0.length + 1)
  const from = taken > 0 ? 0 : random(runs.length + 1)
  const runIds = runs.slice(from, from + random(runs.length - from + 1)).map((run) => run.id)
  if (taken + runIds.length === 0) return undefined
  return {
    l0: l0.slice(l0.length - taken).map(({ viewId }) => viewId),
    runs: runIds,
    destination: runIds[runIds.length - 1] ?? (runs[0]?.id ?? -1) + 1 + random(2)
  }
}

/** The same plan with one thing changed. */
export const bent = (plan: CompactionPlan, random: Dice): CompactionPlan => {
  const without = <A>(items: ReadonlyArray<A>) => items.toSpliced(random(items.length + 1), 1)
  switch (random(6)) {
    case 0:
      return { ...plan, l0: without(plan.l0) }
    case 1:
      return { ...plan, runs: without(plan.runs) }
    case 2:
      return { ...plan, l0: plan.l0.toReversed(), runs: plan.runs.toReversed() }
    case 3:
      return { ...plan, destination: plan.destination + random(5) - 2 }
    case 4:
      return { ...plan, runs: [...plan.runs, random(14)] }
    default:
      return { ...plan, l0: [idOf(500 - random(14)), ...plan.l0] }
  }
}

/** All tables, newest first; those of a run stay together. */
export const ages = ({ l0, runs }: Manifest.Manifest): ReadonlyArray<string> => [
  ...l0.map(({ id }) => id),
  ...runs.flatMap(({ tables }) => tables.map(({ id }) => id))
]
