/**
 * Fills a database, and leaves it to be opened by another process: flushed, compacted
 * and closed, or with everything still in the WAL.
 *
 * Nothing is collected meanwhile, so that what lies in the folder in the end is what
 * was uploaded: rows once in the WAL, once in level 0, and each time they were compacted.
 */
import * as DiskUsage from "../DiskUsage.ts"
import * as Key from "../Key.ts"
import * as Load from "../Load.ts"
import * as Loop from "../Loop.ts"
import * as Settling from "../Settling.ts"
import * as Stopwatch from "../Stopwatch.ts"
import type { Line, Open, Task } from "./Task.ts"
import { close } from "./Task.ts"

const batchEntries = 500

const withoutCollector = { garbage_collector_options: null }

export const run = async <P extends object>(open: Open<P>, task: Task): Promise<Line> => {
  const { assignment, entries, flush, valueBytes } = task
  const database = await open(withoutCollector)
  const stopAll = Stopwatch.start()
  const { accepted } = await Load.run(database, {
    entries,
    valueBytes,
    batchEntries,
    flush: false,
    parts: 1,
    touch: false
  })
  // A durable write behind all the others: they are in the WAL when it is over.
  if (!flush) await database.run(Loop.one(database.put(Key.make(entries + 1), Buffer.alloc(10), true)))
  else await database.run(Loop.one(database.flush()))
  const { counters } = database
  const quietMillis = flush && counters !== undefined ? await Settling.quiet(counters, Settling.sure) : 0
  const settled = stopAll()
  const userBytes = entries * (Key.lengthBytes + valueBytes)
  const line = {
    entriesPerSecond: Math.round((entries / accepted.nanoseconds) * 1e9),
    userMegabytesPerSecond: (userBytes / accepted.nanoseconds) * 1e3,
    totalSeconds: settled.nanoseconds / 1e9 - quietMillis / 1e3,
    cpuSeconds: settled.cpuMicros / 1e6,
    ...compacted(counters?.()),
    rssMiB: process.memoryUsage.rss() / 2 ** 20
  }
  const stop = Stopwatch.start()
  if (flush) await close(database)
  const closeMillis = flush ? stop().nanoseconds / 1e6 : undefined
  const disk = await DiskUsage.of(assignment.directory)
  return {
    ...line,
    closeMillis,
    // What lies in a bucket or in memory is not seen.
    ...(assignment.store === "file" ? { storedBytesPerUserByte: bytesOf(disk) / userBytes } : {}),
    disk
  }
}

const compacted = (counters: Readonly<Record<string, number>> | undefined): Line =>
  counters === undefined ? {} : { megabytesCompacted: Settling.progress(counters).bytes / 1e6 }

const bytesOf = (disk: Readonly<Record<string, DiskUsage.Usage>>): number =>
  Object.values(disk).reduce((sum, { bytes }) => sum + bytes, 0)
