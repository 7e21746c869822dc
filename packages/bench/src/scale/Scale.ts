/**
 * Measures how the cost of an operation grows: every point is one comparison of the
 * harness with effect-slatedb alone in it, in a process of its own.
 *
 * A point that memory or time does not allow is left out with a note.
 */
import { writeFile } from "node:fs/promises"
import * as os from "node:os"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as PlatformError from "effect/PlatformError"
import * as Key from "../Key.ts"
import type * as Options from "../Options.ts"
import * as PackageVersion from "../PackageVersion.ts"
import type * as Report from "../Report.ts"
import * as Runner from "../Runner.ts"
import * as Table from "../Table.ts"
import * as ScaleOptions from "./ScaleOptions.ts"
import type { Curve, Omission, Point, Quantity, ScaleReport } from "./ScaleReport.ts"

/** Measures all curves; writes the report after every point, so that what is broken off leaves what it has. */
export const run = Effect.fnUntraced(function* (options: ScaleOptions.ScaleOptions) {
  const curves: Array<Curve> = []
  const report = reportOf(options, curves)
  const write = Effect.promise(() => writeFile(options.json, `${Table.json(report, 1)}\n`))
  for (const sweep of ScaleOptions.sweeps(options)) {
    const points: Array<Point> = []
    const omitted: Array<Omission> = []
    curves.push({ workload: sweep.workload, by: sweep.by, points, omitted })
    for (const at of sweep.values) {
      const measured = yield* point(ScaleOptions.bench(options, sweep, at), sweep, at, options.minutes)
      if ("reason" in measured) omitted.push(measured)
      else points.push(measured)
      yield* Console.log(`${sweep.workload} ${sweep.by}=${at}: ${said(measured)}`)
      yield* write
    }
  }
  return report
})

const point = Effect.fnUntraced(function* (
  options: Options.Bench,
  { by }: ScaleOptions.Sweep,
  at: number,
  minutes: number
): Effect.fn.Return<Point | Omission, PlatformError.PlatformError, FileSystem.FileSystem> {
  const shortage = memoryShortage(options, os.freemem())
  if (shortage !== undefined) return { at, reason: shortage }
  const report = yield* Runner.measure(options, () => Effect.void).pipe(Effect.timeoutOption(`${minutes} minutes`))
  if (Option.isNone(report)) return { at, reason: `not done in ${minutes} minutes` }
  return pointOf(report.value, by, at)
})

/** What a report of one engine in one workload says. */
export const pointOf = ({ results, skipped }: Report.Report, by: Quantity, at: number): Point | Omission => {
  const ours = results[0]?.engines.ours
  const reason = skipped.ours ?? results[0]?.failures.ours
  if (ours === undefined || reason !== undefined) return { at, reason: reason ?? "no run was measured" }
  const { cpuMicrosPerOperation, level0Tables, microsPerOperation, operationsPerSecond, p50Micros, p99Micros } = ours
  if (by === "level0Tables" && level0Tables !== at) {
    return { at, reason: `level 0 has another number of tables: found=${level0Tables}` }
  }
  return {
    at,
    runs: ours.runs,
    microsPerOperation: {
      median: microsPerOperation,
      min: 1e6 / operationsPerSecond.max,
      max: 1e6 / operationsPerSecond.min
    },
    cpuMicrosPerOperation,
    p50Micros,
    p99Micros,
    rssMiB: ours.rssMiB,
    level0Tables
  }
}

/**
 * Bytes of memory for one byte of entries: memtable, WAL and tables in the store, and
 * the cache, each with what it adds to an entry.
 */
const memoryFactor = 8

/** Why a point is not even begun; the machine would swap, or kill some process, not always this one. */
export const memoryShortage = (
  { entries, valueBytes }: Pick<Options.Bench, "entries" | "valueBytes">,
  freeBytes: number
): string | undefined => {
  const neededBytes = entries * (Key.lengthBytes + valueBytes) * memoryFactor
  if (neededBytes <= freeBytes) return undefined
  return `not enough memory: neededGiB=${gibibytes(neededBytes)} freeGiB=${gibibytes(freeBytes)}`
}

const gibibytes = (bytes: number): number => Math.round((bytes / 2 ** 30) * 10) / 10

const reportOf = (options: ScaleOptions.ScaleOptions, curves: ReadonlyArray<Curve>): ScaleReport => ({
  engine: `effect-slatedb ${PackageVersion.of("@effect-slatedb/core")}`,
  node: process.version,
  processor: os.cpus()[0]?.model ?? "unknown",
  cpus: os.cpus().length,
  memoryGiB: Math.round(os.totalmem() / 2 ** 30),
  at: new Date().toISOString(),
  valueBytes: options.valueBytes,
  entries: options.entries,
  seconds: options.seconds,
  mode: options.mode,
  store: "memory",
  settings: options.settings,
  curves
})

const said = (measured: Point | Omission): string => {
  if ("reason" in measured) return `left out: ${measured.reason}`
  const { max, median, min } = measured.microsPerOperation
  return `${Table.figure(median)} us (${Table.figure(min)}..${Table.figure(max)}), rss ${Table.figure(measured.rssMiB)} MiB`
}
