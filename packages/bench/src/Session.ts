/**
 * An engine under measurement: opens its databases, loads one, runs workloads.
 * Lives in the engine's own process.
 */
import { mkdir, rm } from "node:fs/promises"
import * as path from "node:path"
import type { Assignment } from "./Assignment.ts"
import type { Counters, Database, Engine, OpenOptions } from "./Engine.ts"
import { storeOf } from "./Engine.ts"
import * as Garbage from "./Garbage.ts"
import * as HeldScans from "./HeldScans.ts"
import * as Load from "./Load.ts"
import * as Loop from "./Loop.ts"
import type { Description, LoadReport, Measurement, RunRequest } from "./Protocol.ts"
import * as Statistics from "./Statistics.ts"
import type { Outcome } from "./Workload.ts"
import { merged } from "./Workload.ts"
import * as Workloads from "./Workloads.ts"

export interface Session {
  readonly description: Description
  readonly load: (options: Load.Options) => Promise<LoadReport>
  readonly run: (request: RunRequest) => Promise<Measurement>
  readonly close: () => Promise<void>
}

interface Opened<P extends object> {
  readonly database: Database<P>
  /** Closes it and removes its files. */
  readonly discard: () => Promise<void>
}

export const make = <P extends object>(engine: Engine<P>, assignment: Assignment): Session => {
  let opened = 0
  let loaded: Opened<P> | undefined

  const open = async (): Promise<Opened<P>> => {
    const options = openOptions(engine, assignment, `db-${opened++}`)
    await mkdir(options.directory, { recursive: true })
    const database = await engine.open(options)
    return {
      database,
      discard: async () => {
        await database.run(Loop.one(database.close()))
        // Tasks of an engine may write a file after it was closed.
        await rm(options.directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
      }
    }
  }
  const withFresh = async <A>(use: (database: Database<P>) => Promise<A>): Promise<A> => {
    const fresh = await open()
    try {
      return await use(fresh.database)
    } finally {
      await fresh.discard()
    }
  }
  const once = (request: RunRequest): Promise<Repetition> => {
    if (Workloads.byName[request.workload].database === "fresh") {
      return withFresh((database) => measured(database, request))
    }
    if (loaded === undefined) throw new Error(`workload needs a loaded database: workload=${request.workload}`)
    return measured(loaded.database, request)
  }
  const close = async (): Promise<void> => {
    await loaded?.discard()
    loaded = undefined
  }
  return {
    description: { name: engine.name, version: engine.version, store: storeOf(engine, assignment.store) ?? "local" },
    load: async (options) => {
      await close()
      loaded = await open()
      const { accepted, settled } = await Load.run(loaded.database, options)
      Garbage.collect()
      return {
        entriesPerSecond: (options.entries / accepted.nanoseconds) * 1e9,
        settledSeconds: settled.nanoseconds / 1e9,
        rssMiB: rssMiB()
      }
    },
    run: async (request) => {
      const repetitions: Array<Repetition> = []
      let seconds = 0
      do {
        const repetition = await once(request)
        repetitions.push(repetition)
        seconds += repetition.outcome.elapsed.nanoseconds / 1e9
      } while (seconds < request.secondsMin)
      return measurement(repetitions)
    },
    close
  }
}

/** What to open an engine with; `name` tells instances of one process apart. */
const openOptions = <P extends object>(engine: Engine<P>, assignment: Assignment, name: string): OpenOptions => ({
  directory: path.join(assignment.directory, name),
  // A bucket is shared by all engines of a run: each keeps to its own prefix.
  path:
    assignment.store === "s3"
      ? [path.basename(path.dirname(assignment.directory)), assignment.engine, name].join("/")
      : "db",
  store: storeOf(engine, assignment.store) ?? "file",
  s3: assignment.s3,
  settings: assignment.settings,
  mode: assignment.mode
})

interface Repetition {
  readonly outcome: Outcome
  readonly counters: Counters | undefined
  readonly level0Tables: number | undefined
}

const measured = <P extends object>(database: Database<P>, request: RunRequest): Promise<Repetition> => {
  const held = { count: request.heldScans, valueBytes: request.parameters.valueBytes }
  return HeldScans.during(database, held, async () => {
    Garbage.collect()
    const before = database.counters?.()
    const outcome = await Workloads.byName[request.workload].run(database, request.parameters)
    const after = database.counters?.()
    return {
      outcome,
      counters: before === undefined || after === undefined ? undefined : difference(before, after),
      level0Tables: database.level0Tables?.()
    }
  })
}

const measurement = (repetitions: ReadonlyArray<Repetition>): Measurement => {
  const outcome = merged(repetitions.map(({ outcome }) => outcome))
  const last = repetitions.at(-1)
  const { bytes, elapsed, latencies, operations } = outcome
  return {
    operations,
    operationsPerSecond: (operations / elapsed.nanoseconds) * 1e9,
    microsPerOperation: elapsed.nanoseconds / operations / 1e3,
    cpuMicrosPerOperation: elapsed.cpuMicros / operations,
    megabytesPerSecond: (bytes / elapsed.nanoseconds) * 1e3,
    p50Micros: Statistics.percentile(latencies, 0.5),
    p99Micros: Statistics.percentile(latencies, 0.99),
    rssMiB: rssMiB(),
    level0Tables: last?.level0Tables,
    extra: outcome.extra,
    counters: repetitions.some(({ counters }) => counters !== undefined)
      ? total(repetitions.map(({ counters = {} }) => counters))
      : undefined
  }
}

const total = (each: ReadonlyArray<Counters>): Counters => {
  const sums: Record<string, number> = {}
  for (const [name, count] of each.flatMap(Object.entries)) sums[name] = (sums[name] ?? 0) + count
  return sums
}

const difference = (before: Counters, after: Counters): Counters =>
  Object.fromEntries(
    Object.entries(after)
      .map(([name, count]) => [name, count - (before[name] ?? 0)] as const)
      .filter(([, count]) => count !== 0)
  )

const rssMiB = (): number => process.memoryUsage.rss() / 2 ** 20
