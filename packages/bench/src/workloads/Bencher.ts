/**
 * The `db` workload of SlateDB's own bencher: each lane mixes puts and gets over a
 * fixed set of random keys; of the gets, 95 % ask for a key that the lane has put.
 *
 * Without puts there would be nothing to get: every key is then put and flushed
 * before, which is not measured. The same is done where it is asked for (`preload`).
 */
import type { BatchEntry, Database } from "../Engine.ts"
import * as Lanes from "../Lanes.ts"
import * as Load from "../Load.ts"
import * as Loop from "../Loop.ts"
import * as Random from "../Random.ts"
import * as Values from "../Values.ts"
import type { Workload } from "../Workload.ts"

const keyBytes = 16
const hitPercent = 95
const putKeysMax = 200_000
const preloadBatch = 500

interface Counts {
  puts: number
  gets: number
  hits: number
}

export const bencher: Workload = {
  name: "bencher",
  dominatedBy: "its gets and puts in their shares: what readrandom and overwrite are made of",
  database: "fresh",
  run: async (database, parameters) => {
    const { durable, keysPerLane, lanes, putPercent, valueBytes } = parameters
    const value = Values.make(valueBytes, 1)
    const keySets = Array.from({ length: lanes }, (_, lane) => randomKeys(lane, keysPerLane))
    const preloaded = putPercent === 0 || parameters.preload
    if (preloaded) await preload(database, keySets, value)

    const counts: Counts = { puts: 0, gets: 0, hits: 0 }
    const course = { ...parameters, operationsMax: Infinity, timeAll: true }
    const run = await Lanes.run(database, course, (lane) => {
      return mixed(database, keySets[lane] as KeySet, value, { durable, putPercent, preloaded, counts })
    })
    const perSecond = (count: number) => Math.round((count / run.elapsed.nanoseconds) * 1e9)
    return {
      ...run,
      bytes: (counts.puts + counts.hits) * valueBytes,
      extra: {
        putsPerSecond: perSecond(counts.puts),
        getsPerSecond: perSecond(counts.gets),
        ...(counts.gets === 0 ? {} : { hitPercent: Math.round((counts.hits / counts.gets) * 1000) / 10 })
      }
    }
  }
}

const mixed = <P extends object>(
  database: Database<P>,
  keys: KeySet,
  value: Values.Values,
  options: {
    readonly durable: boolean
    readonly putPercent: number
    readonly preloaded: boolean
    readonly counts: Counts
  }
): Lanes.Operation<P> => {
  const { counts, durable, preloaded, putPercent } = options
  /** Indices of the keys that were put; of no use where all were. */
  const put: Array<number> = []
  let getting = false
  return {
    begin: (_, random) => {
      getting = random() % 100 >= putPercent
      if (!getting) {
        const index = random() % keys.count
        if (!preloaded && put.length < putKeysMax) put.push(index)
        counts.puts++
        return database.put(keys.key(index), value(random), durable)
      }
      const known = put.length > 0 && random() % 100 < hitPercent
      const index = known ? (put[random() % put.length] as number) : random() % keys.count
      counts.gets++
      const answer = database.get(keys.key(index))
      if (answer !== undefined && !(answer instanceof Uint8Array)) return answer
      if (answer !== undefined) counts.hits++
      return undefined
    },
    end: (settled) => {
      if (getting && database.found(settled) !== undefined) counts.hits++
    }
  }
}

/** Keys side by side in one buffer, so that ten million of them are no work for the collector. */
interface KeySet {
  readonly count: number
  readonly key: (index: number) => Buffer
}

const randomKeys = (lane: number, count: number): KeySet => {
  const random = Random.make(lane * 65537 + 3)
  const bytes = Buffer.allocUnsafe(count * keyBytes)
  for (let i = 0; i < bytes.length; i += 4) bytes.writeUInt32LE(random(), i)
  return { count, key: (index) => bytes.subarray(index * keyBytes, (index + 1) * keyBytes) }
}

const preload = async <P extends object>(
  database: Database<P>,
  keySets: ReadonlyArray<KeySet>,
  value: Values.Values
): Promise<void> => {
  const random = Random.make(11)
  function* entries(): Generator<BatchEntry> {
    for (const { count, key } of keySets) {
      for (let i = 0; i < count; i++) yield [key(i), value(random)]
    }
  }
  await database.run(Load.inBatches(database, entries(), preloadBatch))
  await database.run(Loop.one(database.flush()))
}
