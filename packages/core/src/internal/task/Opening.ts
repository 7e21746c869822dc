/**
 * How a writer takes a database over.
 *
 *     latest manifest, or the first one ─> replay the log into generations;  probe the store meanwhile
 *       ─> claim the writer epoch
 *       ─> fence: an empty WAL object at the next free id
 *       ─> replay what an older writer stored meanwhile
 *
 * The order is the safety (L10). After the claim no older writer can commit a
 * manifest; after the fence none can store a WAL object, as its next one collides.
 * The log is listed again after the claim, so what an older writer flushed and
 * collected before is known, and every object up to the fence is there to be replayed.
 *
 * A database that cannot be read is refused before the claim: it is left as it was,
 * and its writer, if it has one, goes on.
 *
 * Replay never waits for room in level 0 or in memory (L17): generations it fills
 * are sealed, and flushed once the tasks run.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Compression } from "../../Compression.ts"
import * as DbError from "../../DbError.ts"
import type { Settings } from "../../Settings.ts"
import type { ObjectStore } from "../../ObjectStore.ts"
import type { DbState, SealedGeneration } from "../lsm/DbState.ts"
import type { Generation } from "../lsm/Generation.ts"
import * as ManifestStep from "../lsm/ManifestStep.ts"
import * as Manifest from "../model/Manifest.ts"
import type { Sequence } from "../model/Sequence.ts"
import * as Replay from "../store/Replay.ts"
import * as ManifestStore from "../store/ManifestStore.ts"
import type { ObjectPaths } from "../store/ObjectPaths.ts"
import type { Versioned } from "../store/SequencedObject.ts"
import * as StoreFailure from "../store/StoreFailure.ts"
import * as StoreProbe from "../store/StoreProbe.ts"
import type { TurnMeter } from "../store/TurnMeter.ts"
import type { UlidSource } from "../store/UlidSource.ts"
import type { WalStore } from "../store/WalStore.ts"
import { type Instant, now } from "./ManifestKeeper.ts"

export interface Opened {
  readonly state: DbState
  readonly lastSequence: Sequence
  readonly manifest: Versioned<Manifest.Manifest>
  /** When the read that showed our epoch began. */
  readonly leaseStart: Instant
  readonly nextWalId: number
  /** WAL objects that the open generation will cover: those that were replayed into it, and the fence. */
  readonly replayedWals: number
  readonly lastCreateTime: number
}

export interface Options {
  readonly store: ObjectStore["Service"]
  readonly paths: ObjectPaths
  readonly ulids: UlidSource
  readonly manifests: ManifestStore.ManifestStore
  readonly wals: WalStore
  readonly compression: Compression
  readonly settings: Settings
  readonly newGeneration: () => Generation
  readonly turns: TurnMeter
}

export const open = Effect.fnUntraced(function* (options: Options): Effect.fn.Return<Opened, DbError.DbError> {
  const { manifests, paths, settings } = options
  const clock = yield* Clock.Clock
  const readable = yield* readAll(options)
  // What holds no row need not be read again, by us or by the next writer.
  const isWithoutRows = readable.log.open.rowCount === 0 && readable.log.sealed.length === 0
  const claim = ManifestStep.claimWriter(isWithoutRows ? readable.log.lastWalId : 0)
  const leaseStart = now(clock)
  const manifest = yield* manifests
    .update(readable.manifest, (manifest) => Result.map(usable(options, manifest), claim))
    .pipe(
      Effect.timeoutOrElse({
        duration: settings.manifestUpdateTimeout,
        orElse: () =>
          Effect.fail(DbError.fail(new DbError.Unavailable({ operation: "claim the writer epoch", path: paths.root })))
      })
    )
  // An older writer may have flushed in between: then its tables cover what was replayed, or, without a WAL, more. Where
  // the claim itself moved the border, there was nothing to keep.
  const isCurrent = (["replayAfterWalId", "lastL0Sequence"] as const).every(
    (border) => manifest.value[border] === readable.manifest.value[border]
  )
  const taken = yield* takeLog(options, manifest)
  const log = yield* replay(options, isCurrent ? readable.log : nothingReplayed(options, manifest.value), {
    lastWalId: taken.lastWalId,
    skipThrough: manifest.value.lastL0Sequence
  })
  return {
    state: { open: log.open, sealed: log.sealed, current: { id: manifest.id, manifest: manifest.value } },
    lastSequence: log.lastSequence,
    manifest,
    leaseStart,
    nextWalId: taken.lastWalId + taken.fences + 1,
    // The fence counts for the first memtable.
    replayedWals: log.replayedWals + taken.fences,
    lastCreateTime: log.lastCreateTime
  }
})

