/**
 * Compacts a database from outside: in a process of its own, beside its writer.
 *
 * A database that is open for writing compacts itself
 * (`settings.compactorEnabled`). This module is for those who want the writer's
 * process to have nothing to do with it, and for tools. A compactor takes the role
 * from whoever has it, of this engine or of the official one; a database's own gives
 * up the role for good then. What one of them began, the next one finishes.
 *
 * **Example** (Compacting until there is nothing left to compact)
 *
 * ```ts
 * import * as CompactionPolicy from "@effect-slatedb/core/CompactionPolicy"
 * import * as Compactor from "@effect-slatedb/core/Compactor"
 * import * as Effect from "effect/Effect"
 *
 * const compacted = Effect.scoped(
 *   Effect.gen(function* () {
 *     const compactor = yield* Compactor.make({ path: "inventory" })
 *     yield* compactor.untilIdle
 *     return yield* compactor.status
 *   })
 * ).pipe(Effect.provideService(CompactionPolicy.CompactionPolicy, CompactionPolicy.full))
 * ```
 *
 * Where jobs are carried out is another question: on this event loop, or by an
 * `Executor` in another thread (`CompactionWorker` of `@effect-slatedb/platform-node`).
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import { BlockCache } from "./BlockCache.ts"
import { type CompactionPlan, CompactionPolicy } from "./CompactionPolicy.ts"
import { Compression } from "./Compression.ts"
import * as DbError from "./DbError.ts"
import * as CompactionStep from "./internal/lsm/CompactionStep.ts"
import type * as Compactions_ from "./internal/model/Compactions.ts"
import * as CompactionsStore from "./internal/store/CompactionsStore.ts"
import * as ManifestStore from "./internal/store/ManifestStore.ts"
import * as ObjectPaths from "./internal/store/ObjectPaths.ts"
import * as TableWriters from "./internal/store/TableWriters.ts"
import { TurnMeter } from "./internal/store/TurnMeter.ts"
import * as UlidSource from "./internal/store/UlidSource.ts"
import * as Compacting from "./internal/task/Compacting.ts"
import * as CompactionJob from "./internal/task/CompactionJob.ts"
import type * as CompactorLedger from "./internal/task/CompactorLedger.ts"
import { Lifecycle } from "./internal/task/Lifecycle.ts"
import { MergeOperator } from "./MergeOperator.ts"
import { ObjectStore } from "./ObjectStore.ts"
import * as Settings from "./Settings.ts"

export type { CompactionPlan } from "./CompactionPolicy.ts"
export { Event, execute, Executor, Failure, Job } from "./internal/task/CompactionJob.ts"

/**
 * A job that a compactor is carrying out.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Progress = CompactorLedger.Progress

/**
 * A job as the database's compactions file has it: active, or the last one that ended.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Compaction = Compactions_.Compaction

/**
 * What a compactor is doing, and what it did since it was made.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Status {
  readonly state: "open" | "closing" | "closed"
  /** Why it closed. */
  readonly closed: DbError.Closed | undefined
  /** The epoch under which it compacts: a compactor with a greater one fences it. */
  readonly epoch: number | undefined
  readonly running: ReadonlyArray<Progress>
  readonly completed: number
  readonly failed: number
  /** Bytes of the tables that its completed jobs wrote. */
  readonly bytesCompacted: number
  /** Store requests that failed and were tried again. */
  readonly retries: number
  readonly lastRetry: string | undefined
  /** The longest that it worked between two turns of the event loop. */
  readonly longestTurnMillis: number
  /** What it did then. */
  readonly longestTurnPlace: string | undefined
  /** Conditions that need attention, in plain words. */
  readonly warnings: ReadonlyArray<string>
}

