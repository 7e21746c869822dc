/**
 * Watches the event loop while something runs: its delays, and the garbage that is
 * collected.
 *
 * Node's histogram holds the time between two ticks of a timer of a millisecond: the
 * delay is what is above it.
 */
import { constants, monitorEventLoopDelay, type PerformanceEntry, PerformanceObserver } from "node:perf_hooks"
import type { Collection, Percentiles } from "./TailReport.ts"

const resolutionMillis = 1

export interface Watched {
  readonly loopDelayMillis: Percentiles
  /** In milliseconds of `performance.now()`. */
  readonly collections: ReadonlyArray<Collection>
}

/** Begins to watch; answers with the way to end it. */
export const start = (): (() => Promise<Watched>) => {
  const collections: Array<Collection> = []
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      collections.push({ kind: kindOf(entry), from: entry.startTime, to: entry.startTime + entry.duration })
    }
  })
  observer.observe({ entryTypes: ["gc"] })
  const histogram = monitorEventLoopDelay({ resolution: resolutionMillis })
  histogram.enable()
  return async () => {
    histogram.disable()
    // Entries are handed over in a later turn.
    await new Promise((resolve) => setTimeout(resolve, 50))
    observer.disconnect()
    const above = (nanos: number) => Math.max(0, nanos / 1e6 - resolutionMillis)
    const at = (percent: number) => above(histogram.percentile(percent))
    return {
      loopDelayMillis: {
        count: histogram.count,
        p50: at(50),
        p99: at(99),
        p999: at(99.9),
        worst: above(histogram.max)
      },
      collections
    }
  }
}

const kinds: Readonly<Record<number, Collection["kind"]>> = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: "minor",
  [constants.NODE_PERFORMANCE_GC_MAJOR]: "major",
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: "incremental",
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: "weak callbacks"
}

const kindOf = (entry: PerformanceEntry): Collection["kind"] => {
  const detail: unknown = "detail" in entry ? entry.detail : undefined
  const kind: unknown = typeof detail === "object" && detail !== null && "kind" in detail ? detail.kind : undefined
  return (typeof kind === "number" ? kinds[kind] : undefined) ?? "minor"
}
