/**
 * Fills a database, and leaves it to be opened by another process: flushed and
 * closed, or with everything still in the WAL.
 */
import * as DiskUsage from "../DiskUsage.ts"
import * as Key from "../Key.ts"
import * as Load from "../Load.ts"
import * as Loop from "../Loop.ts"
import * as Stopwatch from "../Stopwatch.ts"
import type { Line, Open, Task } from "./Task.ts"
import { close } from "./Task.ts"

const batchEntries = 500

export const run = async <P extends object>(open: Open<P>, task: Task): Promise<Line> => {
  const { assignment, entries, flush, valueBytes } = task
  const database = await open()
  const { accepted, settled } = await Load.run(database, {
    entries,
    valueBytes,
    batchEntries,
    flush,
    parts: 1,
    touch: false
  })
  // A durable write behind all the others: they are in the WAL when it is over.
  if (!flush) await database.run(Loop.one(database.put(Key.make(entries + 1), Buffer.alloc(10), true)))
  const line = {
    entriesPerSecond: Math.round((entries / accepted.nanoseconds) * 1e9),
    userMegabytesPerSecond: ((entries * (Key.lengthBytes + valueBytes)) / accepted.nanoseconds) * 1e3,
    totalSeconds: settled.nanoseconds / 1e9,
    cpuSeconds: settled.cpuMicros / 1e6,
    rssMiB: process.memoryUsage.rss() / 2 ** 20
  }
  if (!flush) return { ...line, disk: await DiskUsage.of(assignment.directory) }
  const stop = Stopwatch.start()
  await close(database)
  return { ...line, closeMillis: stop().nanoseconds / 1e6, disk: await DiskUsage.of(assignment.directory) }
}
