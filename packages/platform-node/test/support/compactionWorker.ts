/**
 * A worker module for tests: a store of files that writes down which thread stored which
 * table, and in which a thread may die.
 */
import { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import { CompactionWorker, NodeCompression } from "@effect-slatedb/platform-node"
import { FileObjectStore } from "@effect-slatedb/store-fs"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import NodeFs from "node:fs"
import { threadId, workerData } from "node:worker_threads"
import type { WorkerData } from "./WorkerData.ts"

const { dies, log, root }: WorkerData = workerData

const store = Effect.map(FileObjectStore.make({ root }), (files): ObjectStore["Service"] => ({
  ...files,
  putIfAbsent: (path, body, options) =>
    Effect.suspend(() => {
      const isFirst = !NodeFs.existsSync(log)
      NodeFs.appendFileSync(log, `${threadId} ${path}\n`)
      if (dies && isFirst) process.exit(3)
      return files.putIfAbsent(path, body, options)
    })
}))

CompactionWorker.run(
  Layer.merge(Layer.effect(ObjectStore, store).pipe(Layer.provide(NodeServices.layer)), NodeCompression.layer)
)
