/**
 * What the harness and the process of an engine say to each other: one command at
 * a time, each with one answer.
 */
import type { Assignment } from "./Assignment.ts"
import type { Store } from "./Engine.ts"
import type { Line, Task } from "./lifecycle/Task.ts"
import type * as Load from "./Load.ts"
import type { Parameters } from "./Workload.ts"
import type * as Workloads from "./Workloads.ts"

export interface Description {
  readonly name: string
  readonly version: string
  /** `"local"`: files of its own, or nothing at all. */
  readonly store: Store | "local"
}

export interface LoadReport {
  readonly entriesPerSecond: number
  readonly settledSeconds: number
  readonly rssMiB: number
}

export interface RunRequest {
  readonly workload: Workloads.Name
  readonly parameters: Parameters
  /** The workload is repeated until it took so long. */
  readonly secondsMin: number
  /** Scans that are begun before it and held open. */
  readonly heldScans: number
}

/** One run of one workload by one engine. */
export interface Measurement {
  readonly operations: number
  readonly operationsPerSecond: number
  readonly microsPerOperation: number
  readonly cpuMicrosPerOperation: number
  /** 10^6 user bytes per second. */
  readonly megabytesPerSecond: number
  readonly p50Micros: number | undefined
  readonly p99Micros: number | undefined
  readonly rssMiB: number
  /** Tables of level 0 at the end, of engines that have such a level. */
  readonly level0Tables: number | undefined
  readonly extra: Readonly<Record<string, number>> | undefined
  /** What the engine counted during the run; zeros are left out. */
  readonly counters: Readonly<Record<string, number>> | undefined
}

/** The commands of an engine's process, with what they are given and what they answer. */
export interface Commands {
  /** The first command: takes the assignment. */
  readonly assign: { readonly input: Assignment; readonly output: Description }
  /** Opens a database, fills it, and keeps it for the workloads that read. */
  readonly load: { readonly input: Load.Options; readonly output: LoadReport }
  readonly run: { readonly input: RunRequest; readonly output: Measurement }
  readonly lifecycle: { readonly input: Task; readonly output: ReadonlyArray<Line> }
}
export type Command = keyof Commands

export interface Request<C extends Command> {
  readonly command: C
  readonly input: Commands[C]["input"]
}

export type Reply<C extends Command> = { readonly output: Commands[C]["output"] } | { readonly error: string }
