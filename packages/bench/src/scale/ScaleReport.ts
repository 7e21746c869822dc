/**
 * What `bench scale` found out: plain data, written as JSON by one command and read
 * by another.
 *
 * A curve is the cost of one operation of a workload by one quantity, with all
 * others kept still. Its points are medians of runs, each point of a process of its
 * own. What could not be measured is named with its reason.
 */
import * as Schema from "effect/Schema"
import * as Workloads from "../Workloads.ts"

/** What a curve can vary. */
export const quantities = ["entries", "lanes", "heldScans", "level0Tables"] as const
export type Quantity = (typeof quantities)[number]

const Summary = Schema.Struct({ median: Schema.Finite, min: Schema.Finite, max: Schema.Finite })

const Point = Schema.Struct({
  /** The value of what varies. */
  at: Schema.Finite,
  runs: Schema.Finite,
  microsPerOperation: Summary,
  cpuMicrosPerOperation: Schema.Finite,
  p50Micros: Schema.optional(Schema.Finite),
  p99Micros: Schema.optional(Schema.Finite),
  rssMiB: Schema.Finite,
  /** When the last run was over. */
  level0Tables: Schema.optional(Schema.Finite)
})
export type Point = typeof Point.Type

const Omission = Schema.Struct({ at: Schema.Finite, reason: Schema.String })
export type Omission = typeof Omission.Type

const Curve = Schema.Struct({
  workload: Schema.Literals(Workloads.names),
  by: Schema.Literals(quantities),
  points: Schema.Array(Point),
  omitted: Schema.Array(Omission)
})
export type Curve = typeof Curve.Type

export const ScaleReport = Schema.Struct({
  engine: Schema.String,
  node: Schema.String,
  processor: Schema.String,
  cpus: Schema.Finite,
  memoryGiB: Schema.Finite,
  at: Schema.String,
  valueBytes: Schema.Finite,
  /** Entries of the curves that vary something else. */
  entries: Schema.Finite,
  seconds: Schema.Finite,
  mode: Schema.String,
  store: Schema.String,
  settings: Schema.Record(Schema.String, Schema.Unknown),
  curves: Schema.Array(Curve)
})
export type ScaleReport = typeof ScaleReport.Type

export const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(ScaleReport))

/** The curve of a workload by a quantity, if it was measured at all. */
export const curve = (report: ScaleReport, workload: Workloads.Name, by: Quantity): Curve | undefined =>
  report.curves.find((each) => each.workload === workload && each.by === by && each.points.length > 0)
