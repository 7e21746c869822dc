/** Compaction in real threads, on files. */
import * as CompactionPolicy from "@effect-slatedb/core/CompactionPolicy"
import * as Db from "@effect-slatedb/core/Db"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import { CompactionWorker } from "@effect-slatedb/platform-node"
import { FileObjectStore } from "@effect-slatedb/store-fs"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import NodeFs from "node:fs"
import NodePath from "node:path"
import { Worker } from "node:worker_threads"
import type { WorkerData } from "./support/WorkerData.ts"

/** Time for a thread to start, which loads all modules, and to be missed for a second. */
const timeout = 60_000

const folder = Effect.acquireRelease(
  Effect.sync(() => NodeFs.mkdtempSync(NodePath.join(NodeFs.realpathSync("/tmp"), "compaction-worker-"))),
  (made) => Effect.sync(() => NodeFs.rmSync(made, { recursive: true }))
)

/** A database of files, whose jobs go to a thread; and all threads that there ever were. */
const world = Effect.fnUntraced(function* (dies: boolean) {
  const outside = yield* folder
  const root = NodePath.join(outside, "root")
  const log = NodePath.join(outside, "log")
  const workerData: WorkerData = { root, log, dies }
  const threads: Array<{ readonly id: number; hasEnded: boolean }> = []
  const spawn = () => {
    const worker = new Worker(new URL("./support/compactionWorker.ts", import.meta.url), { workerData })
    const thread = { id: worker.threadId, hasEnded: false }
    worker.once("exit", () => {
      thread.hasEnded = true
    })
    threads.push(thread)
    return worker
  }
  const layer = Db.layer({
    path: "db",
    settings: {
      compactorPollInterval: "20 millis",
      maxSstSizeBytes: 20_000,
      minFilterKeys: 1,
      flushInterval: "5 millis"
    }
  }).pipe(
    Layer.provide(CompactionWorker.layer({ spawn })),
    Layer.provide(Layer.succeed(CompactionPolicy.CompactionPolicy, CompactionPolicy.sizeTiered({ minSources: 3 }))),
    Layer.provideMerge(FileObjectStore.layer({ root })),
    Layer.provide(NodeServices.layer)
  )
  const stored = () => NodeFs.readFileSync(log, "utf8").trimEnd().split("\n")
  return { layer, stored, threads }
})

/** Three tables of level 0 with the same keys, and then the contents when they are one run. */
const compacted = Effect.gen(function* () {
  const db = yield* Db.Db
  for (const value of ["a", "b", "c"]) {
    for (let n = 0; n < 500; n++) yield* db.put(`k${1000 + n}`, value.repeat(100), { awaitDurable: false })
    yield* db.flush("memtable")
  }
  while ((yield* db.status).compactionsCompleted === 0) yield* Effect.sleep("10 millis")
  const rows = yield* Stream.runCollect(db.scan(KeyRange.all))
  assert.lengthOf(rows, 500)
  const decoder = new TextDecoder()
  for (const { value } of rows) assert.strictEqual(decoder.decode(value), "c".repeat(100))
  const store = yield* ObjectStore.ObjectStore
  return Array.from(yield* Stream.runCollect(store.list({ prefix: "db/compacted/" })), ({ path }) => path)
})

it.live(
  "the run's tables are stored by a thread, which ends with the layer",
  () =>
    Effect.gen(function* () {
      const { layer, stored, threads } = yield* world(false)
      const paths = yield* Effect.provide(compacted, layer)
      const byThread = stored()
      assert.isAbove(byThread.length, 1)
      for (const line of byThread) {
        const [id, path = ""] = line.split(" ")
        assert.strictEqual(Number(id), threads[0]?.id)
        assert.include(paths, path)
      }
      // Level 0 was stored here.
      assert.lengthOf(paths, byThread.length + 3)
      assert.deepStrictEqual(
        threads.map(({ hasEnded }) => hasEnded),
        [true]
      )
    }),
  timeout
)

it.live(
  "a thread that dies is started again, and goes on with the job",
  () =>
    Effect.gen(function* () {
      const { layer, stored, threads } = yield* world(true)
      yield* Effect.provide(compacted, layer)
      const ids = new Set(stored().map((line) => Number(line.split(" ")[0])))
      assert.deepStrictEqual(
        Array.from(ids),
        threads.map(({ id }) => id)
      )
      assert.lengthOf(threads, 2)
    }),
  timeout
)
