/**
 * Opens a database that another process left, and reads from it while its caches
 * are cold: the first key, a thousand random ones, everything.
 */
import type { Database } from "../Engine.ts"
import * as Key from "../Key.ts"
import * as Loop from "../Loop.ts"
import * as Random from "../Random.ts"
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

  const stopGets = Stopwatch.start()
  const found = await database.run(gets(database, entries))
  const cold = stopGets()
  if (found !== coldGets) throw new Error(`keys are missing: found=${found} of=${coldGets}`)

  const line = {
    openMillis: opened.nanoseconds / 1e6,
    openCpuMillis: opened.cpuMicros / 1e3,
    firstGetMillis: firstGet.nanoseconds / 1e6,
    coldGetMicros: cold.nanoseconds / 1e3 / coldGets,
    rssBeforeMiB,
    rssAfterMiB: rssMiB(),
    ...(scan ? await scanned(database) : {})
  }
  await close(database)
  return line
}

function* gets<P extends object>(database: Database<P>, entries: number): Loop.Loop<P, number> {
  const random = Random.make(4)
  let found = 0
  for (let i = 0; i < coldGets; i++) {
    const answer = database.get(Key.make(random() % entries))
    const value = answer === undefined || answer instanceof Uint8Array ? answer : database.found(yield answer)
    if (value !== undefined) found++
  }
  return found
}

const scanned = async <P extends object>(database: Database<P>): Promise<Line> => {
  let entries = 0
  let bytes = 0
  const stop = Stopwatch.start()
  const count = database.scan({}, (key, value) => {
    entries++
    bytes += key.length + value.length
  })
  if (typeof count !== "number") await database.run(Loop.one(count))
  const { nanoseconds } = stop()
  return {
    scanEntries: entries,
    scanMegabytesPerSecond: (bytes / nanoseconds) * 1e3,
    scanEntriesPerSecond: Math.round((entries / nanoseconds) * 1e9)
  }
}

const rssMiB = (): number => process.memoryUsage.rss() / 2 ** 20
