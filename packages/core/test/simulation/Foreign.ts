/**
 * What other processes do to a bucket, without regard for the writer: a compactor
 * that merges whatever it likes, as far as the protocol allows, and a collector with
 * the least age that the official one has.
 */
import * as MergeOperator from "@effect-slatedb/core/MergeOperator"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as BoundaryCodec from "../../src/internal/format/BoundaryCodec.ts"
import { type Cursor, Step } from "../../src/internal/lsm/Cursor.ts"
import { Retention } from "../../src/internal/lsm/Retention.ts"
import * as ByteOrder from "../../src/internal/model/ByteOrder.ts"
import { isActive } from "../../src/internal/model/Compactions.ts"
import type { Checkpoint, Manifest } from "../../src/internal/model/Manifest.ts"
import { copy, Kind, type RowEntry, RowView } from "../../src/internal/model/RowEntry.ts"
import type { SsTable } from "../../src/internal/model/SsTable.ts"
import type { UlidSource } from "../../src/internal/store/UlidSource.ts"
import * as Compactors from "../support/Compactors.ts"
import * as OtherProcess from "../support/OtherProcess.ts"
import * as Dice from "./Dice.ts"

const leastAgeMillis = 300_000
/** How long a compaction's checkpoint lives. */
const pinnedMillis = 900_000

/** Neighbours in the order of level 0 and runs, newest first; none of level 0 may be left below one that is taken. */
const chooseSources = Effect.fnUntraced(function* ({ l0, runs }: Manifest) {
  const from = yield* Dice.below(l0.length + 1)
  const runsTaken = yield* Dice.below(runs.length + 1)
  const firstRun = from === l0.length ? yield* Dice.below(runsTaken + 1) : 0
  return { l0: l0.slice(from), runs: runs.slice(firstRun, runsTaken), hasOlder: runsTaken < runs.length }
})

class Rows implements Cursor {
  readonly row = new RowView()
  readonly #rows: ReadonlyArray<RowEntry>
  #next = 0

  constructor(rows: ReadonlyArray<RowEntry>) {
    this.#rows = rows
  }

  next(): Step {
    const row = this.#rows[this.#next++]
    if (row === undefined) return Step.done
    Object.assign(this.row, row, { keyStart: 0, keyEnd: row.key.length, valueStart: 0, valueEnd: row.value.length })
    return Step.row
  }
}

/** What is left of the sources' rows. */
const retain = (manifest: Manifest, rows: ReadonlyArray<RowEntry>, hasOlder: boolean): ReadonlyArray<RowEntry> => {
  const retention = new Retention(new Rows(rows), {
    minSequence: manifest.recentSnapshotMinSequence,
    now: manifest.lastL0ClockTick ?? -Infinity,
    merge: MergeOperator.append
  })
  const kept: Array<RowEntry> = []
  while (retention.next() === Step.row) kept.push(copy(retention.row))
  if (hasOlder) return kept
  // Nothing lies beneath: a tombstone that is the oldest of its key says nothing.
  return kept.filter((row, i) => {
    const older = kept[i + 1]
    const isOldest = older === undefined || ByteOrder.compare(older.key, row.key) !== 0
    return row.kind !== Kind.tombstone || !isOldest
  })
}

/**
 * Merges some tables into one run of tables of a few rows each, so that keys straddle
 * them, and answers with how to name it in the manifest: at once, or later.
 */
export const compact = Effect.fnUntraced(function* (bucket: MemoryObjectStore.State, ulids: UlidSource) {
  const manifest = yield* OtherProcess.manifest(bucket)
  const sources = yield* chooseSources(manifest)
  const inputs = [...sources.l0, ...sources.runs.flatMap(({ tables }) => tables)]
  if (sources.l0.length + sources.runs.length === 0) return Effect.void
  const rows = inputs
    .flatMap(({ id }) => OtherProcess.rows(bucket, OtherProcess.paths.table(id)))
    .toSorted((a, b) => ByteOrder.compare(a.key, b.key) || b.sequence - a.sequence)
  const kept = (yield* Dice.oneIn(4)) ? rows : retain(manifest, rows, sources.hasOlder)
  const tables: Array<SsTable> = []
  for (let start = 0; start < kept.length;) {
    const end = start + 1 + (yield* Dice.below(40))
    tables.push(yield* OtherProcess.storeTable(bucket, ulids.next(manifest.l0[0]?.id), kept.slice(start, end)))
    start = end
  }
  return Effect.andThen(takeRole(bucket), commit(bucket, sources, tables))
})

