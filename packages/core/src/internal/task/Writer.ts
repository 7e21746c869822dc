/**
 * An open database: opens it, starts its tasks, and hands each the functions it
 * may call. Wiring only; no task knows another.
 *
 *     WalFlushTask ──rows durable──> MemtableFlushTask ──edit──> ManifestKeeper
 *          ^                               ^                          │
 *          │ lease                         └── room in level 0 ───────┤ adopt
 *          └──────────────────────────────────────────────────────────┘
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import { BlockCache } from "../../BlockCache.ts"
import { CompactionPolicy } from "../../CompactionPolicy.ts"
import { Compression } from "../../Compression.ts"
import * as DbError from "../../DbError.ts"
import { MergeOperator } from "../../MergeOperator.ts"
import * as ObjectStore from "../../ObjectStore.ts"
import * as Settings from "../../Settings.ts"
import { Generation } from "../lsm/Generation.ts"
import * as Garbage from "../model/Garbage.ts"
import type { ReadLevel } from "../model/ReadOptions.ts"
import type { Sequence } from "../model/Sequence.ts"
import * as Reads from "../read/Reads.ts"
import { type ReadView, TablesOfManifest } from "../read/ReadView.ts"
import * as CompactionsStore from "../store/CompactionsStore.ts"
import * as ManifestStore from "../store/ManifestStore.ts"
import * as ObjectPaths from "../store/ObjectPaths.ts"
import { StoreClock } from "../store/StoreClock.ts"
import * as TableStore from "../store/TableStore.ts"
import * as TableWriters from "../store/TableWriters.ts"
import { TurnMeter } from "../store/TurnMeter.ts"
import * as UlidSource from "../store/UlidSource.ts"
import * as WalStore from "../store/WalStore.ts"
import { Backlog } from "./Backlog.ts"
import { Backpressure } from "./Backpressure.ts"
import * as CollectionPass from "./CollectionPass.ts"
import * as CompactionJob from "./CompactionJob.ts"
import * as Compacting from "./Compacting.ts"
import * as CompactorLedger from "./CompactorLedger.ts"
import * as GarbageCollectorTask from "./GarbageCollectorTask.ts"
import { Lifecycle } from "./Lifecycle.ts"
import * as ManifestKeeper from "./ManifestKeeper.ts"
import * as MemtableFlushTask from "./MemtableFlushTask.ts"
import * as Opening from "./Opening.ts"
import { StateCell } from "./StateCell.ts"
import * as Status from "./Status.ts"
import * as WalFlushTask from "./WalFlushTask.ts"
import * as Writes from "./Writes.ts"

/** A database open for writing: the service that `Db` describes. */
export interface Writer extends Reads.Reads, Writes.Writes {
  readonly flush: (target?: "wal" | "memtable") => Effect.Effect<void, DbError.DbError>
  readonly status: Effect.Effect<Status.Status>
  readonly close: Effect.Effect<void, DbError.DbError>
}

interface Options {
  readonly path: string
  readonly settings?: Settings.Input | undefined
}

export const open = Effect.fn("Db.open")(function* (
  options: Options
): Effect.fn.Return<Writer, DbError.DbError, ObjectStore.ObjectStore | Scope.Scope> {
  const scope = yield* Scope.make()
  const lifecycle = new Lifecycle()
  const started = Effect.provideService(start(options, lifecycle), Scope.Scope, scope)
  return yield* Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      // An open that fails or is interrupted leaves nothing behind, though the caller's scope may go on.
      const db = yield* Effect.onError(restore(started), () => Scope.close(scope, Exit.void))
      const close = yield* closeOnce(db, lifecycle, scope)
      yield* Effect.addFinalizer(() =>
        Effect.catch(close, (error) => Effect.logError(`effect-slatedb: close failed: ${error.message}`))
      )
      return { ...db.service, close }
    })
  )
})

/** What close needs of an open database besides its service. */
interface Started {
  readonly service: Omit<Writer, "close">
  readonly settings: Settings.Settings
  readonly cell: StateCell
  readonly storeRest: Effect.Effect<void, DbError.DbError>
}