/** What was read without a claim to it. */
interface Readable {
  readonly manifest: Versioned<Manifest.Manifest>
  readonly log: Log
}

/** Reads what there is while the store is probed; only a store that passed gets a first manifest. */
const readAll = Effect.fnUntraced(function* (options: Options): Effect.fn.Return<Readable, DbError.DbError> {
  const { manifests, paths, store, ulids } = options
  const existing = Effect.gen(function* () {
    const latest = yield* manifests.latest
    return latest === undefined ? undefined : yield* readLog(options, latest)
  })
  const [found] = yield* Effect.all([existing, StoreProbe.probeOnce(store, paths, ulids)], { concurrency: 2 })
  return found ?? (yield* readLog(options, yield* createFirst(manifests)))
})

/** Replays all there is; from a newer manifest, should one cover what has gone missing. */
const readLog = Effect.fnUntraced(function* (
  options: Options,
  manifest: Versioned<Manifest.Manifest>
): Effect.fn.Return<Readable, DbError.DbError> {
  const { lastL0Sequence } = yield* Effect.fromResult(usable(options, manifest.value))
  const lastWalId = yield* newestWalId(options, manifest.value)
  const log = replay(options, nothingReplayed(options, manifest.value), { lastWalId, skipThrough: lastL0Sequence })
  return yield* Effect.matchEffect(log, {
    onSuccess: (log) => Effect.succeed({ manifest, log }),
    onFailure: (error) =>
      Effect.flatMap(options.manifests.refresh(manifest), (found) =>
        found.id === manifest.id ? Effect.fail(error) : readLog(options, found)
      )
  })
})

/** The last WAL object of other writers, and whether our fence is behind it. */
interface TakenLog {
  readonly lastWalId: number
  readonly fences: 0 | 1
}

/**
 * Makes the log ours: fences at the next free id.
 *
 * Without a WAL there is nothing to fence, unless an older writer has one and would go on with it.
 */
const takeLog = Effect.fnUntraced(function* (
  options: Options,
  claimed: Versioned<Manifest.Manifest>
): Effect.fn.Return<TakenLog, DbError.DbError> {
  const { manifests, settings, ulids, wals } = options
  const newest = yield* newestWalId(options, claimed.value)
  if (!settings.walEnabled && newest === 0) return { lastWalId: newest, fences: 0 }
  let fence = newest + 1
  while (!(yield* wals.fence(fence, ulids.next()))) {
    // Another writer is there: an older one at work, or a younger one that fenced us.
    yield* Effect.flatMap(manifests.refresh(claimed), (found) => refuseFenced(claimed, found))
    fence++
  }
  return { lastWalId: fence - 1, fences: 1 }
})

/** What was replayed so far. Newest generation first, as in the state. */
interface Log {
  readonly open: Generation
  readonly sealed: ReadonlyArray<SealedGeneration>
  /** WAL objects whose rows are in the open generation. */
  readonly replayedWals: number
  readonly lastWalId: number
  readonly lastSequence: Sequence
  readonly lastCreateTime: number
}