/**
 * A compactor at work. When another one takes over, all calls fail with `Closed`,
 * kind `fenced`.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export class Compactor extends Context.Service<
  Compactor,
  {
    /** What it is doing. Costs nothing; works also after it has closed. */
    readonly status: Effect.Effect<Status>
    /**
     * Waits until the policy plans nothing more and no job is active, looking for work at once and after each job. Fails as
     * soon as a job fails, with its error.
     */
    readonly untilIdle: Effect.Effect<void, DbError.DbError>
    /**
     * Carries a plan out, whatever the policy says, and waits for its end. Fails with `Invalid` where it names what is
     * not there, or would break the order of versions. Who is interrupted takes nothing back.
     */
    readonly compact: (plan: CompactionPlan) => Effect.Effect<void, DbError.DbError>
    /** Waits for as long as it compacts: fails with why it ended. */
    readonly closed: Effect.Effect<never, DbError.DbError>
  }
>()("@effect-slatedb/core/Compactor") {}

/**
 * Which database to compact, and how.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Where in the store the database lives. */
  readonly path: string
  /**
   * Of these, `compactorPollInterval`, `maxConcurrentCompactions` and `maxSstSizeBytes` matter, `manifestUpdateTimeout`,
   * and how tables are written: `compression`, `blockSizeBytes`, `minFilterKeys`, `filterBitsPerKey`.
   */
  readonly settings?: Settings.Input | undefined
}

