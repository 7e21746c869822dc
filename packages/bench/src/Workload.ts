/**
 * A workload: what is done to a database, and what is counted of it.
 *
 * Every workload does the same work for each engine: the same keys and values from
 * the same seeds, through the same loop. It checks the answers it gets, and fails
 * when they are wrong: an engine that answers quickly and wrongly has no figure.
 */
import type { Database } from "./Engine.ts"
import type { Elapsed } from "./Stopwatch.ts"

export interface Parameters {
  /** At most this many operations. */
  readonly operationsMax: number
  /** Entries in the loaded database. */
  readonly entries: number
  readonly valueBytes: number
  /** Entries of one batch. */
  readonly batchEntries: number
  /** No operation begins after this time. */
  readonly seconds: number
  /** Loops that run side by side. */
  readonly lanes: number
  /** Whether writes wait until they are durable. */
  readonly durable: boolean
  /** Share of puts, of workloads that mix (0 to 100). */
  readonly putPercent: number
  /** Keys of each lane, of workloads with a fixed key set. */
  readonly keysPerLane: number
  /** Entries of one scan; absent: all. */
  readonly scanLimit: number | undefined
  /** Writes a second of a lane that writes beside those that read; absent: as many as the engine takes. */
  readonly writesPerSecond: number | undefined
  /** Whether workloads that make their own database begin with their entries in it. */
  readonly preload: boolean
  readonly seed: number
}

/**
 * What a workload counted.
 */
export interface Outcome {
  readonly operations: number
  /** User bytes written or read. */
  readonly bytes: number
  readonly elapsed: Elapsed
  /** Microseconds of the operations that were timed, ascending. */
  readonly latencies: Float64Array
  readonly extra?: Readonly<Record<string, number>> | undefined
}

/** Repetitions as one: their sums, and all their latencies. */
export const merged = (outcomes: ReadonlyArray<Outcome>): Outcome => {
  const sum = (of: (outcome: Outcome) => number) => outcomes.reduce((total, outcome) => total + of(outcome), 0)
  return {
    operations: sum(({ operations }) => operations),
    bytes: sum(({ bytes }) => bytes),
    elapsed: {
      nanoseconds: sum(({ elapsed }) => elapsed.nanoseconds),
      cpuMicros: sum(({ elapsed }) => elapsed.cpuMicros)
    },
    latencies: Float64Array.from(outcomes.flatMap(({ latencies }) => [...latencies])).toSorted(),
    extra: outcomes.at(-1)?.extra
  }
}

export interface Workload {
  readonly name: string
  /** What its cost in effect-slatedb is made of as entries grow, in words. */
  readonly dominatedBy: string
  /** Which database it runs on: an empty one of its own, or one that was loaded before. */
  readonly database: "fresh" | "loaded"
  readonly run: <P extends object>(database: Database<P>, parameters: Parameters) => Promise<Outcome>
}
