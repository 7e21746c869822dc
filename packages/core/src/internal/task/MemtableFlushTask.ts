/**
 * ADR 3's second task: memtable contents to the object store as level 0.
 *
 *     MemtableFrozen ──> build table ──> upload ──> TableUploaded ──> manifest edit ──> Installed
 *                        one by one      up to l0FlushParallelism     oldest first (L2)
 *
 * A table is stored before a manifest names it (L3), and a generation becomes a
 * table only when all its rows are durable in the WAL. The manifest takes tables
 * in the order of their rows, whichever upload ends first. While level 0 is full,
 * nothing is flushed; writers then wait for memory.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type * as DbError from "../../DbError.ts"
import type { Settings } from "../../Settings.ts"
import type { SsTableWriter } from "../format/SsTableWriter.ts"
import type { Generation } from "../lsm/Generation.ts"
import { type Cursor, Step } from "../lsm/Cursor.ts"
import * as DbState from "../lsm/DbState.ts"
import * as ManifestStep from "../lsm/ManifestStep.ts"
import type { MergeFunction } from "../lsm/MergeFold.ts"
import { PacedCursor } from "../lsm/PacedCursor.ts"
import { Retention } from "../lsm/Retention.ts"
import type { Manifest } from "../model/Manifest.ts"
import type { Sequence } from "../model/Sequence.ts"
import type { SsTable } from "../model/SsTable.ts"
import type { TableStore } from "../store/TableStore.ts"
import type { TurnMeter } from "../store/TurnMeter.ts"
import type { UlidSource } from "../store/UlidSource.ts"
import type { Lifecycle } from "./Lifecycle.ts"
import * as Retrying from "./Retrying.ts"
import type { StateCell } from "./StateCell.ts"
import * as Task from "./Task.ts"

/** A generation on its way to level 0; `flushed` once its table is stored. */
interface Job {
  readonly sealed: DbState.SealedGeneration
  readonly tableId: string
  flushed: ManifestStep.FlushedMemtable | undefined
}

type Message =
  | { readonly _tag: "MemtableFrozen" }
  | { readonly _tag: "TableUploaded"; readonly job: Job; readonly table: SsTable | undefined }
  | { readonly _tag: "Installed"; readonly jobs: number }
  | { readonly _tag: "Flush"; readonly reply: Task.Reply<void> }

export interface MemtableFlushTask {
  /** A sealed generation is durable, or level 0 has room again. */
  readonly memtableFrozen: () => void
  /** Waits until every memtable that is frozen now is in level 0. */
  readonly flush: Effect.Effect<void, DbError.DbError>
  /** Whether memtables wait because level 0 is full, with the tables on their way to it. */
  readonly isStalled: () => boolean
  /** Tables that are being built or stored, or wait to be named. */
  readonly tablesUnderWay: () => number
}

/** Steps between two yields to the event loop, if time does not end a slice before. */
const stepsPerSlice = 8
// What is done in a step: about 0.1 ms each.
const rowsPerStep = 64
const bytesPerStep = 32 * 1024
/** Units of ten nanoseconds. */
const orderUnitsPerStep = 12_500
/** Keys of the filter, blocks of the index. */
const unitsPerStep = 512