const nothingReplayed = (options: Options, manifest: Manifest.Manifest): Log => ({
  open: options.newGeneration(),
  sealed: [],
  replayedWals: 0,
  lastWalId: manifest.replayAfterWalId,
  lastSequence: manifest.lastL0Sequence,
  lastCreateTime: manifest.lastL0ClockTick ?? -Infinity
})

/** Goes on with a replay; `log` is not to be used afterwards, as its open generation grows. */
const replay = Effect.fnUntraced(function* (
  options: Options,
  log: Log,
  { lastWalId, skipThrough }: { readonly lastWalId: number; readonly skipThrough: Sequence }
): Effect.fn.Return<Log, DbError.DbError> {
  const { settings } = options
  let { lastCreateTime, open, replayedWals, sealed } = log
  const seal = (lastWalId: number) => {
    const { greatestCreateTime, lastSequence } = open
    open.seal()
    const commitPoints = [{ sequence: lastSequence, seconds: Math.max(0, Math.floor(greatestCreateTime / 1000)) }]
    sealed = [{ generation: open, lastWalId, commitPoints }, ...sealed]
    open = options.newGeneration()
    replayedWals = 0
  }
  const lastSequence = yield* Replay.run({
    ...options,
    from: log.lastWalId + 1,
    to: lastWalId,
    fetchesMax: settings.replayFetchesMax,
    skipThrough,
    lastSequence: log.lastSequence,
    onRow: (row) => {
      open.append(
        row.key,
        row.keyStart,
        row.keyEnd,
        row.value,
        row.valueStart,
        row.valueEnd,
        row.sequence,
        row.kind,
        row.createTime,
        row.expireTime
      )
      if (row.createTime > lastCreateTime) lastCreateTime = row.createTime
    },
    onWal: (id) => {
      replayedWals++
      const isFull = open.logicalBytes >= settings.l0SstSizeBytes
      if ((isFull || replayedWals >= settings.walFilesPerMemtableMax) && open.rowCount > 0) seal(id)
    }
  })
  return { open, sealed, replayedWals, lastWalId, lastSequence, lastCreateTime }
})

/** Refuses a database that this engine, with the codecs at hand, cannot write to or read. */
const usable = (
  { compression, paths }: Options,
  manifest: Manifest.Manifest
): Result.Result<Manifest.Manifest, DbError.DbError> =>
  Result.flatMap(ManifestStore.writable(manifest, paths.root), () => {
    const tables = [...manifest.l0, ...manifest.runs.flatMap((run) => run.tables)]
    const lacking = tables.find(({ info }) => compression.codecs[info.compression] === undefined)
    return lacking === undefined
      ? Result.succeed(manifest)
      : Result.fail(StoreFailure.missingCodec(lacking.info.compression))
  })

/** Manifest 1, unless somebody creates it first. */
const createFirst = Effect.fnUntraced(function* (manifests: ManifestStore.ManifestStore) {
  const created = yield* manifests.createFirst(Manifest.empty)
  const first: Versioned<Manifest.Manifest> = { id: 1, value: Manifest.empty }
  return created ? first : ((yield* manifests.latest) ?? first)
})

/** The greatest WAL id in use: of the listing, or what the manifest covers. */
const newestWalId = ({ wals }: Options, manifest: Manifest.Manifest) =>
  Effect.map(wals.idsAfter(manifest.replayAfterWalId), (ids) => ids[ids.length - 1] ?? manifest.replayAfterWalId)

const refuseFenced = (ours: Versioned<Manifest.Manifest>, found: Versioned<Manifest.Manifest>) =>
  found.value.writerEpoch > ours.value.writerEpoch
    ? Effect.fail(
        DbError.fail(
          new DbError.Closed({
            kind: "fenced",
            detail: `another writer opened this database meanwhile: our epoch=${ours.value.writerEpoch} theirs=${found.value.writerEpoch}`
          })
        )
      )
    : Effect.void