const start = Effect.fnUntraced(function* (
  options: Options,
  lifecycle: Lifecycle
): Effect.fn.Return<Started, DbError.DbError, ObjectStore.ObjectStore | Scope.Scope> {
  const ground = yield* prepare(options)
  const tasks = yield* startTasks(ground, yield* Opening.open(ground), lifecycle)
  const { backpressure, cell, memtables, wal } = tasks
  const { settings } = ground
  const flushMemtable = Effect.andThen(wal.flush(true), memtables.flush)
  return {
    settings,
    cell,
    // The compactor is not waited for: its jobs are interrupted with the scope, behind this, and go on another time.
    storeRest: settings.walEnabled ? wal.flush(false) : flushMemtable,
    service: {
      ...readsOf(ground, cell, lifecycle),
      ...Writes.make({ ...ground, lifecycle, wal, backpressure }),
      flush: Effect.fn("Db.flush")(function* (target?: "wal" | "memtable") {
        if (!lifecycle.isOpen) return yield* lifecycle.error
        if (target === "memtable" || (target === undefined && !settings.walEnabled)) return yield* flushMemtable
        if (!settings.walEnabled) {
          return yield* DbError.fail(
            new DbError.Invalid({ field: "flush", detail: "the WAL is off (settings.walEnabled); flush the memtable" })
          )
        }
        return yield* wal.flush(false)
      }),
      status: Effect.sync(() =>
        Status.of({
          ...tasks,
          lifecycle,
          compactions: tasks.compactor?.report() ?? CompactorLedger.none,
          collector: tasks.collector(),
          settings,
          turns: ground.turns
        })
      )
    }
  }
})

type Ground = Effect.Success<ReturnType<typeof prepare>>

/** What a database stands on: its settings, its way to the store, and the services of its context. */
const prepare = Effect.fnUntraced(function* (options: Options) {
  const settings = yield* Effect.fromResult(Settings.fromInput(options.settings))
  const paths = yield* Effect.fromResult(ObjectPaths.checked(options.path))
  const store = yield* ObjectStore.ObjectStore
  const compression = yield* Compression
  const random = yield* Random.Random
  const ulids = yield* UlidSource.make
  const clock = yield* Clock.Clock
  const cache = yield* BlockCache
  const turns = new TurnMeter(clock)
  return {
    settings,
    paths,
    store,
    compression,
    cache,
    ulids,
    clock,
    turns,
    merge: yield* MergeOperator,
    policy: yield* CompactionPolicy,
    executor: yield* CompactionJob.Executor,
    newWriter: yield* Effect.fromResult(TableWriters.make(settings, compression)),
    newGeneration: () => Generation.make({ hashSeed: Math.floor(random.nextDoubleUnsafe() * Number.MAX_SAFE_INTEGER) }),
    manifests: ManifestStore.make(store, paths, ulids),
    compactions: CompactionsStore.make(store, paths, ulids),
    wals: WalStore.make(store, paths),
    tables: TableStore.make({ store, paths, compression, cache, turns })
  }
})

/** Starts the tasks, each with the functions of others that it may call. */
const startTasks = Effect.fnUntraced(function* (ground: Ground, opened: Opening.Opened, lifecycle: Lifecycle) {
  const { newWriter, settings } = ground
  const cell = new StateCell(opened.state, opened.lastSequence, ground.newGeneration)
  const backlog = new Backlog({ ...ground, cell, bufferedBytes: () => wal.bufferedBytes() })
  const backpressure = new Backpressure({
    room: backlog,
    isOpen: () => lifecycle.isOpen,
    onFull: () => wal.pressure()
  })
  lifecycle.onClosed(() => backpressure.release())

  const keeper = yield* ManifestKeeper.make({
    lifecycle,
    store: ground.manifests,
    opened: opened.manifest,
    leaseStart: opened.leaseStart,
    leaseDuration: settings.leaseDuration,
    pollInterval: settings.manifestPollInterval,
    adopt: (version) => {
      cell.keeper.adoptManifest(version)
      wal.manifestAdopted()
      backlog.note()
      backpressure.release()
      memtables.memtableFrozen()
      if (version.manifest.l0.length >= settings.l0MaxSsts) compactor?.poll()
    }
  })
  const memtables = yield* MemtableFlushTask.make({
    ...ground,
    lifecycle,
    cell,
    newWriter: () => newWriter("compacted", ground.tables.newBlockBytesMax),
    editManifest: keeper.edit
  })
  const wal = yield* WalFlushTask.make({
    ...ground,
    lifecycle,
    cell,
    // One by one: what a task is given it keeps, and `opened.state` must go when its generations are flushed.
    nextWalId: opened.nextWalId,
    replayedWals: opened.replayedWals,
    lastCreateTime: opened.lastCreateTime,
    newWriter: () => newWriter("wal", 0),
    isLeaseFresh: keeper.isLeaseFresh,
    refreshManifest: keeper.refresh,
    onSealedDurable: () => {
      backlog.note()
      memtables.memtableFrozen()
    },
    onReleased: () => backpressure.release()
  })
  const compactor = !settings.compactorEnabled
    ? undefined
    : yield* Compacting.start(ground, {
        lifecycle,
        manifest: opened.manifest,
        isEager: false,
        owns: ({ writerEpoch }) => writerEpoch === cell.state.current.manifest.writerEpoch,
        known: () => ({ id: cell.state.current.id, value: cell.state.current.manifest }),
        onCommitted: Effect.ignore(keeper.refresh),
        // Its report says so; the database goes on.
        onFenced: () => {}
      })
  const collector = yield* startCollector(ground, cell, lifecycle)
  // Replay may have sealed generations.
  memtables.memtableFrozen()
  return { cell, backlog, backpressure, memtables, wal, compactor, collector }
})

