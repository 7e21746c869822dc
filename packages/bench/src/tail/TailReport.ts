/**
 * What `bench tail` found out, and the arithmetic of it: plain data in, plain data out.
 *
 * Latencies count from the moment at which an operation was to begin, so that those
 * which waited behind a stall show the stall as well. A delay of the event loop is named
 * beside the garbage that was collected meanwhile.
 */
import * as Statistics from "../Statistics.ts"
import * as Table from "../Table.ts"

/** How long something took, and how long at worst. */
export interface Percentiles {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly worst: number
}

/** A stretch of time, in milliseconds of one clock. */
export interface Span {
  readonly from: number
  readonly to: number
}

export interface Collection extends Span {
  readonly kind: "minor" | "major" | "incremental" | "weak callbacks"
}

/** The longest time between two turns of the loop, and what was collected in it. */
export interface Delay {
  readonly atSeconds: number
  readonly millis: number
  readonly collections: ReadonlyArray<{ readonly kind: Collection["kind"]; readonly millis: number }>
}

export interface TailReport {
  readonly engine: string
  readonly node: string
  readonly processor: string
  readonly at: string
  readonly store: string
  readonly entries: number
  readonly valueBytes: number
  readonly putPercent: number
  readonly settings: Readonly<Record<string, unknown>>
  /** Operations a second that were reached without a pause, and of the steady load: those that were to begin, and those that ended. */
  readonly maximumPerSecond: number
  readonly offeredPerSecond: number
  readonly achievedPerSecond: number
  readonly seconds: number
  /** Tables that were flushed and compacted under the steady load. */
  readonly tablesWritten: number
  readonly compactions: { readonly count: number; readonly megabytes: number }
  /** Before anything was measured, in the same database under the same load. */
  readonly warmUp: { readonly seconds: number; readonly getMicros: Percentiles; readonly putMicros: Percentiles }
  readonly getMicros: Percentiles
  readonly putMicros: Percentiles
  readonly loopDelayMillis: Percentiles
  readonly longestTurn: { readonly millis: number; readonly place: string | undefined }
  readonly worstDelay: Delay | undefined
  readonly collections: { readonly count: number; readonly millis: number; readonly worst: Collection | undefined }
}

/** Of latencies in the order they came in. */
export const percentiles = (values: Float64Array): Percentiles => {
  const ascending = values.toSorted()
  const at = (share: number) => Statistics.percentile(ascending, share) ?? NaN
  return { count: values.length, p50: at(0.5), p99: at(0.99), p999: at(0.999), worst: at(1) }
}

/** The delay that a stretch between two turns was, seen from `start`. */
export const delay = (span: Span, start: number, collections: ReadonlyArray<Collection>): Delay => ({
  atSeconds: (span.from - start) / 1e3,
  millis: span.to - span.from,
  collections: collections
    .filter(({ from, to }) => from < span.to && to > span.from)
    .map(({ from, kind, to }) => ({ kind, millis: to - from }))
})

export const summaryOf = (collections: ReadonlyArray<Collection>): TailReport["collections"] => ({
  count: collections.length,
  millis: collections.reduce((sum, { from, to }) => sum + to - from, 0),
  worst: collections.toSorted((a, b) => b.to - b.from - (a.to - a.from))[0]
})

/** As people read it. */
export const text = (report: TailReport): string => {
  const { collections, longestTurn, worstDelay } = report
  const row = (name: string, { count, p50, p99, p999, worst }: Percentiles) => [
    name,
    String(count),
    ...[p50, p99, p999, worst].map(Table.figure)
  ]
  const rates = [report.maximumPerSecond, report.offeredPerSecond, report.achievedPerSecond].map(Table.figure)
  const pauses = (worstDelay?.collections ?? []).map(({ kind, millis }) => `${kind} ${Table.figure(millis)} ms`)
  return [
    `maximum ${rates[0]}/s; offered ${rates[1]}/s, achieved ${rates[2]}/s for ${Table.figure(report.seconds)} s, ${report.tablesWritten} tables written, ${report.compactions.count} compactions of ${Table.figure(report.compactions.megabytes)} MB`,
    "",
    Table.table(
      ["", "count", "p50", "p99", "p99.9", "worst"],
      [
        row("get, us", report.getMicros),
        row("put, us", report.putMicros),
        row("event loop delay, ms", report.loopDelayMillis),
        row(`the ${Table.figure(report.warmUp.seconds)} s before: get, us`, report.warmUp.getMicros),
        row("and put, us", report.warmUp.putMicros)
      ]
    ),
    "",
    `longest turn of the engine: ${Table.figure(longestTurn.millis)} ms (${longestTurn.place ?? "none"})`,
    `collections: ${collections.count}, ${Table.figure(collections.millis)} ms in all, the longest ${Table.figure(lengthOf(collections.worst))} ms (${collections.worst?.kind ?? "none"})`,
    `longest between two turns: ${Table.figure(worstDelay?.millis)} ms at ${Table.figure(worstDelay?.atSeconds)} s; collected in it: ${pauses.join(", ") || "nothing"}`
  ].join("\n")
}

const lengthOf = (span: Span | undefined): number | undefined => (span === undefined ? undefined : span.to - span.from)