export const make = Effect.fnUntraced(function* (options: {
  readonly lifecycle: Lifecycle
  readonly cell: StateCell
  readonly settings: Settings
  readonly tables: TableStore
  readonly ulids: UlidSource
  readonly newWriter: () => SsTableWriter
  readonly merge: MergeFunction | undefined
  readonly turns: TurnMeter
  readonly editManifest: (edit: (manifest: Manifest) => Manifest) => Effect.Effect<void, DbError.DbError>
}): Effect.fn.Return<MemtableFlushTask, never, Scope.Scope> {
  const { cell, lifecycle, settings } = options
  const retrying = Retrying.make(lifecycle, "MemtableFlushTask")
  /** Oldest first. */
  const jobs: Array<Job> = []
  let waiters: Array<{ readonly sequence: Sequence; readonly reply: Task.Reply<void> }> = []
  /**
   * Tables are built one after another, the oldest first: several at once would only make turns longer, and all be in
   * memory twice until the end, as rows and as tables.
   */
  const building = Semaphore.makeUnsafe(1)
  let isInstalling = false
  let isStalled = false

  const build = Effect.fnUntraced(function* (job: Job) {
    const { generation } = job.sealed
    const writer = options.newWriter()
    const table = yield* building.withPermit(
      Effect.suspend(() =>
        buildTable(generation, {
          writer,
          minSequence: Math.min(generation.lastSequence, cell.pins.least),
          merge: options.merge,
          turns: options.turns
        })
      )
    )
    if (table === undefined) return undefined
    const { body, info, parts } = table
    const stored = yield* retrying(options.tables.create(job.tableId, body, info, options.ulids.next()))
    writer.release()
    yield* options.tables.keep(job.tableId, parts, false)
    return stored
  })

  const flushable = () => DbState.flushable(cell.state, settings.walEnabled ? cell.durableSequence : Infinity)

  /** Begins as many jobs as there is room for. */
  const begin = Effect.fnUntraced(function* (task: Task.Task<Message>) {
    const waiting = flushable().filter((sealed) => jobs.every((job) => job.sealed !== sealed))
    isStalled = false
    for (const sealed of waiting) {
      const { l0, lastCompactedViewId } = cell.state.current.manifest
      if (jobs.length >= settings.l0FlushParallelism) return
      if (l0.length + jobs.length >= settings.l0MaxSsts) {
        isStalled = true
        return
      }
      const newestTable = l0[0]?.id ?? lastCompactedViewId
      const job: Job = { sealed, tableId: options.ulids.next(newestTable), flushed: undefined }
      jobs.push(job)
      yield* task.fork(Effect.flatMap(build(job), (table) => task.send({ _tag: "TableUploaded", job, table })))
    }
  })

  /** Names the stored tables in the manifest, up to the first that is still on its way. */
  const install = (task: Task.Task<Message>): Effect.Effect<void> => {
    if (isInstalling) return Effect.void
    const ready: Array<ManifestStep.FlushedMemtable> = []
    for (const job of jobs) {
      if (job.flushed === undefined) break
      ready.push(job.flushed)
    }
    if (ready.length === 0) return Effect.void
    isInstalling = true
    const edit = (manifest: Manifest) =>
      ready.reduce((edited, flushed) => ManifestStep.addFlushed(flushed, cell.minPinned)(edited), manifest)
    return task.fork(Effect.andThen(options.editManifest(edit), task.send({ _tag: "Installed", jobs: ready.length })))
  }

  const answer = () => {
    const { lastL0Sequence } = cell.state.current.manifest
    waiters = waiters.filter(({ reply, sequence }) => {
      if (sequence > lastL0Sequence) return true
      Deferred.doneUnsafe(reply, Effect.void)
      return false
    })
  }

  const handle = (message: Message, task: Task.Task<Message>): Effect.Effect<void, DbError.DbError> => {
    switch (message._tag) {
      case "MemtableFrozen":
        return begin(task)
      case "TableUploaded":
        message.job.flushed = toFlushed(message.job.sealed, message.table)
        return install(task)
      case "Installed":
        isInstalling = false
        jobs.splice(0, message.jobs)
        answer()
        return Effect.andThen(
          Effect.suspend(() => install(task)),
          begin(task)
        )
      case "Flush":
        waiters.push({ sequence: cell.state.sealed[0]?.generation.lastSequence ?? 0, reply: message.reply })
        answer()
        return begin(task)
    }
  }

  const task = yield* Task.make<Message>({ name: "MemtableFlushTask", lifecycle, mailboxCapacity: 256, handle })
  return {
    memtableFrozen: () => task.tell({ _tag: "MemtableFrozen" }),
    flush: task.ask((reply: Task.Reply<void>) => ({ _tag: "Flush", reply })),
    isStalled: () => isStalled,
    tablesUnderWay: () => jobs.length
  }
})

const toFlushed = (
  { commitPoints, generation, lastWalId }: DbState.SealedGeneration,
  table: SsTable | undefined
): ManifestStep.FlushedMemtable => ({
  table,
  lastSequence: generation.lastSequence,
  lastWalId,
  clockTick: generation.greatestCreateTime,
  commitPoints
})

/** Writes what survives of a generation as a table; `undefined` when nothing does. */
const buildTable = Effect.fnUntraced(function* (
  generation: Generation,
  options: {
    readonly writer: SsTableWriter
    readonly minSequence: Sequence
    readonly merge: MergeFunction | undefined
    readonly turns: TurnMeter
  }
) {
  const { turns, writer } = options
  yield* turns.slices("memtable order", stepsPerSlice, () => generation.prepareOrder(orderUnitsPerStep))
  const all = generation.cursor({ maxSequence: generation.lastSequence })
  const rows = new Retention(new PacedCursor(all, rowsPerStep), {
    minSequence: options.minSequence,
    now: generation.greatestCreateTime,
    merge: options.merge
  })
  yield* turns.slices("table rows", stepsPerSlice, () => writeRows(rows, writer) === Step.done)
  if (writer.rowCount === 0) return undefined
  yield* turns.slices("table end", stepsPerSlice, () => writer.prepare(unitsPerStep))
  return { ...writer.finish(), parts: writer.parts() }
})

/** Writes rows until the source pauses or ends, or enough bytes were written. */
const writeRows = (rows: Cursor, writer: SsTableWriter): Step => {
  const stepEnd = writer.sizeBytes + bytesPerStep
  let step = rows.next()
  while (step === Step.row) {
    writer.add(rows.row)
    if (writer.sizeBytes >= stepEnd) break
    step = rows.next()
  }
  return step
}
