/**
 * A lifecycle measurement of two or more engines in turns: what comes of it as one table.
 *
 *     run 1   [ uniffi ][ ours ]        every run of an engine has a process of its own,
 *     run 2   [ ours ][ uniffi ]        and an empty folder; every second run goes backwards
 *     ...
 *     for each figure: medians, and the median of the ratios of single runs
 *
 * `open` and `scan` read what a process before it loaded: once for each engine, before the runs.
 */
import * as Statistics from "../Statistics.ts"
import * as Table from "../Table.ts"
import type { Line } from "./Task.ts"

/** The lines of each run, by engine; `undefined` for a run that failed. */
export type Runs = ReadonlyMap<string, ReadonlyArray<ReadonlyArray<Line> | undefined>>

/** Fields that say what was asked for. */
const given: ReadonlySet<string> = new Set(["entries", "valueBytes", "lanes", "seconds"])

/** The figures of one run by name; those of a phase by the name of the phase, too. Nested ones are left out. */
export const figures = (lines: ReadonlyArray<Line>): ReadonlyMap<string, number> =>
  new Map(
    lines.flatMap((line) => {
      const phase = typeof line["phase"] === "string" ? `${line["phase"]}: ` : ""
      return Object.entries(line).flatMap(([name, value]) =>
        typeof value === "number" && (phase === "" || !given.has(name)) ? [[phase + name, value] as const] : []
      )
    })
  )

/** A row for each figure of the first engine, which ratios are taken to. */
export const table = (runs: Runs): string => {
  const engines = [...runs].map(([name, each]) => ({
    name,
    runs: each.map((lines) => (lines === undefined ? undefined : figures(lines)))
  }))
  const [baseline, ...others] = engines
  if (baseline === undefined) return ""
  const names = [...new Set(engines.flatMap(({ runs }) => runs.flatMap((run) => [...(run?.keys() ?? [])])))]
  const of = (engine: (typeof engines)[number], name: string) => engine.runs.map((run) => run?.get(name))
  const rows = names.flatMap((name) => {
    if (given.has(name)) return []
    const ratios = others.map((engine) => Statistics.summary(Statistics.ratios(of(engine, name), of(baseline, name))))
    return [[name, ...engines.map((engine) => Table.figure(medianOf(of(engine, name)))), ...ratios.map(times)]]
  })
  const head = ["median", ...engines.map(({ name }) => name), ...others.map(({ name }) => `${name} / ${baseline.name}`)]
  return Table.table(head, rows)
}

const medianOf = (values: ReadonlyArray<number | undefined>): number | undefined =>
  Statistics.summary(values.filter((value) => value !== undefined))?.median

const times = (ratio: Statistics.Summary | undefined): string =>
  ratio === undefined || !Number.isFinite(ratio.max)
    ? "-"
    : `${Table.figure(ratio.median)}x (${Table.figure(ratio.min)} to ${Table.figure(ratio.max)})`
