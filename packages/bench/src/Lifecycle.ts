/**
 * What throughput does not show: opening after a clean end and after a crash,
 * memory, requests and their bytes, compaction. One engine, in a process of its
 * own; each measurement is one line of JSON.
 *
 * These are single measurements without a peer beside them: for ratios `Turns` runs
 * them in turns, several times.
 */
import { mkdir } from "node:fs/promises"
import * as path from "node:path"
import type { Engine } from "./Engine.ts"
import { storeOf } from "./Engine.ts"
import * as Compaction from "./lifecycle/Compaction.ts"
import * as Filling from "./lifecycle/Filling.ts"
import * as Memory from "./lifecycle/Memory.ts"
import * as Opening from "./lifecycle/Opening.ts"
import * as Requests from "./lifecycle/Requests.ts"
import type { Line, Open, Part, Task } from "./lifecycle/Task.ts"

export const run = async <P extends object>(engine: Engine<P>, task: Task): Promise<ReadonlyArray<Line>> => {
  const { assignment, entries, part, valueBytes } = task
  const store = storeOf(engine, assignment.store)
  await mkdir(assignment.directory, { recursive: true })
  if (store !== undefined) await engine.prepare?.(store)
  const open: Open<P> = (settings = {}) =>
    engine.open({
      directory: assignment.directory,
      // A bucket is shared: each folder, by its last two names, has its own prefix in it, as it has its own files elsewhere.
      path: store === "s3" ? ["lifecycle", ...assignment.directory.split(path.sep).slice(-2)].join("/") : "db",
      store: store ?? "file",
      s3: assignment.s3,
      settings: { ...assignment.settings, ...settings },
      mode: assignment.mode
    })
  const about = { part, engine: engine.name, version: engine.version, store: store ?? "local", entries, valueBytes }
  const lines = await measure(part, open, task)
  return lines.map((line) => ({ ...about, ...line }))
}

const measure = async <P extends object>(part: Part, open: Open<P>, task: Task): Promise<ReadonlyArray<Line>> => {
  switch (part) {
    case "load":
      return [await Filling.run(open, task)]
    case "open":
      return [await Opening.run(open, task)]
    case "scan":
      return [await Opening.runScan(open, task)]
    case "memory":
      return [await Memory.run(open, task)]
    case "requests":
      return Requests.run(open, task)
    case "compaction":
      return [await Compaction.run(open, task)]
  }
}