/** The collector, where the settings want one, and what it knows of itself. */
const startCollector = Effect.fnUntraced(function* (ground: Ground, cell: StateCell, lifecycle: Lifecycle) {
  const { collectorEnabled, collectorInterval, collectorMinAge } = ground.settings
  if (!collectorEnabled) return () => ({ objects: 0, bytes: 0, failure: undefined })
  const pass = {
    ...ground,
    storeClock: new StoreClock(),
    held: () => [{ id: cell.state.current.id, value: cell.state.current.manifest }]
  }
  const request = {
    kinds: new Set(Garbage.defaultKinds),
    minAgeMillis: Duration.toMillis(collectorMinAge),
    isDryRun: false
  }
  const task = yield* GarbageCollectorTask.make({
    lifecycle,
    interval: collectorInterval,
    collect: (onDeleted) => CollectionPass.run(pass, request, onDeleted)
  })
  return task.facts
})

const readsOf = (ground: Ground, cell: StateCell, lifecycle: Lifecycle): Reads.Reads => {
  const tables = new TablesOfManifest(ground.tables)
  const boundOf = (level: ReadLevel) => (level === "committed" ? cell.durableSequence : cell.visibleSequence)
  const seenThrough = (maxSequence: Sequence): ReadView => ({
    state: cell.state,
    tables: tables.of(cell.state.current.manifest),
    maxSequence
  })
  return Reads.make({
    refusal: () => (lifecycle.reason === undefined ? undefined : lifecycle.error),
    view: (level) => seenThrough(boundOf(level)),
    hold: (level) => {
      const maxSequence = boundOf(level)
      cell.pins.add(maxSequence)
      return { view: () => seenThrough(maxSequence), release: () => cell.pins.remove(maxSequence) }
    },
    merge: ground.merge,
    hideExpired: ground.settings.hideExpired,
    clock: ground.clock,
    turns: ground.turns
  })
}

/** Closes once, whoever asks and however often: all get the same answer. */
const closeOnce = (db: Started, lifecycle: Lifecycle, scope: Scope.Closeable) =>
  Effect.cached(
    Effect.suspend(() => {
      lifecycle.beginClosing()
      const rest = db.storeRest.pipe(
        Effect.timeoutOrElse({
          duration: db.settings.closeTimeout,
          orElse: () => Effect.fail(unstored(db.settings.closeTimeout))
        }),
        Effect.tapError((error) =>
          Effect.sync(() => {
            if (error.reason._tag === "Closed") lifecycle.close(error.reason)
          })
        ),
        // Somebody else ended it before: that is no news, unless accepted writes were lost with it.
        Effect.catch((error) => (db.cell.visibleSequence > db.cell.durableSequence ? Effect.fail(error) : Effect.void))
      )
      return Effect.ensuring(
        rest,
        Effect.suspend(() => {
          lifecycle.close(new DbError.Closed({ kind: "clean", detail: "the database was closed" }))
          return Scope.close(scope, Exit.void)
        })
      ).pipe(Effect.uninterruptible)
    })
  )

const unstored = (closeTimeout: Duration.Duration): DbError.DbError =>
  DbError.fail(
    new DbError.Closed({
      kind: "failed",
      detail: `accepted writes could not be stored in time: the store does not answer, or level 0 is full and the WAL off: settings.closeTimeout=${Duration.toMillis(closeTimeout)}ms`
    })
  )
