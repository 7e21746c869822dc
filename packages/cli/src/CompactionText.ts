/** Compaction jobs in words: what they merge, into what, how far they are. */
import type * as Compactor from "@effect-slatedb/core/Compactor"
import * as Figures from "./Figures.ts"

type Output = Compactor.Compaction["outputs"][number]

/** What a job merges and makes, however it was written down. */
export interface Merge {
  readonly l0: ReadonlyArray<string>
  readonly runs: ReadonlyArray<number>
  /** Absent where its file does not say, and its sources do not tell. */
  readonly destination: number | undefined
}

export const mergeOf = ({ spec }: Compactor.Compaction): Merge => ({
  l0: spec.l0ViewIds,
  runs: spec.runIds,
  destination: spec._tag === "Tiered" ? (spec.destination ?? leastOf(spec.runIds)) : undefined
})

const leastOf = (runs: ReadonlyArray<number>): number | undefined => (runs.length === 0 ? undefined : Math.min(...runs))

/** `4 tables of level 0, runs 2 1`, `run 7`, `12 runs` */
export const sources = ({ l0, runs }: Merge): string =>
  [
    ...(l0.length === 0 ? [] : [`${Figures.counted(l0.length, "table")} of level 0`]),
    ...(runs.length === 0 ? [] : [runs.length > namedMax ? Figures.counted(runs.length, "run") : named(runs)])
  ].join(", ")

/** More runs than these are counted. */
const namedMax = 6

const named = (runs: ReadonlyArray<number>): string => `run${runs.length === 1 ? "" : "s"} ${runs.join(" ")}`

/** `run 1`, or `a new run` */
export const destination = ({ destination }: Merge): string =>
  destination === undefined ? "a new run" : `run ${destination}`

/** `4 tables of level 0 into run 0` */
export const merge = (merge: Merge): string => `${sources(merge)} into ${destination(merge)}`

/** `3 tables, 12 MiB` */
export const outputs = ({ outputs }: Compactor.Compaction): string =>
  outputs.length === 0 ? "" : `${Figures.counted(outputs.length, "table")}, ${Figures.bytes(outputBytes(outputs))}`

/** `3 jobs done, 45 MiB written` */
export const sum = ({ bytesCompacted, completed }: Pick<Compactor.Status, "bytesCompacted" | "completed">): string =>
  `${Figures.counted(completed, "job")} done, ${Figures.bytes(bytesCompacted)} written`

export const outputBytes = (outputs: ReadonlyArray<Output>): number =>
  outputs.reduce((bytes, table) => bytes + tableBytes(table), 0)

/** Data and index, as compaction counts them. */
export const tableBytes = ({ info }: Output): number => info.indexOffset + info.indexLength

/** Whether somebody runs it, or is to. */
export const isActive = ({ status }: Compactor.Compaction): boolean => status !== "completed" && status !== "failed"

/** When a job was begun or asked for, in milliseconds since 1970: its id says so. */
export const beganMillis = ({ id }: Compactor.Compaction): number =>
  Array.from(id.slice(0, 10)).reduce((time, digit) => time * 32 + digits.indexOf(digit), 0)

/** Crockford's base 32, in which ULIDs are written. */
const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
