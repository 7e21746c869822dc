import * as os from "node:os"
import * as path from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestConsole from "effect/testing/TestConsole"
import * as Child from "../src/Child.ts"
import type * as Options from "../src/Options.ts"
import * as Runner from "../src/Runner.ts"
import * as Table from "../src/Table.ts"

const directory = path.join(os.tmpdir(), "bench-test-child")

const options: Options.Bench = {
  engines: ["map", "null"],
  baseline: "map",
  workloads: ["fillseq", "readrandom", "bencher"],
  operationsMax: 200,
  entries: 100,
  valueBytes: 20,
  batchEntries: 10,
  seconds: 0.05,
  runs: 2,
  warmUps: 0,
  secondsMin: 0,
  loadParts: 1,
  preload: false,
  heldScans: 0,
  lanes: [1],
  mode: "best",
  durable: false,
  store: "memory",
  s3: undefined,
  putPercents: [0, 50],
  keysPerLane: 20,
  scanLimit: undefined,
  writesPerSecond: undefined,
  flush: true,
  settings: {},
  stats: false,
  directory: undefined,
  json: undefined
}

describe("Runner", () => {
  it.effect("compares engines, each in a process of its own", () =>
    Effect.gen(function* () {
      const report = yield* Runner.run(options)
      assert.deepStrictEqual(Object.keys(report.engines), ["map", "null"])
      assert.deepStrictEqual(
        report.results.map(({ putPercent, workload }) => [workload, putPercent]),
        [
          ["fillseq", undefined],
          ["readrandom", undefined],
          ["bencher", 0],
          ["bencher", 50]
        ]
      )
      for (const { engines } of report.results) {
        assert.strictEqual(engines.map?.runs, 2)
        assert.deepStrictEqual(engines.map?.ratio, { median: 1, min: 1, max: 1 })
        assert.isAbove(engines.null?.ratio?.median ?? 0, 0)
      }
      const printed = (yield* TestConsole.logLines).join("\n")
      assert.include(printed, "### bencher put 50% val=20 n=200 total=100 mode=best")
      assert.include(printed, Table.sideBySide(report))
    }).pipe(Effect.provide(NodeServices.layer))
  )
})

describe("Runner.measure", () => {
  it.effect("counts no warm-up, and repeats what is over too soon", () =>
    Effect.gen(function* () {
      const course = { ...options, engines: ["null"], baseline: "null", workloads: ["fillseq"] } as const
      const report = yield* Runner.measure({ ...course, warmUps: 2, secondsMin: 0.002, stats: true }, () => Effect.void)
      const measured = report.results[0]?.engines.null
      assert.strictEqual(measured?.runs, 2)
      assert.isAbove(measured?.counters?.operations ?? 0, course.operationsMax)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("says why an engine was left out, or failed its runs", () =>
    Effect.gen(function* () {
      const course = { ...options, workloads: ["readrandom"], heldScans: 1 } as const
      const report = yield* Runner.measure({ ...course, engines: ["map", "ours"], store: "s3" }, () => Effect.void)
      assert.match(report.skipped.ours ?? "", /the s3 store needs an endpoint/)
      assert.deepStrictEqual(report.results[0]?.failures, { map: "Error: the engine cannot hold scans open" })
    }).pipe(Effect.provide(NodeServices.layer))
  )
})

describe("Child", () => {
  it.live("fails a command that its process refuses", () =>
    Effect.gen(function* () {
      const child = yield* Child.spawn
      const error = yield* Effect.flip(
        child.call("load", { entries: 1, valueBytes: 1, batchEntries: 1, flush: false, parts: 1, touch: false })
      )
      assert.strictEqual(Child.firstLine(error), "Error: no engine is assigned to this process")
    }).pipe(Effect.scoped)
  )

  it.live("says which store an engine stands on", () =>
    Effect.gen(function* () {
      const child = yield* Child.spawn
      const assignment = { mode: "best", s3: undefined, settings: {}, directory } as const
      const local = yield* child.call("assign", { ...assignment, engine: "map", store: "s3" })
      assert.strictEqual(local.store, "local")
      const uniffi = yield* child.call("assign", { ...assignment, engine: "uniffi", store: "file" })
      assert.strictEqual(uniffi.store, "file")
    }).pipe(Effect.scoped)
  )

  it.live("fails the command under way when its process ends, and every later one", () =>
    Effect.gen(function* () {
      const child = yield* Child.spawn
      const load = { entries: 1000, valueBytes: 1, batchEntries: 1, flush: false, parts: 1, touch: false }
      const assignment = { mode: "best", store: "memory", s3: undefined, settings: {}, directory } as const
      yield* child.call("assign", { ...assignment, engine: "map" })
      process.kill(child.pid, "SIGKILL")
      for (const attempt of ["under way", "later"]) {
        const error = yield* Effect.flip(child.call("load", load))
        assert.match(Child.firstLine(error), /^the process of the engine/, attempt)
      }
    }).pipe(Effect.scoped)
  )

  it.live("kills its process when its scope closes, also while a command is under way", () =>
    Effect.gen(function* () {
      const spawned = yield* Deferred.make<number>()
      const busy = Effect.gen(function* () {
        const child = yield* Child.spawn
        yield* Deferred.succeed(spawned, child.pid)
        const assignment = {
          engine: "map",
          mode: "best",
          store: "memory",
          s3: undefined,
          settings: {},
          directory
        } as const
        const task = { part: "memory", entries: 1, valueBytes: 1, flush: true, scan: true, idleSeconds: 600 } as const
        yield* child.call("lifecycle", { ...task, assignment, lanes: 1, seconds: 1, durable: false })
      })
      const ended = yield* Effect.timeoutOption(Effect.scoped(busy), "400 millis")
      assert.isTrue(Option.isNone(ended))
      const pid = yield* Deferred.await(spawned)
      assert.throws(() => process.kill(pid, 0), /ESRCH/)
    })
  )

  it.live("refuses a workload that reads before a database is loaded", () =>
    Effect.gen(function* () {
      const child = yield* Child.spawn
      const assignment = { mode: "best", store: "memory", s3: undefined, settings: {}, directory } as const
      yield* child.call("assign", { ...assignment, engine: "map" })
      const parameters = { ...options, lanes: 1, putPercent: 0, seed: 1 }
      const error = yield* Effect.flip(
        child.call("run", { workload: "readseq", parameters, secondsMin: 0, heldScans: 0 })
      )
      assert.strictEqual(Child.firstLine(error), "Error: workload needs a loaded database: workload=readseq")
    }).pipe(Effect.scoped)
  )
})
