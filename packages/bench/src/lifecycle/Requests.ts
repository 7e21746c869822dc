/**
 * Requests to the store and their bytes, counted by the S3 simulator: while puts
 * run, while nothing happens, and while a freshly opened database answers gets.
 * PUT, POST and LIST are the dear class of S3's price list, GET and HEAD the cheap
 * one.
 */
import { setTimeout as sleep } from "node:timers/promises"
import type { Database } from "../Engine.ts"
import * as Key from "../Key.ts"
import * as Lanes from "../Lanes.ts"
import * as Loop from "../Loop.ts"
import type { Stats } from "../S3Simulator.ts"
import * as Values from "../Values.ts"
import type { Line, Open, Task } from "./Task.ts"
import { close } from "./Task.ts"

const storeMillis = 15
const coldLanes = 16
const coldSeconds = 8
const dear = /^(PUT|PUTPART|MPINIT|MPDONE|LIST) /
const cheap = /^(GET|GET404|HEAD|HEAD404) /
const uploads = /^(PUT|PUTPART) /

export const run = async <P extends object>(open: Open<P>, task: Task): Promise<ReadonlyArray<Line>> => {
  const endpoint = task.assignment.s3?.endpoint
  if (endpoint === undefined) throw new Error("requests are counted by the S3 simulator: give --s3-endpoint")
  const ask = (path: string) => fetch(endpoint + path).then((response) => response.text())
  const stats = async (): Promise<Stats> => JSON.parse(await ask("/__stats"))
  await ask(`/__latency?put=${storeMillis}&get=${storeMillis}`)

  const database = await open()
  await ask("/__reset")
  const put = await putting(database, task, stats)
  await ask("/__reset")
  await sleep(task.idleSeconds * 1000)
  const idle = { phase: "idle", seconds: task.idleSeconds, requests: await stats() }
  await close(database)

  const reopened = await open()
  await ask("/__reset")
  const cold = await getting(reopened, task, stats)
  await close(reopened)
  return [put, idle, cold]
}

const putting = async <P extends object>(
  database: Database<P>,
  task: Task,
  stats: () => Promise<Stats>
): Promise<Line> => {
  const { durable, entries, lanes, seconds, valueBytes } = task
  const value = Values.make(valueBytes, 0.5)
  const { elapsed, operations: puts } = await Lanes.run(
    database,
    { operationsMax: Infinity, seconds, lanes, seed: 1, timeAll: true },
    () => ({ begin: (_, random) => database.put(Key.make(random() % entries), value(random), durable) })
  )
  await database.run(Loop.one(database.flush()))
  await database.settle?.()
  const requests = await stats()
  const userBytes = puts * (Key.lengthBytes + valueBytes)
  const uploadedBytes = total(requests, uploads, "bytes")
  return {
    phase: "put",
    durable,
    lanes,
    puts,
    putsPerSecond: Math.round((puts / elapsed.nanoseconds) * 1e9),
    cpuMicrosPerPut: elapsed.cpuMicros / puts,
    userBytes,
    uploadedBytes,
    writeAmplification: uploadedBytes / userBytes,
    dearRequestsPer1000: (total(requests, dear, "count") / puts) * 1000,
    cheapRequestsPer1000: (total(requests, cheap, "count") / puts) * 1000,
    requests
  }
}

const getting = async <P extends object>(
  database: Database<P>,
  { entries }: Task,
  stats: () => Promise<Stats>
): Promise<Line> => {
  const course = { operationsMax: Infinity, seconds: coldSeconds, lanes: coldLanes, seed: 5, timeAll: true }
  const { elapsed, operations: gets } = await Lanes.run(database, course, () => ({
    begin: (_, random) => {
      const answer = database.get(Key.make(random() % entries))
      return answer === undefined || answer instanceof Uint8Array ? undefined : answer
    }
  }))
  const requests = await stats()
  return {
    phase: "cold get",
    gets,
    getsPerSecond: Math.round((gets / elapsed.nanoseconds) * 1e9),
    cheapRequestsPer1000: (total(requests, cheap, "count") / gets) * 1000,
    requests
  }
}

const total = (stats: Stats, kind: RegExp, of: "count" | "bytes"): number =>
  Object.entries(stats)
    .filter(([name]) => kind.test(name))
    .reduce((sum, [, stat]) => sum + stat[of], 0)
