/**
 * Memory of the process: before anything, opened, loaded, flushed, idle; and the
 * processor time that an idle database takes.
 */
import { setTimeout as sleep } from "node:timers/promises"
import * as Garbage from "../Garbage.ts"
import * as Key from "../Key.ts"
import * as Load from "../Load.ts"
import * as Loop from "../Loop.ts"
import * as Stopwatch from "../Stopwatch.ts"
import type { Line, Open, Task } from "./Task.ts"
import { close } from "./Task.ts"

const batchEntries = 1000

export const run = async <P extends object>(open: Open<P>, task: Task): Promise<Line> => {
  const { entries, idleSeconds, valueBytes } = task
  const startMiB = rssMiB()
  const database = await open()
  const openedMiB = rssMiB()
  await Load.run(database, { entries, valueBytes, batchEntries, flush: false, parts: 1, touch: false })
  const loadedMiB = rssMiB()
  await database.run(Loop.one(database.flush()))
  await database.settle?.()
  const flushedMiB = rssMiB()
  const stop = Stopwatch.start()
  await sleep(idleSeconds * 1000)
  const idle = stop()
  const idleMiB = rssMiB()
  await close(database)
  return {
    userMiB: (entries * (Key.lengthBytes + valueBytes)) / 2 ** 20,
    startMiB,
    openedMiB,
    loadedMiB,
    flushedMiB,
    idleMiB,
    idleCpuMillisPerSecond: idle.cpuMicros / 1e3 / idleSeconds
  }
}

const rssMiB = (): number => {
  Garbage.collect()
  return process.memoryUsage.rss() / 2 ** 20
}
