/**
 * Holds a manifest against what its tables were found to contain.
 *
 * Memtables become tables in the order of their sequence numbers, and compaction
 * consumes neighbours; so of two neighbours the newer one has only greater
 * sequence numbers: in level 0, between level 0 and runs, and from run to run.
 */
import type { Fault } from "./Fault.ts"
import type { Manifest, Segment, SortedRun } from "./Manifest.ts"
import type { SsTable } from "./SsTable.ts"
import type { TableContents } from "./TableContents.ts"

/** Contents by table id. What could not be read is not in it. */
export type Contents = ReadonlyMap<string, TableContents>

export const check = (manifest: Manifest, contents: Contents): ReadonlyArray<Fault> => [
  ...sums(manifest, contents),
  ...alone(manifest),
  ...[manifest, ...manifest.segments].flatMap((tree) => order(tree, contents))
]

/** What the manifest says of its own parts, beyond the laws of every manifest. */
const alone = (manifest: Manifest): ReadonlyArray<Fault> => {
  const { lastCompactedViewId, lastL0Sequence, recentSnapshotMinSequence, sequenceTracker } = manifest
  const faults: Array<Fault> = []
  if (!manifest.initialized) faults.push({ rule: "database", detail: "it is not initialized: initialized=false" })
  if (recentSnapshotMinSequence > lastL0Sequence) {
    faults.push({
      rule: "L15",
      detail: `retention begins above level 0: recentSnapshotMinSequence=${recentSnapshotMinSequence} lastL0Sequence=${lastL0Sequence}`
    })
  }
  const tracked = sequenceTracker?.sequences.at(-1) ?? 0
  if (tracked > lastL0Sequence) {
    faults.push({
      rule: "tracker",
      detail: `a point lies above level 0: sequence=${tracked} lastL0Sequence=${lastL0Sequence}`
    })
  }
  for (const { createTimeSeconds, expireTimeSeconds, id } of manifest.checkpoints) {
    if (expireTimeSeconds === undefined || expireTimeSeconds >= createTimeSeconds) continue
    faults.push({
      rule: "L9",
      detail: `a checkpoint expires before it was created: checkpoint=${id} expireTimeSeconds=${expireTimeSeconds} createTimeSeconds=${createTimeSeconds}`
    })
  }
  if (manifest.l0.some((table) => table.viewId === lastCompactedViewId)) {
    faults.push({ rule: "L6", detail: `a compacted table is in level 0: lastCompactedViewId=${lastCompactedViewId}` })
  }
  return faults
}

/** Bounds that the manifest gives for all rows. */
const sums = (manifest: Manifest, contents: Contents): ReadonlyArray<Fault> =>
  tablesOf(manifest).flatMap((table) => {
    const found = contents.get(table.id)
    if (found === undefined) return []
    const faults: Array<Fault> = []
    if (found.lastSequence > manifest.lastL0Sequence) {
      faults.push({
        rule: "L16",
        detail: `a table holds rows above the last sequence: table=${table.id} sequence=${found.lastSequence} lastL0Sequence=${manifest.lastL0Sequence}`
      })
    }
    if (found.lastCreateTime > (manifest.lastL0ClockTick ?? -Infinity)) {
      faults.push({
        rule: "L16",
        detail: `a table holds rows above the clock tick: table=${table.id} createTime=${found.lastCreateTime} lastL0ClockTick=${manifest.lastL0ClockTick ?? "none"}`
      })
    }
    return faults
  })

interface Tree {
  readonly l0: ReadonlyArray<SsTable>
  readonly runs: ReadonlyArray<SortedRun>
}

/** The levels from the newest to the oldest: tables of level 0 one by one, then runs. */
const order = (tree: Tree | Segment, contents: Contents): ReadonlyArray<Fault> => {
  const levels = [
    ...tree.l0.map((table) => ({ name: `table=${table.id}`, tables: [table] })),
    ...tree.runs.map((run) => ({ name: `run=${run.id}`, tables: run.tables }))
  ]
  const faults: Array<Fault> = []
  let newer: { readonly name: string; readonly firstSequence: number } | undefined
  for (const { name, tables } of levels) {
    // Rows outside a visible range may be anything.
    const found = tables
      .filter((table) => table.visibleRange === undefined)
      .flatMap((table) => contents.get(table.id) ?? [])
    const firstSequence = Math.min(...found.map((table) => table.firstSequence))
    const lastSequence = Math.max(...found.map((table) => table.lastSequence))
    if (firstSequence === Infinity) continue
    if (newer !== undefined && lastSequence >= newer.firstSequence) {
      faults.push({
        rule: "L2",
        detail: `an older level holds newer rows: ${name} sequence=${lastSequence} newer ${newer.name} begins at sequence=${newer.firstSequence}`
      })
    }
    newer = { name, firstSequence }
  }
  return faults
}

/** Every table that a manifest names, newest first. */
export const tablesOf = (manifest: Manifest): ReadonlyArray<SsTable> =>
  [manifest, ...manifest.segments].flatMap((tree) => [...tree.l0, ...tree.runs.flatMap((run) => run.tables)])