/**
 * Takes the role of compactor, and compacts until the scope ends: then running jobs are
 * interrupted, and the next compactor goes on with them.
 *
 * **Details**
 *
 * What is compacted is for the `CompactionPolicy` of the context to say. A database
 * whose values are merged needs its `MergeOperator`: without one, operands are kept.
 *
 * Fails with `Invalid` where there is no database, for a wrong path or setting, with
 * `Unsupported` for a database, or a compactions file, that this engine must not
 * write to, `Corrupt` for damaged registers, and `Unavailable` when the store does not
 * answer for `settings.manifestUpdateTimeout`.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fn("Compactor.make")(function* (
  options: Options
): Effect.fn.Return<Compactor["Service"], DbError.DbError, ObjectStore | Scope.Scope> {
  const ground = yield* prepare(options)
  const { paths, settings, turns } = ground
  const lifecycle = new Lifecycle()
  const manifest = yield* existing(ground.manifests, paths.root)
  const scope = yield* Scope.make()
  // The reason first: work that is interrupted would take itself for the one.
  yield* Effect.addFinalizer((exit) => {
    lifecycle.close(new DbError.Closed({ kind: "clean", detail: "the compactor was closed" }))
    return Scope.close(scope, exit)
  })
  const compactor = yield* Compacting.start(ground, {
    lifecycle,
    manifest,
    isEager: true,
    onCommitted: Effect.void,
    onFenced: ({ message, reason }) =>
      lifecycle.close(reason._tag === "Closed" ? reason : new DbError.Closed({ kind: "failed", detail: message }))
  }).pipe(
    Effect.provideService(Scope.Scope, scope),
    Effect.timeoutOrElse({
      duration: settings.manifestUpdateTimeout,
      orElse: () =>
        Effect.fail(DbError.fail(new DbError.Unavailable({ operation: "claim the compactor epoch", path: paths.root })))
    })
  )
  return {
    status: Effect.sync(() => ({
      state: lifecycle.state,
      closed: lifecycle.reason,
      epoch: compactor.epoch(),
      ...compactor.report(),
      retries: lifecycle.retries,
      lastRetry: lifecycle.lastRetry,
      longestTurnMillis: turns.longestMillis,
      longestTurnPlace: turns.longestPlace
    })),
    untilIdle: compactor.untilIdle,
    compact: Effect.fn("Compactor.compact")(compactor.compact),
    closed: Effect.andThen(
      lifecycle.closed,
      Effect.suspend(() => Effect.fail(lifecycle.error))
    )
  }
})

/**
 * Provides a compactor at work.
 *
 * @see {@link make} for what it does and how it fails
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<Compactor, DbError.DbError, ObjectStore> =>
  Layer.effect(Compactor, make(options))

/**
 * Provides a compactor whose options come from the configuration.
 *
 * **Details**
 *
 * Settings can be read with `Settings.config`.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  options: Config.Wrap<Options>
): Layer.Layer<Compactor, DbError.DbError | Config.ConfigError, ObjectStore> =>
  Layer.effect(Compactor, Effect.flatMap(Config.unwrap(options), make))

/**
 * The jobs of a database, whoever runs them: those that are active, and the last one
 * that ended. Reads only. Fails as reads of `Admin` do.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const list = Effect.fn("Compactor.list")(function* (options: {
  readonly path: string
}): Effect.fn.Return<ReadonlyArray<Compaction>, DbError.DbError, ObjectStore> {
  const { compactions, manifests, paths } = yield* registers(options.path)
  const found = yield* compactions.latest
  if (found === undefined) yield* existing(manifests, paths.root)
  return found?.value.compactions ?? []
})

/**
 * Asks whoever compacts the database to carry a plan out, and answers with the id of
 * the job: it is begun at that compactor's next poll, or by the next one that comes.
 *
 * **Details**
 *
 * Fails with `Invalid` where there is no database, or where the plan is not one that
 * could begin now; with `Unsupported` for a compactions file that this engine must not
 * write to.
 *
 * **Gotchas**
 *
 * The compactor of an open database that was never compacted before asks the store for
 * nothing until level 0 has filled up: it finds the request then.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const submit = Effect.fn("Compactor.submit")(function* (options: {
  readonly path: string
  readonly plan: CompactionPlan
}): Effect.fn.Return<string, DbError.DbError, ObjectStore> {
  const { compactions, manifests, paths, ulids } = yield* registers(options.path)
  const first = yield* compactions.latest
  const { value: manifest } = yield* existing(manifests, paths.root)
  yield* Effect.fromResult(ManifestStore.writable(manifest, paths.root))
  const empty = CompactionStep.none(manifest.compactorEpoch)
  const created = first === undefined && (yield* compactions.createFirst(empty))
  const known = first ?? (created ? undefined : yield* compactions.latest) ?? { id: 1, value: empty }
  const id = ulids.next()
  yield* compactions.update(known, (found) =>
    Result.flatMap(CompactionsStore.writable(found, paths.root), (writable) => {
      const refusal = CompactionStep.refusalOf(options.plan, writable, manifest)
      return refusal === undefined
        ? Result.succeed(CompactionStep.request(id, options.plan)(writable))
        : Result.fail(DbError.fail(new DbError.Invalid({ field: "plan", detail: refusal })))
    })
  )
  return id
})

const registers = Effect.fnUntraced(function* (path: string) {
  const paths = yield* Effect.fromResult(ObjectPaths.checked(path))
  const store = yield* ObjectStore
  const ulids = yield* UlidSource.make
  return {
    paths,
    ulids,
    manifests: ManifestStore.make(store, paths, ulids),
    compactions: CompactionsStore.make(store, paths, ulids)
  }
})

const prepare = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<Compacting.Ground, DbError.DbError, ObjectStore> {
  const settings = yield* Effect.fromResult(Settings.fromInput(options.settings))
  const { compactions, manifests, paths, ulids } = yield* registers(options.path)
  const compression = yield* Compression
  const clock = yield* Clock.Clock
  return {
    settings,
    paths,
    manifests,
    compactions,
    ulids,
    compression,
    clock,
    store: yield* ObjectStore,
    cache: yield* BlockCache,
    merge: yield* MergeOperator,
    policy: yield* CompactionPolicy,
    executor: yield* CompactionJob.Executor,
    newWriter: yield* Effect.fromResult(TableWriters.make(settings, compression)),
    turns: new TurnMeter(clock)
  }
})

const existing = Effect.fnUntraced(function* (manifests: ManifestStore.ManifestStore, root: string) {
  const found = yield* manifests.latest
  if (found !== undefined) return found
  return yield* DbError.fail(
    new DbError.Invalid({
      field: "path",
      detail: `there is no database at path=${root}; a compactor does not create one`
    })
  )
})
