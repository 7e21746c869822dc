/**
 * How a writer takes a database over.
 *
 *     probe the store ─> latest manifest, or the first one ─> claim the writer epoch
 *       ─> fence: an empty WAL object at the next free id
 *       ─> replay the WAL objects below it into generations
 *
 * The order is the safety (L10). After the claim no older writer can commit a
 * manifest; after the fence none can store a WAL object, as its next one collides.
 * The log is listed after the claim, so what an older writer flushed and collected
 * before is known, and every object up to the fence is there to be replayed.
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
import * as StoreProbe from "../store/StoreProbe.ts"
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
  /** WAL objects whose rows are in the open generation. */
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
}

export const open = Effect.fnUntraced(function* (options: Options): Effect.fn.Return<Opened, DbError.DbError> {
  const { manifests, paths, settings, store, ulids } = options
  const clock = yield* Clock.Clock
  yield* StoreProbe.probeOnce(store, paths, ulids)
  const latest = (yield* manifests.latest) ?? (yield* createFirst(manifests))
  yield* Effect.fromResult(ManifestStore.writable(latest.value, paths.root))
  const leaseStart = now(clock)
  const manifest = yield* manifests
    .update(latest, (manifest) => Result.map(ManifestStore.writable(manifest, paths.root), ManifestStep.claimWriter))
    .pipe(
      Effect.timeoutOrElse({
        duration: settings.manifestUpdateTimeout,
        orElse: () =>
          Effect.fail(DbError.fail(new DbError.Unavailable({ operation: "claim the writer epoch", path: paths.root })))
      })
    )
  return yield* settings.walEnabled
    ? openWithWal(options, manifest, leaseStart)
    : replay(options, manifest, leaseStart, yield* newestWalId(options, manifest.value))
})

/** Fences at the next free id, then replays everything below it. */
const openWithWal = Effect.fnUntraced(function* (
  options: Options,
  claimed: Versioned<Manifest.Manifest>,
  leaseStart: Instant
) {
  const { manifests, ulids, wals } = options
  let fence = (yield* newestWalId(options, claimed.value)) + 1
  while (!(yield* wals.fence(fence, ulids.next()))) {
    // Another writer is there: an older one at work, or a younger one that fenced us.
    yield* Effect.flatMap(manifests.refresh(claimed), (found) => refuseFenced(claimed, found))
    fence++
  }
  return yield* replay(options, claimed, leaseStart, fence)
})

const replay = Effect.fnUntraced(function* (
  options: Options,
  manifest: Versioned<Manifest.Manifest>,
  leaseStart: Instant,
  lastWalId: number
): Effect.fn.Return<Opened, DbError.DbError> {
  const { settings } = options
  const { lastL0ClockTick, lastL0Sequence, replayAfterWalId } = manifest.value
  let generation = options.newGeneration()
  let sealed: ReadonlyArray<SealedGeneration> = []
  let replayedWals = 0
  let lastCreateTime = lastL0ClockTick ?? -Infinity
  const seal = (lastWalId: number) => {
    const { greatestCreateTime, lastSequence } = generation
    generation.seal()
    const commitPoints = [{ sequence: lastSequence, seconds: Math.max(0, Math.floor(greatestCreateTime / 1000)) }]
    sealed = [{ generation, lastWalId, commitPoints }, ...sealed]
    generation = options.newGeneration()
    replayedWals = 0
  }
  const lastSequence = yield* Replay.run({
    ...options,
    from: replayAfterWalId + 1,
    to: lastWalId,
    fetchesMax: settings.replayFetchesMax,
    skipThrough: lastL0Sequence,
    onRow: (row) => {
      generation.append(
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
      const isFull = generation.logicalBytes >= settings.l0SstSizeBytes
      if ((isFull || replayedWals >= settings.walFilesPerMemtableMax) && generation.rowCount > 0) seal(id)
    }
  })
  return {
    state: { open: generation, sealed, current: { id: manifest.id, manifest: manifest.value } },
    lastSequence,
    manifest,
    leaseStart,
    nextWalId: lastWalId + 1,
    replayedWals,
    lastCreateTime
  }
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
