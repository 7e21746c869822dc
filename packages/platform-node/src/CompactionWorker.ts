/**
 * Compaction in worker threads: the event loop of the program has nothing to do with it
 * but to keep the registers.
 *
 * The program says how a thread is spawned; the module that it runs says what it works
 * with: the same store and merge operator as the program has.
 *
 *     program                                        worker module, in threads
 *     Db.layer, with CompactionWorker.layer ──jobs──> CompactionWorker.run(store layer)
 *                                                        └──> tables in the store
 *
 * A store in memory is another one in each thread, so it cannot be shared that way.
 *
 * **Example** (A worker module)
 *
 * ```ts
 * import { CompactionWorker, NodeCompression } from "@effect-slatedb/platform-node"
 * import { FileObjectStore } from "@effect-slatedb/store-fs"
 * import * as NodeServices from "@effect/platform-node/NodeServices"
 * import * as Layer from "effect/Layer"
 *
 * const store = FileObjectStore.layer({ root: "./data" }).pipe(Layer.provide(NodeServices.layer))
 * CompactionWorker.run(Layer.merge(store, NodeCompression.layer))
 * ```
 *
 * **Example** (A database that has it compact)
 *
 * ```ts
 * import * as Db from "@effect-slatedb/core/Db"
 * import { CompactionWorker } from "@effect-slatedb/platform-node"
 * import { FileObjectStore } from "@effect-slatedb/store-fs"
 * import * as NodeServices from "@effect/platform-node/NodeServices"
 * import * as Layer from "effect/Layer"
 * import { Worker } from "node:worker_threads"
 *
 * const spawn = () => new Worker(new URL("./compaction-worker.js", import.meta.url))
 *
 * const database = Db.layer({ path: "inventory" }).pipe(
 *   Layer.provide(CompactionWorker.layer({ spawn })),
 *   Layer.provide(FileObjectStore.layer({ root: "./data" })),
 *   Layer.provide(NodeServices.layer)
 * )
 * ```
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as Compactor from "@effect-slatedb/core/Compactor"
import * as DbError from "@effect-slatedb/core/DbError"
import type { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeWorker from "@effect/platform-node/NodeWorker"
import * as NodeWorkerRunner from "@effect/platform-node/NodeWorkerRunner"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcClient from "effect/rpc/RpcClient"
import type { RpcClientError } from "effect/rpc/RpcClientError"
import * as RpcGroup from "effect/rpc/RpcGroup"
import * as RpcServer from "effect/rpc/RpcServer"
import * as Stream from "effect/Stream"
import type { WorkerError } from "effect/workers/WorkerError"
import type { Worker } from "node:worker_threads"

const Requests = RpcGroup.make(
  Rpc.make("Compact", { payload: Compactor.Job, success: Compactor.Event, error: Compactor.Failure, stream: true })
)

/**
 * Has the compactors of a program work in threads whose module calls {@link run}.
 *
 * **Details**
 *
 * A job has a thread to itself. There are `threads` of them, one by default, from the first job on until the layer is
 * released; more jobs at once wait for one that is free, so `settings.maxConcurrentCompactions` above it gains nothing.
 *
 * A thread that dies is started again; its jobs go on behind the outputs that were told.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: {
  readonly spawn: () => Worker
  readonly threads?: number | undefined
}): Layer.Layer<never, WorkerError> =>
  Layer.effect(Compactor.Executor, executor).pipe(
    Layer.provide(RpcClient.layerProtocolWorker({ size: options.threads ?? 1 })),
    Layer.provide(NodeWorker.layer(options.spawn))
  )

const executor = Effect.map(
  RpcClient.make(Requests),
  (client): Compactor.Executor =>
    (job) =>
      Stream.mapError(client.Compact(job), (error) => unavailable(error, job.path))
)

/** A thread that is gone is as a store that does not answer: the job goes on later. */
const unavailable = (error: DbError.DbError | RpcClientError, path: string): DbError.DbError =>
  DbError.isDbError(error)
    ? error
    : DbError.fail(new DbError.Unavailable({ operation: "compact in a worker thread", path, cause: error }))

/**
 * What a worker module does: takes jobs and carries them out, with this store, until its thread ends.
 *
 * **Details**
 *
 * Provide `NodeCompression.layer` and a `MergeOperator` as the program does. Without the operator, operands are kept.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const run = <E>(environment: Layer.Layer<ObjectStore, E>): void =>
  RpcServer.layer(Requests).pipe(
    Layer.provide(handlers),
    Layer.provide(environment),
    Layer.provide(RpcServer.layerProtocolWorkerRunner),
    Layer.provide(NodeWorkerRunner.layer),
    Layer.launch,
    NodeRuntime.runMain
  )

const handlers: Layer.Layer<Rpc.ToHandler<RpcGroup.Rpcs<typeof Requests>>, never, ObjectStore> = Requests.toLayer(
  Effect.map(Effect.context<ObjectStore>(), (context) => ({
    Compact: (job) => Stream.provideContext(Compactor.execute(job), context)
  }))
)
