import { readFile } from "node:fs/promises"
import * as path from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as TestConsole from "effect/testing/TestConsole"
import type * as Report from "../../src/Report.ts"
import * as Scale from "../../src/scale/Scale.ts"
import * as ScaleOptions from "../../src/scale/ScaleOptions.ts"
import * as ScaleReport from "../../src/scale/ScaleReport.ts"

const parse = (line: string) =>
  Effect.gen(function* () {
    const seen: Array<ScaleOptions.ScaleOptions> = []
    const command = Command.make("scale", ScaleOptions.flags, (options) => Effect.sync(() => seen.push(options)))
    yield* Command.runWith(command, { version: "0", renderErrors: false })(
      `--json report.json ${line}`.trim().split(" ")
    )
    const [options] = seen
    return options === undefined ? yield* Effect.die("no options") : options
  }).pipe(Effect.provide(NodeServices.layer))

describe("ScaleOptions", () => {
  it.effect("without options ask for every curve that the issue of growth is about", () =>
    Effect.gen(function* () {
      const sweeps = ScaleOptions.sweeps(yield* parse(""))
      const of = (by: ScaleReport.Quantity) => sweeps.filter((sweep) => sweep.by === by)
      assert.deepStrictEqual(
        of("entries").map(({ workload }) => workload),
        [...ScaleOptions.workloads]
      )
      assert.deepStrictEqual(of("entries")[0]?.values, [1e4, 1e5, 1e6, 1e7])
      assert.deepStrictEqual(
        of("lanes").map(({ workload }) => workload),
        ScaleOptions.workloads.filter((workload) => workload !== "readseq")
      )
      assert.deepStrictEqual(
        [...of("heldScans"), ...of("level0Tables")].map(({ values, workload }) => [workload, values]),
        [
          ["overwrite", [0, 10, 100, 1000]],
          ["readrandom", [0, 10, 100, 1000]],
          ["overwrite", [1, 2, 4, 8]],
          ["readrandom", [1, 2, 4, 8]]
        ]
      )
    })
  )

  it.effect("read lists, and refuse what is out of bounds", () =>
    Effect.gen(function* () {
      const options = yield* parse("--workload readrandom --curves lanes,entries --sizes 1e3,5000 --lanes 2 --runs 3")
      assert.deepInclude(options, { curves: ["lanes", "entries"], sizes: [1000, 5000], lanes: [2], runs: 3 })
      for (const line of ["--sizes 999", "--workload fillseq", "--curves time", "--lanes 0", "--total 10"]) {
        assert.isTrue(Exit.isFailure(yield* Effect.exit(parse(line))), line)
      }
    })
  )

  it.effect("say a point in the words of the harness: one quantity varied, the others still", () =>
    Effect.gen(function* () {
      const options = yield* parse("--total 2000 --seconds 0.25")
      const still = { entries: 2000, lanes: [1], heldScans: 0, loadParts: 1, warmUps: 1, secondsMin: 0.25 }
      const bench = (workload: (typeof ScaleOptions.workloads)[number], by: ScaleReport.Quantity, at: number) =>
        ScaleOptions.bench(options, { workload, by, values: [at] }, at)
      assert.deepInclude(bench("readrandom", "entries", 5000), { ...still, entries: 5000, seconds: 0.25 })
      assert.deepInclude(bench("bencher", "lanes", 16), { ...still, lanes: [16], keysPerLane: 125 })
      assert.deepInclude(bench("overwrite", "heldScans", 100), { ...still, heldScans: 100 })
      assert.deepInclude(bench("readrandom", "level0Tables", 4), { ...still, loadParts: 4 })
    })
  )

  it.effect("let a fill go on to its last entry, in memtables of the default size", () =>
    Effect.gen(function* () {
      const options = yield* parse("--minutes 3")
      const fill = ScaleOptions.bench(options, { workload: "fillbatch", by: "entries", values: [] }, 1e7)
      assert.deepInclude(fill, { operationsMax: 1e7, seconds: 180 })
      assert.notProperty(fill.settings, "l0_sst_size_bytes")
      const read = ScaleOptions.bench(options, { workload: "readseq", by: "entries", values: [] }, 1e7)
      assert.property(read.settings, "l0_sst_size_bytes")
    })
  )

  it.effect("store durable puts eagerly, and let a given setting go before", () =>
    Effect.gen(function* () {
      const options = yield* parse("--set l0_max_ssts=9")
      assert.deepInclude(ScaleOptions.settings(options, "durableput"), { wal_flush: "eager", l0_max_ssts: 9 })
      assert.notProperty(ScaleOptions.settings(options, "overwrite"), "wal_flush")
    })
  )
})

