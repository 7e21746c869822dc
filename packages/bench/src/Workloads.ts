/**
 * Every workload, in the order a report shows them.
 */
import type { Workload } from "./Workload.ts"
import { bencher } from "./workloads/Bencher.ts"
import { durableput, fillbatch, fillrandom, fillseq, overwrite } from "./workloads/Fill.ts"
import { readmissing, readrandom } from "./workloads/Lookup.ts"
import { readwhilewriting } from "./workloads/ReadWhileWriting.ts"
import { readseq, seekrandom } from "./workloads/Scan.ts"

export const names = [
  "fillseq",
  "fillrandom",
  "fillbatch",
  "readseq",
  "readrandom",
  "readmissing",
  "seekrandom",
  "overwrite",
  "readwhilewriting",
  "bencher",
  "durableput"
] as const
export type Name = (typeof names)[number]

export const byName: Readonly<Record<Name, Workload>> = {
  fillseq,
  fillrandom,
  fillbatch,
  readseq,
  readrandom,
  readmissing,
  seekrandom,
  overwrite,
  readwhilewriting,
  bencher,
  durableput
}
