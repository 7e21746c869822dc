/**
 * Workloads of range reads.
 */
import * as Key from "../Key.ts"
import * as Lanes from "../Lanes.ts"
import * as Loop from "../Loop.ts"
import * as Stopwatch from "../Stopwatch.ts"
import type { Workload } from "../Workload.ts"

/** One scan from the first key on. Counts entries, and checks their number. */
export const readseq: Workload = {
  name: "readseq",
  dominatedBy:
    "decoding and copying an entry, which is the same at any size; where tables overlap, a comparison per doubling of their number",
  database: "loaded",
  run: async (database, { entries, scanLimit }) => {
    let seen = 0
    let bytes = 0
    const stop = Stopwatch.start()
    const count = database.scan({ limit: scanLimit }, (key, value) => {
      seen++
      bytes += key.length + value.length
    })
    if (typeof count !== "number") await database.run(Loop.one(count))
    const elapsed = stop()
    const expected = Math.min(entries, scanLimit ?? entries)
    if (seen !== expected) throw new Error(`readseq: wrong number of entries: expected=${expected} found=${seen}`)
    return { operations: seen, bytes, elapsed, latencies: new Float64Array(0) }
  }
}

const entriesPerSeek = 10

/** A seek to a random key and the ten entries from there. Checks their number. */
export const seekrandom: Workload = {
  name: "seekrandom",
  dominatedBy:
    "the making of a scan, then a cursor per table: a search of its index, which adds a comparison whenever the entries double, and one block; ten entries of a merge after that",
  database: "loaded",
  run: async (database, parameters) => {
    const starts = parameters.entries - entriesPerSeek + 1
    let seen = 0
    let bytes = 0
    const visit = (key: Uint8Array, value: Uint8Array): void => {
      seen++
      bytes += key.length + value.length
    }
    const run = await Lanes.run(database, { ...parameters, timeAll: true }, () => ({
      begin: (_, random) => {
        const count = database.scan({ from: Key.make(random() % starts), limit: entriesPerSeek }, visit)
        return typeof count === "number" ? undefined : count
      }
    }))
    const expected = run.operations * entriesPerSeek
    if (seen !== expected) throw new Error(`seekrandom: wrong number of entries: expected=${expected} found=${seen}`)
    return { ...run, bytes, extra: { entriesPerSeek } }
  }
}