/** Fences the compactor there is, and gives up the jobs it left, as it knows nothing of them. */
const takeRole = Effect.fnUntraced(function* (bucket: MemoryObjectStore.State) {
  yield* OtherProcess.edit(bucket, (manifest) => ({ ...manifest, compactorEpoch: manifest.compactorEpoch + 1 }))
  const { compactorEpoch } = yield* OtherProcess.manifest(bucket)
  yield* Compactors.edit(bucket, ({ compactions, ...rest }) => ({
    ...rest,
    compactorEpoch,
    compactions: compactions.map((job) => (isActive(job) ? { ...job, status: "failed" } : job))
  }))
})

const contentsOf = ({ id, tables }: Manifest["runs"][number]) => `${id}:${tables.map((table) => table.id).join()}`

const commit = (
  bucket: MemoryObjectStore.State,
  { l0, runs }: Pick<Manifest, "l0" | "runs">,
  tables: ReadonlyArray<SsTable>
) =>
  OtherProcess.edit(bucket, (manifest) => {
    const isThere =
      l0.every(({ viewId }) => manifest.l0.some((table) => table.viewId === viewId)) &&
      runs.every((run) => manifest.runs.some((found) => contentsOf(found) === contentsOf(run)))
    if (!isThere) return manifest
    const id = runs.at(-1)?.id ?? (manifest.runs[0]?.id ?? -1) + 1
    const rest = manifest.runs.filter((run) => runs.every((taken) => taken.id !== run.id))
    return {
      ...manifest,
      l0: manifest.l0.filter(({ viewId }) => l0.every((taken) => taken.viewId !== viewId)),
      lastCompactedViewId: l0[0]?.viewId ?? manifest.lastCompactedViewId,
      runs: [...rest, { id, tables }].toSorted((a, b) => b.id - a.id)
    }
  })

/** Deletes what the latest manifest does not need and is old enough. */
export const collect = Effect.fnUntraced(function* (bucket: MemoryObjectStore.State) {
  const now = yield* Clock.currentTimeMillis
  const isLive = ({ expireTimeSeconds }: Checkpoint) =>
    expireTimeSeconds === undefined || expireTimeSeconds > now / 1000
  yield* OtherProcess.edit(bucket, (manifest) =>
    manifest.checkpoints.every(isLive) ? manifest : { ...manifest, checkpoints: manifest.checkpoints.filter(isLive) }
  )
  const { value } = yield* OtherProcess.latest(bucket)
  const store = MemoryObjectStore.fromState(bucket)
  const { paths } = OtherProcess
  const ageOf = (path: string) => now - (bucket.objects.get(path)?.lastModified ?? now)
  // What a compaction of ours replaced is pinned for a while, by a checkpoint; here, all that was the latest in that time.
  const checkpointed = new Set(value.checkpoints.map(({ manifestId }) => manifestId))
  const manifestIds = Array.from(bucket.objects.keys(), paths.manifests.id).filter((found) => found !== undefined)
  const firstPinned = Math.max(
    0,
    ...manifestIds.filter((manifest) => ageOf(paths.manifests.path(manifest)) >= pinnedMillis)
  )
  const pinned = manifestIds.filter((manifest) => manifest >= firstPinned || checkpointed.has(manifest))
  const manifests = yield* Effect.forEach(pinned, (manifest) => OtherProcess.version(bucket, manifest))
  const named = new Set(
    manifests.flatMap(({ l0, runs }) => [...l0, ...runs.flatMap(({ tables }) => tables)]).map((table) => table.id)
  )
  // What a running job has stored is in no manifest yet; its id is older.
  const leastJob = (Compactors.history(bucket).at(-1)?.compactions ?? []).map(({ id }) => id).toSorted()[0]
  const isGarbage = (path: string): boolean => {
    if (path.startsWith(paths.wals.prefix)) return (paths.wals.id(path) ?? Infinity) < value.replayAfterWalId
    if (path.startsWith(paths.manifests.prefix)) return !pinned.includes(paths.manifests.id(path) ?? firstPinned)
    const table = path.startsWith(paths.tables) ? paths.tableId(path) : undefined
    return table !== undefined && !named.has(table) && (leastJob === undefined || table < leastJob)
  }
  // Half of all collectors keep a boundary, as the official one does from 0.13.1 on.
  if (yield* Dice.oneIn(2))
    yield* store.put(paths.boundary("manifest"), BoundaryCodec.encode(Math.max(0, firstPinned - 1)))
  for (const path of Array.from(bucket.objects.keys())) {
    if (isGarbage(path) && ageOf(path) > leastAgeMillis) yield* store.delete(path)
  }
})
