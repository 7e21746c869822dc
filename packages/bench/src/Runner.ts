/**
 * Runs the workloads of one comparison.
 *
 * Each engine has a process of its own for the whole comparison. The runs of all
 * engines are interleaved, and every second run goes through them in reversed
 * order: whatever disturbs the machine for a while, or drifts, meets all engines
 * alike. Never do two engines run at the same time.
 */
import { writeFile } from "node:fs/promises"
import * as os from "node:os"
import * as path from "node:path"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Child from "./Child.ts"
import type * as Engines from "./Engines.ts"
import * as Load from "./Load.ts"
import type * as Options from "./Options.ts"
import type { Measurement } from "./Protocol.ts"
import * as Report from "./Report.ts"
import * as Table from "./Table.ts"
import type { Parameters } from "./Workload.ts"
import * as Workloads from "./Workloads.ts"

interface Contender {
  readonly name: Engines.Name
  readonly child: Child.Child
  readonly info: Report.EngineInfo
}

/** A workload with the parameters that a comparison varies. */
interface Case {
  readonly workload: Workloads.Name
  readonly lanes: number
  readonly putPercent: number | undefined
}

/** Prints a table per workload and one of them all, and gives the report. */
export const run = Effect.fnUntraced(function* (options: Options.Bench) {
  const report = yield* measure(options, (result, soFar) =>
    // Written again and again, so that a comparison that is broken off leaves what it has.
    Effect.andThen(
      Console.log(`\n### ${heading(options, result)}\n\n${Table.ofResult(result, options.baseline)}`),
      written(options, soFar)
    )
  )
  yield* Console.log(`\n## Ratios to ${options.baseline}, CPU time per operation\n\n${Table.sideBySide(report)}`)
  return report
})

/** Measures everything that is asked for, and says each result when it is there. */
export const measure = Effect.fnUntraced(function* (
  options: Options.Bench,
  onResult: (result: Report.Result, soFar: Report.Report) => Effect.Effect<void>
) {
  const fileSystem = yield* FileSystem.FileSystem
  const scratch = yield* fileSystem.makeTempDirectoryScoped({
    directory: options.directory ?? os.tmpdir(),
    prefix: "bench-"
  })
  const { contenders, skipped } = yield* entered(options, scratch)
  const results: Array<Report.Result> = []
  const report: Report.Report = {
    node: process.version,
    cpus: os.cpus().length,
    at: new Date().toISOString(),
    baseline: options.baseline,
    options: { ...options, directory: undefined, json: undefined, s3: undefined },
    engines: Object.fromEntries(contenders.map(({ info, name }) => [name, info])),
    skipped,
    results
  }
  for (const each of cases(options)) {
    const result = yield* compared(options, contenders, each)
    results.push(result)
    yield* onResult(result, report)
  }
  return report
}, Effect.scoped)

/** The engines that could be started, with a database loaded where a workload needs one. */
const entered = Effect.fnUntraced(function* (options: Options.Bench, scratch: string) {
  const needsLoad = options.workloads.some((workload) => Workloads.byName[workload].database === "loaded")
  const contenders: Array<Contender> = []
  const skipped: Partial<Record<Engines.Name, string>> = {}
  for (const name of options.engines) {
    const enter = Effect.gen(function* () {
      const child = yield* Child.spawn
      const description = yield* child.call("assign", {
        engine: name,
        mode: options.mode,
        store: options.store,
        s3: options.s3,
        settings: options.settings,
        directory: path.join(scratch, name)
      })
      const load = needsLoad ? yield* child.call("load", loadOptions(options)) : undefined
      if (load !== undefined) {
        const speed = `${Table.figure(load.entriesPerSecond)} entries/s`
        yield* Console.error(`loaded ${name}: ${speed}, rss ${Math.round(load.rssMiB)} MiB`)
      }
      contenders.push({ name, child, info: { ...description, load } })
    })
    yield* Effect.catch(enter, (error) => {
      skipped[name] = Child.firstLine(error)
      return Console.error(`skip ${name}: ${skipped[name]}`)
    })
  }
  return { contenders, skipped }
})

const compared = Effect.fnUntraced(function* (
  options: Options.Bench,
  contenders: ReadonlyArray<Contender>,
  each: Case
) {
  const runs = new Map(contenders.map(({ name }) => [name, [] as Array<Measurement | undefined>]))
  const failures: Partial<Record<Engines.Name, string>> = {}
  for (let run = -options.warmUps; run < options.runs; run++) {
    for (const { child, name } of order(contenders, run)) {
      const { heldScans, secondsMin } = options
      const request = { workload: each.workload, parameters: parameters(options, each, run), heldScans, secondsMin }
      const measured = yield* Effect.catch(child.call("run", request), (error) => {
        failures[name] = Child.firstLine(error)
        return Effect.as(Console.error(`${each.workload} ${name} run ${run}: ${failures[name]}`), undefined)
      })
      if (run >= 0) runs.get(name)?.push(measured)
    }
  }
  const baseline = runs.get(options.baseline) ?? []
  const engines: Partial<Record<Engines.Name, Report.EngineResult>> = {}
  for (const [name, of] of runs) {
    const result = Report.engineResult(of, baseline, options.stats)
    if (result !== undefined) engines[name] = result
  }
  return { ...each, engines, failures }
})

/** Every second run goes backwards. */
export const order = <A>(contenders: ReadonlyArray<A>, run: number): ReadonlyArray<A> =>
  run % 2 === 0 ? contenders : contenders.toReversed()

const cases = (options: Options.Bench): ReadonlyArray<Case> =>
  options.workloads.flatMap((workload) =>
    options.lanes.flatMap((lanes) =>
      (workload === "bencher" ? options.putPercents : [undefined]).map((putPercent) => ({
        workload,
        lanes,
        putPercent
      }))
    )
  )

const parameters = (options: Options.Bench, { lanes, putPercent = 0 }: Case, run: number): Parameters => ({
  operationsMax: options.operationsMax,
  entries: options.entries,
  valueBytes: options.valueBytes,
  batchEntries: options.batchEntries,
  seconds: options.seconds,
  durable: options.durable,
  keysPerLane: options.keysPerLane,
  scanLimit: options.scanLimit,
  writesPerSecond: options.writesPerSecond,
  preload: options.preload,
  lanes,
  putPercent,
  seed: run + options.warmUps + 1
})

const loadOptions = (options: Options.Bench) => ({
  ...Load.defaults,
  entries: options.entries,
  valueBytes: options.valueBytes,
  flush: options.flush,
  parts: options.loadParts,
  touch: options.warmUps > 0
})

const heading = (options: Options.Bench, result: Report.Result): string => {
  const { durable, entries, mode, operationsMax, runs, seconds, store, valueBytes } = options
  const sizes = `val=${valueBytes} n=${operationsMax} total=${entries}`
  return `${Table.title(result)} ${sizes} mode=${mode} durable=${durable} store=${store} runs=${runs}x${seconds}s`
}

const written = ({ json }: Options.Bench, report: Report.Report) =>
  json === undefined ? Effect.void : Effect.promise(() => writeFile(json, `${Table.json(report, 1)}\n`))
