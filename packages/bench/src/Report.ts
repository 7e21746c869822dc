/**
 * What a run of the harness found out: plain data, written as JSON and printed as
 * tables.
 */
import type { Description, LoadReport, Measurement } from "./Protocol.ts"
import * as Statistics from "./Statistics.ts"
import type * as Engines from "./Engines.ts"
import type * as Workloads from "./Workloads.ts"

/** All runs of one engine in one workload: medians, and the extremes where they matter. */
export interface EngineResult {
  readonly runs: number
  readonly operationsPerSecond: Statistics.Summary
  readonly microsPerOperation: number
  readonly cpuMicrosPerOperation: number
  readonly megabytesPerSecond: number
  readonly p50Micros: number | undefined
  readonly p99Micros: number | undefined
  readonly rssMiB: number
  /** At the end of the last run. */
  readonly level0Tables: number | undefined
  /** Throughput through the baseline's of the same run. */
  readonly ratio: Statistics.Summary | undefined
  /** Of the last run. */
  readonly extra: Measurement["extra"]
  /** Of the last run, with its operations; only when asked for. */
  readonly counters?: { readonly operations: number; readonly counts: Measurement["counters"] } | undefined
}

export interface Result {
  readonly workload: Workloads.Name
  readonly lanes: number
  /** Of workloads that mix puts and gets. */
  readonly putPercent: number | undefined
  readonly engines: Readonly<Partial<Record<Engines.Name, EngineResult>>>
  /** What went wrong in the last run that an engine failed. */
  readonly failures: Readonly<Partial<Record<Engines.Name, string>>>
}

export interface EngineInfo extends Description {
  readonly load: LoadReport | undefined
}

export interface Report {
  readonly node: string
  readonly cpus: number
  readonly at: string
  readonly baseline: Engines.Name
  readonly options: unknown
  readonly engines: Readonly<Partial<Record<Engines.Name, EngineInfo>>>
  /** Engines that were left out, and why. */
  readonly skipped: Readonly<Partial<Record<Engines.Name, string>>>
  readonly results: ReadonlyArray<Result>
}

/** The runs of one engine by their number; `undefined` for a run that failed. */
export type Runs = ReadonlyArray<Measurement | undefined>

/** `undefined` when every run failed. */
export const engineResult = (runs: Runs, baseline: Runs, withCounters: boolean): EngineResult | undefined => {
  const done = runs.filter((run) => run !== undefined)
  const last = done.at(-1)
  const throughput = Statistics.summary(done.map((run) => run.operationsPerSecond))
  if (last === undefined || throughput === undefined) return undefined
  return {
    runs: done.length,
    operationsPerSecond: throughput,
    microsPerOperation: Statistics.median(done.map((run) => run.microsPerOperation)),
    cpuMicrosPerOperation: Statistics.median(done.map((run) => run.cpuMicrosPerOperation)),
    megabytesPerSecond: Statistics.median(done.map((run) => run.megabytesPerSecond)),
    p50Micros: Statistics.summary(done.flatMap((run) => run.p50Micros ?? []))?.median,
    p99Micros: Statistics.summary(done.flatMap((run) => run.p99Micros ?? []))?.median,
    rssMiB: Statistics.median(done.map((run) => run.rssMiB)),
    level0Tables: last.level0Tables,
    ratio: Statistics.summary(Statistics.ratios(runs.map(perSecond), baseline.map(perSecond))),
    extra: last.extra,
    ...(withCounters ? { counters: { operations: last.operations, counts: last.counters } } : {})
  }
}

const perSecond = (run: Measurement | undefined): number | undefined => run?.operationsPerSecond
