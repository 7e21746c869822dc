/**
 * Opens a database that another process left, and reads from it while its caches
 * are cold: the first key, random ones, everything.
 *
 * The first thousand of random keys load the indexes as well; those behind them find
 * indexes in memory and blocks, in a database that is large enough, not.
 */
import type { Database } from "../Engine.ts"
import * as Key from "../Key.ts"
import * as Loop from "../Loop.ts"
import * as Random from "../Random.ts"
import * as ReadRequests from "../ReadRequests.ts"
import * as Stopwatch from "../Stopwatch.ts"
import type { Line, Open, Task } from "./Task.ts"
import { close, get } from "./Task.ts"

const coldGets = 1000

export const run = async <P extends object>(open: Open<P>, { entries, scan, valueBytes }: Task): Promise<Line> => {
  const rssBeforeMiB = rssMiB()
  const stopOpen = Stopwatch.start()
  const database = await open()
  const opened = stopOpen()

  const stopFirst = Stopwatch.start()
  const first = await get(database, Key.make(entries >>> 1))
  const firstGet = stopFirst()
  if (first?.length !== valueBytes) throw new Error("the first value that was read is wrong")

  const cold = await someGets(database, entries, 4)
  const indexed = await someGets(database, entries, 5)
  const line = {
    openMillis: opened.nanoseconds / 1e6,
    openCpuMillis: opened.cpuMicros / 1e3,
    firstGetMillis: firstGet.nanoseconds / 1e6,
    coldGetMicros: cold.micros,
    coldGetRequests: cold.requests,
    indexedGetMicros: indexed.micros,
    indexedGetRequests: indexed.requests,
    rssBeforeMiB,
    rssAfterMiB: rssMiB(),
    ...(scan ? await scanned(database) : {})
  }
  await close(database)
  return line
}

/** Nothing but a scan of everything: no other read has left anything in the caches. */
export const runScan = async <P extends object>(open: Open<P>, { entries }: Task): Promise<Line> => {
  const database = await open()
  const line = await scanned(database)
  if (line.scanEntries !== entries) throw new Error(`the scan is wrong: found=${line.scanEntries} of=${entries}`)
  await close(database)
  return { ...line, rssAfterMiB: rssMiB() }
}

/** Time and requests of one get; requests are absent where the engine does not count them. */
const someGets = async <P extends object>(database: Database<P>, entries: number, seed: number) => {
  const requests = () => (database.counters === undefined ? undefined : ReadRequests.of(database.counters()))
  const before = requests()
  const stop = Stopwatch.start()
  const found = await database.run(gets(database, entries, seed))
  const { nanoseconds } = stop()
  if (found !== coldGets) throw new Error(`keys are missing: found=${found} of=${coldGets}`)
  const after = requests()
  return {
    micros: nanoseconds / 1e3 / coldGets,
    requests: before === undefined || after === undefined ? undefined : (after - before) / coldGets
  }
}

function* gets<P extends object>(database: Database<P>, entries: number, seed: number): Loop.Loop<P, number> {
  const random = Random.make(seed)
  let found = 0
  for (let i = 0; i < coldGets; i++) {
    const answer = database.get(Key.make(random() % entries))
    const value = answer === undefined || answer instanceof Uint8Array ? answer : database.found(yield answer)
    if (value !== undefined) found++
  }
  return found
}

const scanned = async <P extends object>(database: Database<P>) => {
  let entries = 0
  let bytes = 0
  const requests = () => (database.counters === undefined ? undefined : ReadRequests.of(database.counters()))
  const before = requests()
  const stop = Stopwatch.start()
  const count = database.scan({}, (key, value) => {
    entries++
    bytes += key.length + value.length
  })
  if (typeof count !== "number") await database.run(Loop.one(count))
  const { cpuMicros, nanoseconds } = stop()
  const after = requests()
  return {
    scanEntries: entries,
    scanMegabytesPerSecond: (bytes / nanoseconds) * 1e3,
    scanEntriesPerSecond: Math.round((entries / nanoseconds) * 1e9),
    scanCpuSeconds: cpuMicros / 1e6,
    scanRequests: before === undefined || after === undefined ? undefined : after - before
  }
}

const rssMiB = (): number => process.memoryUsage.rss() / 2 ** 20
