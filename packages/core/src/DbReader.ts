/**
 * A database, open for reading only.
 *
 * A reader takes the latest manifest and the WAL objects after it, and shows that
 * moment until it is refreshed. It writes nothing and fences nobody, so it may run
 * beside a live writer, in this process or in another, of this engine or of the
 * official one. Everything it sees is durable, so both read levels are the same.
 *
 * **Gotchas**
 *
 * A reader that is not refreshed for longer than a collector's least age may meet
 * tables that are gone: then reads fail with `Corrupt`, and a refresh helps.
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Semaphore from "effect/Semaphore"
import { BlockCache } from "./BlockCache.ts"
import { Compression } from "./Compression.ts"
import type { Db } from "./Db.ts"
import type * as DbError from "./DbError.ts"
import { Generation } from "./internal/lsm/Generation.ts"
import * as LatestView from "./internal/read/LatestView.ts"
import * as Reads from "./internal/read/Reads.ts"
import { type ReadView, TablesOfManifest } from "./internal/read/ReadView.ts"
import * as ManifestStore from "./internal/store/ManifestStore.ts"
import * as ObjectPaths from "./internal/store/ObjectPaths.ts"
import * as TableStore from "./internal/store/TableStore.ts"
import { TurnMeter } from "./internal/store/TurnMeter.ts"
import * as UlidSource from "./internal/store/UlidSource.ts"
import * as WalStore from "./internal/store/WalStore.ts"
import { MergeOperator } from "./MergeOperator.ts"
import { ObjectStore } from "./ObjectStore.ts"
import * as Settings from "./Settings.ts"

/**
 * Which moment a reader shows.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Status {
  readonly manifestId: number
  readonly writerEpoch: number
  /** The newest WAL object that was read. */
  readonly lastWalId: number
  /** The greatest sequence number seen. */
  readonly lastSequence: number
  readonly l0Tables: number
  readonly sortedRuns: number
}

/**
 * A database, open for reading only. The methods are those of `Db`.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export class DbReader extends Context.Service<
  DbReader,
  Pick<Db["Service"], "get" | "getOption" | "getMany" | "getUnsafe" | "getRange" | "scan"> & {
    /** Moves on to the latest durable state. */
    readonly refresh: Effect.Effect<void, DbError.DbError>
    readonly status: Effect.Effect<Status>
  }
>()("@effect-slatedb/core/DbReader") {}

/**
 * How to open a reader.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Where in the store the database lives. */
  readonly path: string
  /** Only `hideExpired` and `replayFetchesMax` matter to a reader. */
  readonly settings?: Settings.Input | undefined
}

/**
 * Opens a reader at the latest durable state.
 *
 * **Details**
 *
 * Fails with `Invalid` where there is no database, or an unfinished clone; with
 * `Unsupported` for newer bytes or a missing codec, `Corrupt` for damaged data, and
 * `Unavailable` when the store does not answer.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fn("DbReader.make")(function* (
  options: Options
): Effect.fn.Return<DbReader["Service"], DbError.DbError, ObjectStore> {
  const settings = yield* Effect.fromResult(Settings.fromInput(options.settings))
  const paths = yield* Effect.fromResult(ObjectPaths.checked(options.path))
  const store = yield* ObjectStore
  const compression = yield* Compression
  const random = yield* Random.Random
  const clock = yield* Clock.Clock
  const turns = new TurnMeter(clock)
  const latest: LatestView.Options = {
    manifests: ManifestStore.make(store, paths, yield* UlidSource.make),
    wals: WalStore.make(store, paths),
    paths,
    compression,
    turns,
    fetchesMax: settings.replayFetchesMax,
    newGeneration: () => Generation.make({ hashSeed: Math.floor(random.nextDoubleUnsafe() * Number.MAX_SAFE_INTEGER) }),
    check: (manifest) => Effect.fromResult(ManifestStore.readable(manifest, paths.root))
  }
  const tables = new TablesOfManifest(TableStore.make({ store, paths, compression, cache: yield* BlockCache, turns }))
  let shown = yield* LatestView.load(latest)
  const view = (): ReadView => ({
    state: shown.state,
    tables: tables.of(shown.state.current.manifest),
    maxSequence: shown.lastSequence
  })
  const oneAtATime = Semaphore.makeUnsafe(1)
  return {
    ...Reads.make({
      refusal: () => undefined,
      view,
      // The writer knows no pin of ours: a later state may lack what this one shows.
      hold: () => {
        const held = view()
        return { view: () => held, release: () => {} }
      },
      merge: yield* MergeOperator,
      hideExpired: settings.hideExpired,
      clock,
      turns
    }),
    refresh: oneAtATime.withPermit(
      Effect.map(
        Effect.suspend(() => LatestView.refresh(latest, shown)),
        (found) => {
          shown = found
        }
      )
    ),
    status: Effect.sync(() => {
      const { id, manifest } = shown.state.current
      return {
        manifestId: id,
        writerEpoch: manifest.writerEpoch,
        lastWalId: shown.lastWalId,
        lastSequence: shown.lastSequence,
        l0Tables: manifest.l0.length,
        sortedRuns: manifest.runs.length
      }
    })
  }
})

/**
 * Provides a reader.
 *
 * @see {@link make} for how opening fails
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<DbReader, DbError.DbError, ObjectStore> =>
  Layer.effect(DbReader, make(options))
