/**
 * The database as it lies in the store, without writing to it: the latest manifest,
 * and the WAL objects after it.
 *
 *     manifest n ──> level 0, runs
 *     wal/ replayAfterWalId + 1 .. newest ──> one generation
 *
 * A refresh reads what is new: later WAL objects are added to the generation, a
 * later manifest starts a new one. All that a reader sees is durable.
 *
 * A collector may take a WAL object away between the listing and the read. Then a
 * newer manifest covers it: the refresh begins again. Without a newer manifest the
 * object is really missing.
 */
import * as Effect from "effect/Effect"
import type { Compression } from "../../Compression.ts"
import * as DbError from "../../DbError.ts"
import type { DbState } from "../lsm/DbState.ts"
import type { Generation } from "../lsm/Generation.ts"
import type { Manifest } from "../model/Manifest.ts"
import type { Sequence } from "../model/Sequence.ts"
import type { ManifestStore } from "../store/ManifestStore.ts"
import type { ObjectPaths } from "../store/ObjectPaths.ts"
import type { Versioned } from "../store/SequencedObject.ts"
import type { TurnMeter } from "../store/TurnMeter.ts"
import type { WalStore } from "../store/WalStore.ts"
import * as Replay from "../store/Replay.ts"

export interface Options {
  readonly manifests: ManifestStore
  readonly wals: WalStore
  readonly paths: ObjectPaths
  readonly compression: Compression
  readonly fetchesMax: number
  readonly newGeneration: () => Generation
  readonly turns: TurnMeter
  /** Refuses a manifest that cannot be read. */
  readonly check: (manifest: Manifest) => Effect.Effect<Manifest, DbError.DbError>
}

export interface LatestView {
  readonly state: DbState
  readonly lastSequence: Sequence
  /** The newest WAL object that was read. */
  readonly lastWalId: number
}

/** Reads the database from the start. */
export const load = Effect.fnUntraced(function* (options: Options): Effect.fn.Return<LatestView, DbError.DbError> {
  const manifest = yield* options.manifests.latest
  if (manifest === undefined) {
    return yield* DbError.fail(
      new DbError.Invalid({
        field: "path",
        detail: `there is no database at path=${options.paths.root}; a reader does not create one`
      })
    )
  }
  return yield* replayAfter(options, manifest)
})

/** Reads what is new since `known`. */
export const refresh = Effect.fnUntraced(function* (
  options: Options,
  known: LatestView
): Effect.fn.Return<LatestView, DbError.DbError> {
  const { id, manifest } = known.state.current
  const found = yield* options.manifests.refresh({ id, value: manifest })
  // A refresh that failed half way left rows in the generation that are not known to be there.
  const isTorn = known.state.open.lastSequence > known.lastSequence
  if (found.id !== id || isTorn) return yield* replayAfter(options, found)
  return yield* addWals(options, known).pipe(retryCollected(options, found))
})

const replayAfter = (options: Options, manifest: Versioned<Manifest>): Effect.Effect<LatestView, DbError.DbError> =>
  Effect.flatMap(options.check(manifest.value), () =>
    addWals(options, {
      state: { open: options.newGeneration(), sealed: [], current: { id: manifest.id, manifest: manifest.value } },
      lastSequence: manifest.value.lastL0Sequence,
      lastWalId: manifest.value.replayAfterWalId
    }).pipe(retryCollected(options, manifest))
  )

/** Starts again from a newer manifest, if there is one, when WAL objects went missing. */
const retryCollected =
  (options: Options, manifest: Versioned<Manifest>) =>
  (attempt: Effect.Effect<LatestView, DbError.DbError>): Effect.Effect<LatestView, DbError.DbError> =>
    Effect.catch(attempt, (error) =>
      error.reason._tag !== "Corrupt"
        ? Effect.fail(error)
        : Effect.flatMap(options.manifests.refresh(manifest), (found) =>
            found.id === manifest.id ? Effect.fail(error) : replayAfter(options, found)
          )
    )

const addWals = Effect.fnUntraced(function* (options: Options, known: LatestView) {
  const ids = yield* options.wals.idsAfter(known.lastWalId)
  const lastWalId = ids[ids.length - 1] ?? known.lastWalId
  const { open } = known.state
  const lastSequence = yield* Replay.run({
    ...options,
    from: known.lastWalId + 1,
    to: lastWalId,
    skipThrough: known.state.current.manifest.lastL0Sequence,
    lastSequence: known.lastSequence,
    onRow: (row) =>
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
      ),
    onWal: () => {}
  })
  return { ...known, lastSequence, lastWalId }
})
