/**
 * Figures as people read them: Markdown tables and short JSON.
 */
import type { EngineResult, Report, Result } from "./Report.ts"

type Row = ReadonlyArray<string>

/** Three significant digits or whole numbers, by size; a dash for what is not known. */
export const figure = (value: number | undefined): string => {
  if (value === undefined || Number.isNaN(value)) return "-"
  if (value >= 1000) return Math.round(value).toLocaleString("en-US")
  if (value >= 10) return value.toFixed(1)
  return value.toFixed(value < 0.1 ? 3 : 2)
}

/** JSON whose numbers are rounded to three decimals: the rest is noise. */
export const json = (value: unknown, indent = 0): string =>
  JSON.stringify(
    value,
    (_, each: unknown) => (typeof each === "number" ? Math.round(each * 1000) / 1000 : each),
    indent
  )

/** A table whose first column is text and whose others are numbers. */
export const table = (head: Row, rows: ReadonlyArray<Row>): string => {
  const line = (cells: Row) => `| ${cells.join(" | ")} |`
  const rule = `|${head.map((_, column) => (column === 0 ? "---" : "---:")).join("|")}|`
  return [line(head), rule, ...rows.map(line)].join("\n")
}

/** One workload, an engine in each row. */
export const ofResult = (result: Result, baseline: string): string => {
  const head = ["engine", "ops/s", "us/op", "cpu us/op", "p50 us", "p99 us", "MB/s", "RSS MiB", `vs ${baseline}`]
  const rows = Object.entries(result.engines).map(([name, engine]) => [
    name,
    figure(engine.operationsPerSecond.median),
    figure(engine.microsPerOperation),
    figure(engine.cpuMicrosPerOperation),
    figure(engine.p50Micros),
    figure(engine.p99Micros),
    figure(engine.megabytesPerSecond),
    figure(engine.rssMiB),
    times(engine),
    engine.ratio === undefined ? "-" : `${figure(engine.ratio.min)}..${figure(engine.ratio.max)}`,
    counts(engine.extra),
    ...(engine.counters === undefined ? [] : [counts(engine.counters.counts)])
  ])
  const counted = Object.values(result.engines).some((engine) => engine.counters !== undefined)
  return table([...head, "range", "extra", ...(counted ? ["counters"] : [])], rows)
}

/** All workloads, an engine in each column: the ratio to the baseline, and processor time per operation. */
export const sideBySide = ({ baseline, engines, results }: Report): string => {
  const names = Object.keys(engines) as ReadonlyArray<keyof Result["engines"]>
  const rows = results.map((result) => [
    title(result),
    ...names.map((name) => {
      const engine = result.engines[name]
      if (engine === undefined) return "-"
      const speed = name === baseline ? `${figure(engine.operationsPerSecond.median)}/s` : times(engine)
      return `${speed} (${figure(engine.cpuMicrosPerOperation)} us)`
    })
  ])
  return table(["workload", ...names], rows)
}

export const title = ({ lanes, putPercent, workload }: Result): string =>
  [
    workload,
    ...(putPercent === undefined ? [] : [`put ${putPercent}%`]),
    ...(lanes === 1 ? [] : [`lanes=${lanes}`])
  ].join(" ")

const times = ({ ratio }: EngineResult): string => (ratio === undefined ? "-" : `${figure(ratio.median)}x`)

const counts = (counted: Readonly<Record<string, number>> | undefined): string =>
  Object.entries(counted ?? {})
    .map(([name, count]) => `${name}=${count}`)
    .join(" ")
