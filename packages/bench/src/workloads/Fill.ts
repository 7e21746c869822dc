/**
 * Workloads that only write.
 */
import type { BatchEntry, Database } from "../Engine.ts"
import * as Key from "../Key.ts"
import * as Lanes from "../Lanes.ts"
import * as Load from "../Load.ts"
import * as Loop from "../Loop.ts"
import * as Permutation from "../Permutation.ts"
import type { Random } from "../Random.ts"
import * as Values from "../Values.ts"
import type { Outcome, Parameters, Workload } from "../Workload.ts"

/** Single puts of 50 % compressible values; `keyOf` gives the index of the next key. */
const puts = (
  name: string,
  dominatedBy: string,
  database: Workload["database"],
  keyOf: (index: number, parameters: Parameters, random: Random) => number
): Workload => ({
  name,
  dominatedBy,
  database,
  run: (database, parameters) =>
    putAll(database, parameters, {
      durable: parameters.durable,
      randomShare: 0.5,
      keyOf: (index, random) => keyOf(index, parameters, random)
    })
})

/**
 * Durable puts begin with one that is not measured: an engine that stores on a tick
 * is then at its tick when the time begins. Otherwise the first wait would be
 * anything up to a tick, by chance, and weigh on a short run.
 */
const putAll = async <P extends object>(
  database: Database<P>,
  parameters: Parameters,
  options: {
    readonly durable: boolean
    readonly randomShare: number
    readonly keyOf: (index: number, random: Random) => number
  }
): Promise<Outcome> => {
  const { durable, keyOf } = options
  const value = Values.make(parameters.valueBytes, options.randomShare)
  if (durable) await database.run(Loop.one(database.put(Key.make(0), Buffer.alloc(parameters.valueBytes), true)))
  const run = await Lanes.run(database, { ...parameters, timeAll: durable }, () => ({
    begin: (index, random) => database.put(Key.make(keyOf(index, random)), value(random), durable)
  }))
  return { ...run, bytes: run.operations * (Key.lengthBytes + parameters.valueBytes) }
}

/** New keys in ascending order. */
export const fillseq = puts(
  "fillseq",
  "the same as fillrandom; tables are ordered without effort",
  "fresh",
  (index) => index
)

/** Random keys into an empty database: some are written twice. */
export const fillrandom = puts(
  "fillrandom",
  "the Effect of a put and appending its row, the same at any size; from the first full memtable on also its share of a table: order, blocks, filter, upload, whose cost follows the size of a memtable and not the entries",
  "fresh",
  (_, { operationsMax }, random) => random() % operationsMax
)

/** Random keys that are there already. */
export const overwrite = puts(
  "overwrite",
  "the Effect of a put and appending its row: tables are not looked at, so entries add nothing but the distinct keys of the open memtable",
  "loaded",
  (_, { entries }, random) => random() % entries
)

/** Ascending keys, random values, each put awaited until it is durable. */
export const durableput: Workload = {
  name: "durableput",
  dominatedBy: "one upload of the WAL and the turns of the event loop around it, which all lanes of a round share",
  database: "fresh",
  run: async (database, parameters) => {
    const { entries, valueBytes } = parameters
    if (parameters.preload) await Load.run(database, { ...Load.defaults, entries, valueBytes })
    return putAll(database, parameters, { durable: true, randomShare: 1, keyOf: (index) => index })
  }
}

/** Batches of new keys in random order. Counts entries. */
export const fillbatch: Workload = {
  name: "fillbatch",
  dominatedBy:
    "copying an entry into the batch and appending its row; from the first full memtable on its share of a table, as in fillrandom",
  database: "fresh",
  run: async (database, parameters) => {
    const { batchEntries, durable, operationsMax, valueBytes } = parameters
    const value = Values.make(valueBytes, 0.5)
    const next = Permutation.make(operationsMax)
    const course = { ...parameters, operationsMax: Math.floor(operationsMax / batchEntries), timeAll: true }
    const run = await Lanes.run(database, course, () => ({
      begin: (_, random) => {
        const entries: Array<BatchEntry> = []
        for (let i = 0; i < batchEntries; i++) entries.push([Key.make(next()), value(random)])
        return database.batch(entries, durable)
      }
    }))
    const operations = run.operations * batchEntries
    return {
      ...run,
      operations,
      bytes: operations * (Key.lengthBytes + valueBytes),
      extra: { batches: run.operations }
    }
  }
}
