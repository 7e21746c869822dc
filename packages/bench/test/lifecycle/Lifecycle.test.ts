import { mkdtemp, rm } from "node:fs/promises"
import * as os from "node:os"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Engines from "../../src/Engines.ts"
import * as Lifecycle from "../../src/Lifecycle.ts"
import type { Part, Task } from "../../src/lifecycle/Task.ts"

const withFolder = async (use: (directory: string) => Promise<void>): Promise<void> => {
  const directory = await mkdtemp(path.join(os.tmpdir(), "bench-test-"))
  try {
    await use(directory)
  } finally {
    // Tasks of an engine may write a file after it was closed.
    await rm(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
  }
}

const taskOf = (name: Engines.Name, directory: string, part: Part): Task => ({
  part,
  assignment: { engine: name, mode: "best", store: "file", s3: undefined, settings: {}, directory },
  entries: 2000,
  valueBytes: 224,
  flush: true,
  scan: true,
  idleSeconds: 0,
  lanes: 1,
  seconds: 0,
  durable: false
})

const run = async (name: Engines.Name, directory: string, part: Part, given: Partial<Task> = {}) => {
  const task = { ...taskOf(name, directory, part), ...given }
  const lines = await Engines.withEngine(name, "best", (engine) => Lifecycle.run(engine, task))
  assert.strictEqual(lines.length, 1)
  return lines[0] ?? {}
}

const above = (value: unknown, least: number): void => {
  assert.isNumber(value)
  assert.isAbove(Number(value), least)
}

describe("Lifecycle", { timeout: 60_000 }, () => {
  for (const engine of ["uniffi", "ours"] as const) {
    it(`counts what is uploaded, and what is read for a get and a scan: engine=${engine}`, () =>
      withFolder(async (directory) => {
        const loaded = await run(engine, directory, "load")
        above(loaded["storedBytesPerUserByte"], 2)
        const scanned = await run(engine, directory, "scan")
        assert.strictEqual(scanned["scanEntries"], 2000)
        above(scanned["scanRequests"], 1)
        const opened = await run(engine, directory, "open", { scan: false })
        above(opened["coldGetRequests"], 0)
        assert.isNumber(opened["indexedGetRequests"])
        assert.isUndefined(opened["scanEntries"])
      }))

    it(`measures a compaction from its beginning to its end: engine=${engine}`, () =>
      withFolder(async (directory) => {
        const compacted = await run(engine, directory, "compaction", { entries: 40_000 })
        assert.strictEqual(compacted["inputMegabytes"], 9.6)
        above(compacted["bytesCompacted"], 9e6)
        above(compacted["megabytesPerCpuSecond"], 0)
      }))
  }

  it("has the store imported before it opens", () =>
    withFolder(async (directory) => {
      const calls: Array<string> = []
      await Engines.withEngine("ours", "best", (engine) =>
        Lifecycle.run(
          {
            ...engine,
            prepare: async (store) => {
              await engine.prepare?.(store)
              calls.push(`prepared ${store}`)
            },
            open: (options) => {
              calls.push(`open ${options.store}`)
              return engine.open(options)
            }
          },
          taskOf("ours", directory, "load")
        )
      )
      assert.deepStrictEqual(calls, ["prepared file", "open file"])
    }))

  it("knows neither requests nor compactions of an engine that does not count them", () =>
    withFolder(async (directory) => {
      const loaded = await run("map", directory, "load")
      assert.isUndefined(loaded["megabytesCompacted"])
      const failure = await run("map", directory, "compaction").then(() => "", String)
      assert.match(failure, /does not count compactions/)
    }))

  it("takes a scan that does not give all entries for wrong", () =>
    withFolder(async (directory) => {
      const failure = await run("map", directory, "scan").then(() => "", String)
      assert.match(failure, /the scan is wrong: found=0 of=2000/)
    }))
})
