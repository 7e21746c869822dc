/**
 * The `db` workload of SlateDB's own bencher: each lane mixes puts and gets over a
 * fixed set of random keys; of the gets, 95 % ask for a key that the lane has put.
 *
 * Without puts there would be nothing to get: every key is then put and flushed
 * before, which is not measured.
 */
import type { Database } from "../Engine.ts"
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
  database: "fresh",
  run: async (database, parameters) => {
    const { durable, keysPerLane, lanes, putPercent, valueBytes } = parameters
    const value = Values.make(valueBytes, 1)
    const keySets = Array.from({ length: lanes }, (_, lane) => randomKeys(lane, keysPerLane))
    if (putPercent === 0) await preload(database, keySets, value)

    const counts: Counts = { puts: 0, gets: 0, hits: 0 }
    const course = { ...parameters, operationsMax: Infinity, timeAll: true }
    const run = await Lanes.run(database, course, (lane) => {
      const keys = keySets[lane] as ReadonlyArray<Buffer>
      return mixed(database, keys, value, { durable, putPercent, counts })
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
  keys: ReadonlyArray<Buffer>,
  value: Values.Values,
  options: { readonly durable: boolean; readonly putPercent: number; readonly counts: Counts }
): Lanes.Operation<P> => {
  const { counts, durable, putPercent } = options
  const put: Array<Buffer> = putPercent === 0 ? keys.slice() : []
  let getting = false
  return {
    begin: (_, random) => {
      getting = random() % 100 >= putPercent
      if (!getting) {
        const key = keys[random() % keys.length] as Buffer
        if (put.length < putKeysMax) put.push(key)
        counts.puts++
        return database.put(key, value(random), durable)
      }
      const known = put.length > 0 && random() % 100 < hitPercent
      const key = (known ? put[random() % put.length] : keys[random() % keys.length]) as Buffer
      counts.gets++
      const answer = database.get(key)
      if (answer !== undefined && !(answer instanceof Uint8Array)) return answer
      if (answer !== undefined) counts.hits++
      return undefined
    },
    end: (settled) => {
      if (getting && database.found(settled) !== undefined) counts.hits++
    }
  }
}

const randomKeys = (lane: number, count: number): ReadonlyArray<Buffer> => {
  const random = Random.make(lane * 65537 + 3)
  return Array.from({ length: count }, () => {
    const key = Buffer.allocUnsafe(keyBytes)
    for (let i = 0; i < keyBytes; i += 4) key.writeUInt32LE(random(), i)
    return key
  })
}

const preload = async <P extends object>(
  database: Database<P>,
  keySets: ReadonlyArray<ReadonlyArray<Buffer>>,
  value: Values.Values
): Promise<void> => {
  const random = Random.make(11)
  const entries = keySets.flat().map((key) => [key, value(random)] as const)
  await database.run(Load.inBatches(database, entries, preloadBatch))
  await database.run(Loop.one(database.flush()))
}
