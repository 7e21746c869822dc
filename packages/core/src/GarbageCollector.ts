/**
 * Deletes the objects that nobody needs any more: manifests that others took the
 * place of, WAL objects whose rows are in tables, tables that were compacted or never
 * named, old registers of the compactor, and checkpoints that have expired.
 *
 * A database that is open for writing has a collector of its own
 * (`settings.collectorEnabled`). This module is for another process: one pass, or a
 * collector that runs beside the database. Any number may run at once, beside the
 * official engine's, too.
 *
 * An object goes when no manifest that is the latest or pinned by a checkpoint names
 * it, nobody can be about to name it, and the store says that it was modified longer
 * ago than the least age.
 *
 * **Fences** stay unless they are asked for. They are small objects in the log, one for
 * each time the database was opened, into which a writer runs that slept through
 * the opening of its successor. Our own writers do without, as they keep a lease;
 * those of SlateDB do not.
 *
 * **Example** (Seeing what would be deleted)
 *
 * ```ts
 * import * as GarbageCollector from "@effect-slatedb/core/GarbageCollector"
 * import * as Effect from "effect/Effect"
 *
 * const garbage = Effect.gen(function* () {
 *   const { objects } = yield* GarbageCollector.collect({ path: "inventory", dryRun: true })
 *   return objects.map(({ path, why }) => `${path}: ${why}`)
 * })
 * ```
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as DbError from "./DbError.ts"
import * as Garbage from "./internal/model/Garbage.ts"
import * as CompactionsStore from "./internal/store/CompactionsStore.ts"
import * as ManifestStore from "./internal/store/ManifestStore.ts"
import * as ObjectPaths from "./internal/store/ObjectPaths.ts"
import { StoreClock } from "./internal/store/StoreClock.ts"
import { TurnMeter } from "./internal/store/TurnMeter.ts"
import * as UlidSource from "./internal/store/UlidSource.ts"
import * as CollectionPass from "./internal/task/CollectionPass.ts"
import * as GarbageCollectorTask from "./internal/task/GarbageCollectorTask.ts"
import { Lifecycle } from "./internal/task/Lifecycle.ts"
import { ObjectStore } from "./ObjectStore.ts"
import * as Settings from "./Settings.ts"

/**
 * What can be collected.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Kind = Garbage.Kind

/**
 * Every kind there is.
 *
 * @stability unstable
 * @category constants
 * @since 0.1.0
 */
export const kinds: ReadonlyArray<Kind> = Garbage.kinds

/**
 * What is collected where nothing is said: all but fences.
 *
 * @stability unstable
 * @category constants
 * @since 0.1.0
 */
export const defaultKinds: ReadonlyArray<Kind> = Garbage.defaultKinds

/**
 * An object that was deleted, or would have been, and why.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Collected = Garbage.Collected

/**
 * What one pass did, or would have done: the checkpoints it removed, by id, and the
 * objects it deleted.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Report = CollectionPass.Report

/**
 * What to collect.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Where in the store the database lives. */
  readonly path: string
  /** Default: {@link defaultKinds}. */
  readonly kinds?: ReadonlyArray<Kind> | undefined
  /** What was modified more recently stays. At least three times `leaseDuration`. Default 300 s. */
  readonly minAge?: Settings.Input["collectorMinAge"]
  /** The lease of the database's writer, `settings.leaseDuration`. Default 60 s. */
  readonly leaseDuration?: Settings.Input["leaseDuration"]
}

/**
 * A collector. Between its passes it remembers how time went by, so that a clock that
 * jumps meanwhile makes nothing old.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface GarbageCollector {
  /**
   * Collects once. A dry run writes and deletes nothing. Fails with `Invalid` where there is no database, with
   * `Unsupported` for one that this engine cannot write to, `Corrupt` for damaged registers, and
   * `Unavailable` when the store does not answer: then less was deleted, and another pass finds the rest.
   */
  readonly collect: (options?: { readonly dryRun?: boolean | undefined }) => Effect.Effect<Report, DbError.DbError>
}

/**
 * A collector of the database at `path`. Nothing is read yet. Fails with `Invalid` when
 * the least age is too small.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fn("GarbageCollector.make")(function* (
  options: Options
): Effect.fn.Return<GarbageCollector, DbError.DbError, ObjectStore> {
  const pass = yield* prepare(options)
  return {
    collect: Effect.fn("GarbageCollector.collect")((how) => pass(how?.dryRun ?? false, () => {}))
  }
})

/**
 * Collects once, as {@link GarbageCollector} does.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const collect = (
  options: Options & { readonly dryRun?: boolean | undefined }
): Effect.Effect<Report, DbError.DbError, ObjectStore> =>
  Effect.flatMap(make(options), (collector) => collector.collect(options))

/**
 * Collects for as long as the layer is there, every `interval` (default 10 minutes), for
 * the first time after the first one. A pass that fails is logged as a warning, and the
 * next one comes in its time.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options & { readonly interval?: Settings.Input["collectorInterval"] }
): Layer.Layer<never, DbError.DbError, ObjectStore> =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const { collectorInterval } = yield* Effect.fromResult(
        Settings.fromInput({ collectorInterval: options.interval })
      )
      const pass = yield* prepare(options)
      yield* GarbageCollectorTask.make({
        lifecycle: new Lifecycle(),
        interval: collectorInterval,
        collect: (onDeleted) => pass(false, onDeleted)
      })
    })
  )

const prepare = Effect.fnUntraced(function* (options: Options) {
  const minAge = yield* Effect.fromResult(checkedAge(options))
  const paths = yield* Effect.fromResult(ObjectPaths.checked(options.path))
  const store = yield* ObjectStore
  const clock = yield* Clock.Clock
  const ulids = yield* UlidSource.make
  const ground: CollectionPass.Options = {
    store,
    paths,
    ulids,
    clock,
    turns: new TurnMeter(clock),
    manifests: ManifestStore.make(store, paths, ulids),
    compactions: CompactionsStore.make(store, paths, ulids),
    storeClock: new StoreClock(),
    held: () => []
  }
  const kinds = new Set(options.kinds ?? defaultKinds)
  return (isDryRun: boolean, onDeleted: (object: Collected) => void) =>
    CollectionPass.run(ground, { kinds, minAgeMillis: Duration.toMillis(minAge), isDryRun }, onDeleted)
})

/** Checked as the settings of a database are, and refused in the words of these options. */
const checkedAge = ({ leaseDuration, minAge }: Options): Result.Result<Duration.Duration, DbError.DbError> =>
  Settings.fromInput({ collectorMinAge: minAge, leaseDuration }).pipe(
    Result.map(({ collectorMinAge }) => collectorMinAge),
    Result.mapError((error) => {
      const { reason } = error
      if (reason._tag !== "Invalid") return error
      const [field, detail] = [reason.field.replace("settings.", ""), reason.detail].map((text) =>
        text.replace("collectorMinAge", "minAge")
      )
      return DbError.fail(new DbError.Invalid({ field: field ?? "", detail: detail ?? "" }))
    })
  )