const measured: Report.EngineResult = {
  runs: 3,
  operationsPerSecond: { median: 250_000, min: 100_000, max: 500_000 },
  microsPerOperation: 4,
  cpuMicrosPerOperation: 5,
  megabytesPerSecond: 1,
  p50Micros: undefined,
  p99Micros: undefined,
  rssMiB: 1,
  level0Tables: 2,
  ratio: undefined,
  extra: undefined
}

describe("Scale", () => {
  it("does not begin what would not fit into memory", () => {
    assert.isUndefined(Scale.memoryShortage({ entries: 1000, valueBytes: 84 }, 800_000))
    assert.match(
      Scale.memoryShortage({ entries: 1e7, valueBytes: 100 }, 2 ** 30) ?? "",
      /^not enough memory: neededGiB=8.6 freeGiB=1$/
    )
  })

  it("leaves a point out whose engine was skipped, failed a run, or has other tables than the point is about", () => {
    const report = (parts: Partial<Report.Report>): Report.Report => ({
      node: "",
      cpus: 1,
      at: "",
      baseline: "ours",
      options: {},
      engines: {},
      skipped: {},
      results: [],
      ...parts
    })
    const result = {
      workload: "readseq",
      lanes: 1,
      putPercent: undefined,
      engines: { ours: measured },
      failures: {}
    } as const
    const omitted = (reason: string) => ({ at: 5, reason })
    const skipped = report({ skipped: { ours: "no store" } })
    assert.deepStrictEqual(Scale.pointOf(skipped, "entries", 5), omitted("no store"))
    const failed = report({ results: [{ ...result, failures: { ours: "wrong" } }] })
    assert.deepStrictEqual(Scale.pointOf(failed, "entries", 5), omitted("wrong"))
    assert.deepStrictEqual(Scale.pointOf(report({}), "entries", 5), omitted("no run was measured"))
    const done = report({ results: [result] })
    assert.deepStrictEqual(
      Scale.pointOf(done, "level0Tables", 5),
      omitted("level 0 has another number of tables: found=2")
    )
    assert.deepInclude(Scale.pointOf(done, "level0Tables", 2), { at: 2, level0Tables: 2 })
  })

  it("takes the cost of a point from its runs: the median, and the ends from the fastest and the slowest", () => {
    const result = {
      workload: "readseq",
      lanes: 1,
      putPercent: undefined,
      engines: { ours: measured },
      failures: {}
    } as const
    const report = { node: "", cpus: 1, at: "", baseline: "ours", options: {}, engines: {}, skipped: {} } as const
    const point = Scale.pointOf({ ...report, results: [result] }, "entries", 1000)
    assert.deepInclude(point, { at: 1000, runs: 3, microsPerOperation: { median: 4, min: 2, max: 10 } })
  })

  it.effect("measures its points and writes them down", () =>
    Effect.gen(function* () {
      const directory = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
      const json = path.join(directory, "scale.json")
      const options = yield* parse(
        "--workload overwrite --curves heldScans,level0Tables --total 1000 --runs 1 --seconds 0.01"
      )
      yield* Scale.run({ ...options, json })
      const { curves } = yield* ScaleReport.decode(yield* Effect.promise(() => readFile(json, "utf8")))
      assert.deepStrictEqual(
        curves.map(({ omitted, points }) => [points.map(({ at }) => at), omitted]),
        [
          [[0, 10, 100, 1000], []],
          [[1, 2, 4, 8], []]
        ]
      )
      for (const { microsPerOperation, runs } of curves.flatMap(({ points }) => points)) {
        assert.strictEqual(runs, 1)
        assert.isAbove(microsPerOperation.median, 0)
      }
      assert.match((yield* TestConsole.logLines).join("\n"), /overwrite level0Tables=8: [\d.]+ us/)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("leaves out what takes too long, and what memory does not allow", () =>
    Effect.gen(function* () {
      const directory = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
      const options = yield* parse("--workload readseq --curves entries --sizes 1000 --minutes 0.001")
      const { curves } = yield* Scale.run({ ...options, json: path.join(directory, "scale.json") })
      assert.deepStrictEqual(curves[0]?.omitted, [{ at: 1000, reason: "not done in 0.001 minutes" }])
      assert.deepStrictEqual(curves[0]?.points, [])

      const huge = yield* parse("--workload readseq --curves entries --sizes 1e9 --val 100000 --minutes 0.001")
      const nothing = yield* Scale.run({ ...huge, json: path.join(directory, "huge.json") })
      assert.match(nothing.curves[0]?.omitted[0]?.reason ?? "", /^not enough memory/)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})
