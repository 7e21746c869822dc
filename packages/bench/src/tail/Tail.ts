/**
 * The tail of latencies under a steady load, with flushes going on, and compactions if asked for.
 *
 *     open ─> load ─> maximum ─> close, open again ─> share of it, on a schedule ─> report
 *                                                      └ warm-up ┘└ measured ┘
 *
 * The database is opened again in between on the same store and the same cache, so
 * that its longest turn is one of the steady load (and of the open, which has little to
 * replay: the memtable was flushed before). The same load is offered before anything is
 * measured: a database that was opened just now is compiled again, and stalls once by
 * that. What it took is reported apart.
 */
import * as os from "node:os"
import * as Db from "@effect-slatedb/core/Db"
import * as CompactionWorker from "@effect-slatedb/platform-node/CompactionWorker"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Worker } from "node:worker_threads"
import * as Ours from "../adapters/Ours.ts"
import type { Counters } from "../Engine.ts"
import * as Garbage from "../Garbage.ts"
import * as Key from "../Key.ts"
import * as PackageVersion from "../PackageVersion.ts"
import * as Random from "../Random.ts"
import * as Values from "../Values.ts"
import * as LoopWatch from "./LoopWatch.ts"
import * as OpenLoop from "./OpenLoop.ts"
import * as TailReport from "./TailReport.ts"

export interface Options {
  readonly entries: number
  readonly valueBytes: number
  readonly putPercent: number
  /** What is offered, in percent of the maximum. */
  readonly loadPercent: number
  readonly seconds: number
  /** How long it is offered before anything is measured. */
  readonly warmUpSeconds: number
  /** How long the maximum is looked for. */
  readonly maximumSeconds: number
  /** Whether tables are compacted meanwhile; else level 0 grows. */
  readonly compaction: boolean
  /** Worker threads that do it; 0: none. */
  readonly threads: number
  readonly database: Ours.Ground
}

type Service = Db.Db["Service"]

const accepted = { awaitDurable: false } as const
const uncommitted = { readLevel: "uncommitted" } as const

/**
 * Smaller memtables than the default, so that there are several flushes. The cache holds everything: what a request to
 * the store costs is another question.
 */
const ownSettings = { l0_sst_size_bytes: 8 * 1024 * 1024, "block_cache.bytes": 512 * 1024 * 1024 }
/** The compactor looks more often than by default, so that it is hardly ever without work. */
const compacting = { "compactor_options.poll_interval": "100ms" }
const withoutCompactor = { compactor_options: null, l0_max_ssts: 100_000 }

export const run = Effect.fnUntraced(function* (options: Options) {
  const settings = {
    ...ownSettings,
    ...(options.compaction ? compacting : withoutCompactor),
    ...options.database.settings
  }
  const database = { ...options.database, settings }
  const ground = yield* Effect.promise(() => Ours.ground(database))
  const open = Db.make({ path: database.path, settings: Ours.settings(settings) })
  return yield* Effect.gen(function* () {
    const maximumPerSecond = yield* Effect.scoped(
      Effect.gen(function* () {
        const db = yield* open
        yield* load(db, options)
        const found = yield* Effect.promise(() => OpenLoop.maximum(operations(db, options, 1), options.maximumSeconds))
        yield* db.flush("memtable")
        return found
      })
    )
    const measured = yield* Effect.scoped(
      Effect.flatMap(open, (db) => steady(db, options, maximumPerSecond, ground.counters))
    )
    return reportOf(options, settings, maximumPerSecond, measured)
  }).pipe(Effect.provide(Layer.merge(ground.layer, executor(database, options.threads))))
})

const executor = (database: Ours.Ground, threads: number) =>
  threads === 0
    ? Layer.empty
    : CompactionWorker.layer({
        threads,
        spawn: () => new Worker(new URL("./worker.ts", import.meta.url), { workerData: database })
      })

/** Every key once, in tables. */
const load = Effect.fnUntraced(function* (db: Service, { entries, valueBytes }: Options) {
  const values = Values.make(valueBytes, 0.5)
  const random = Random.make(1)
  for (let n = 0; n < entries; n++) yield* db.put(Key.make(n), values(random), accepted)
  yield* db.flush("memtable")
})

const steady = Effect.fnUntraced(function* (
  db: Service,
  options: Options,
  maximumPerSecond: number,
  counters: () => Counters
) {
  const written = () => counters()["putIfAbsent compacted"] ?? 0
  const offeredPerSecond = (maximumPerSecond * options.loadPercent) / 100
  const operation = operations(db, options, 2)
  Garbage.collect()
  const warmUp = yield* Effect.promise(() => OpenLoop.offer(operation, offeredPerSecond, options.warmUpSeconds))
  const before = yield* db.status
  const writtenBefore = written()
  const watched = LoopWatch.start()
  const latencies = yield* Effect.promise(() => OpenLoop.offer(operation, offeredPerSecond, options.seconds))
  const after = yield* db.status
  return {
    ...latencies,
    warmUp: {
      getMicros: TailReport.percentiles(warmUp.getMicros),
      putMicros: TailReport.percentiles(warmUp.putMicros)
    },
    ...(yield* Effect.promise(watched)),
    offeredPerSecond,
    tablesWritten: written() - writtenBefore,
    compactions: {
      count: after.compactionsCompleted - before.compactionsCompleted,
      megabytes: (after.bytesCompacted - before.bytesCompacted) / 1e6
    },
    longestTurn: { millis: after.longestTurnMillis, place: after.longestTurnPlace }
  }
})

/** Puts and gets of random keys that are there, mixed by chance. */
const operations = (db: Service, { entries, putPercent, valueBytes }: Options, seed: number): OpenLoop.Operation => {
  const values = Values.make(valueBytes, 0.5)
  const random = Random.make(seed)
  return () => {
    const key = Key.make(random() % entries)
    const isPut = random() % 100 < putPercent
    return { isPut, effect: isPut ? db.put(key, values(random), accepted) : present(db.get(key, uncommitted)) }
  }
}

/** A key that is not there is a wrong answer. */
const present = (get: ReturnType<Service["get"]>) => Effect.catchTag(get, "KeyNotFound", (error) => Effect.die(error))

const reportOf = (
  options: Options,
  settings: Readonly<Record<string, unknown>>,
  maximumPerSecond: number,
  measured: Effect.Success<ReturnType<typeof steady>>
): TailReport.TailReport => ({
  engine: `effect-slatedb ${PackageVersion.of("@effect-slatedb/core")}`,
  node: process.version,
  processor: os.cpus()[0]?.model ?? "unknown",
  at: new Date().toISOString(),
  store: options.database.store,
  entries: options.entries,
  valueBytes: options.valueBytes,
  putPercent: options.putPercent,
  settings,
  maximumPerSecond,
  offeredPerSecond: measured.offeredPerSecond,
  achievedPerSecond: (measured.getMicros.length + measured.putMicros.length) / measured.seconds,
  seconds: measured.seconds,
  tablesWritten: measured.tablesWritten,
  compactions: measured.compactions,
  warmUp: { seconds: options.warmUpSeconds, ...measured.warmUp },
  getMicros: TailReport.percentiles(measured.getMicros),
  putMicros: TailReport.percentiles(measured.putMicros),
  loopDelayMillis: measured.loopDelayMillis,
  longestTurn: measured.longestTurn,
  worstDelay: TailReport.delay(measured.worstGap, measured.start, measured.collections),
  collections: TailReport.summaryOf(measured.collections)
})
