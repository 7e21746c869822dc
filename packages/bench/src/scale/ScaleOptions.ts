/**
 * The options of `bench scale`, and the points that they ask for.
 *
 * A point is a comparison with one engine in it: {@link bench} says it in the
 * harness's own words, so that a single point can be repeated with `pnpm bench`.
 *
 *     options ──> sweeps: a workload by a quantity ──> bench(sweep, at): one point
 *
 * Quantities are kept apart. The entries of a point that reads lie in one table of
 * level 0, whatever their number, and every cache has room for them: what level 0
 * and what a small cache cost would otherwise look like the cost of entries.
 */
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import * as Options from "../Options.ts"
import * as Values from "../Values.ts"
import type * as Workloads from "../Workloads.ts"
import type { Quantity } from "./ScaleReport.ts"
import { quantities } from "./ScaleReport.ts"

/** In the order of the plots. */
export const workloads = [
  "fillrandom",
  "fillbatch",
  "overwrite",
  "readrandom",
  "readmissing",
  "readseq",
  "seekrandom",
  "bencher",
  "durableput"
] as const satisfies ReadonlyArray<Workloads.Name>

/** The put and the get of the curves that vary what is open beside them. */
const single: ReadonlySet<Workloads.Name> = new Set(["overwrite", "readrandom"])
/** Their entries are what they write. */
const fills: ReadonlySet<Workloads.Name> = new Set(["fillrandom", "fillbatch"])
const heldScans = [0, 10, 100, 1000]
const level0Tables = [1, 2, 4, 8]

export const flags = {
  workloads: Options.names("workload", workloads).pipe(
    Flag.withDefault(workloads),
    Flag.withDescription(`Comma separated, of ${workloads.join(",")}`)
  ),
  curves: Options.names("curves", quantities).pipe(
    Flag.withDefault(quantities),
    Flag.withDescription(`What is varied: comma separated, of ${quantities.join(",")}`)
  ),
  sizes: Options.integers("sizes", 1000, 1e9).pipe(
    Flag.withDefault([1e4, 1e5, 1e6, 1e7]),
    Flag.withDescription("Entries, comma separated, ascending; 1e6 is a number, too")
  ),
  lanes: Options.integers("lanes", 1, 1 << 16).pipe(
    Flag.withDefault([1, 16, 256]),
    Flag.withDescription("Loops side by side, comma separated")
  ),
  entries: Options.whole("total", 1000, 1e9).pipe(
    Flag.withDefault(1e5),
    Flag.withDescription("Entries where something else is varied")
  ),
  valueBytes: Options.whole("val", 0, Values.poolBytes - 1).pipe(
    Flag.withDefault(100),
    Flag.withDescription("Bytes of a value")
  ),
  seconds: Flag.Finite("seconds").pipe(
    Flag.withDefault(0.5),
    Flag.withDescription("Time of one run; a fill goes on to its end, and a short one is repeated")
  ),
  runs: Options.count("runs").pipe(Flag.withDefault(5), Flag.withDescription("Runs of every point, after one more")),
  minutes: Flag.Finite("minutes").pipe(
    Flag.withDefault(20),
    Flag.withDescription("A point that takes longer, loading included, is left out")
  ),
  mode: Options.mode,
  settings: Options.settings,
  directory: Flag.String("dir").pipe(Flag.optional, Flag.withDescription("Where the scratch folder is made")),
  json: Flag.String("json").pipe(Flag.withDescription("Where the report is written, after every point"))
} as const

export type ScaleOptions = {
  readonly [F in keyof typeof flags]: (typeof flags)[F] extends Flag.Flag<infer A> ? A : never
}

/** A curve that is to be measured. */
export interface Sweep {
  readonly workload: Workloads.Name
  readonly by: Quantity
  readonly values: ReadonlyArray<number>
}

export const sweeps = (options: ScaleOptions): ReadonlyArray<Sweep> =>
  options.curves.flatMap((by) =>
    options.workloads
      .filter((workload) => isMeasuredBy(workload, by))
      .map((workload) => ({ workload, by, values: valuesOf(options, by) }))
  )

/** A single scan has no lanes. */
const isMeasuredBy = (workload: Workloads.Name, by: Quantity): boolean =>
  by === "entries" || (by === "lanes" ? workload !== "readseq" : single.has(workload))

const valuesOf = (options: ScaleOptions, by: Quantity): ReadonlyArray<number> =>
  ({ entries: options.sizes, lanes: options.lanes, heldScans, level0Tables })[by]

const cacheBytes = 8 * 2 ** 30
/** What is in level 0 stays there, and the database does not stop at eight tables. */
const levelZero = { compactor_options: null, l0_max_ssts: 100_000 }
/** As many entries as can be in one table, and a cache for all of them. */
const oneTable = { l0_sst_size_bytes: 2 ** 30, max_unflushed_bytes: 2 ** 33, "block_cache.bytes": cacheBytes }

/** The settings of a workload; what is set by option goes before. */
export const settings = ({ settings }: Pick<ScaleOptions, "settings">, workload: Workloads.Name) => ({
  ...levelZero,
  ...(fills.has(workload) ? {} : oneTable),
  ...(workload === "durableput" ? { wal_flush: "eager" } : {}),
  ...settings
})

/** Entries of one scan at most: a second is enough of it. */
const scanLimit = 1_000_000
const never = 1e12

/** The comparison that measures one point. */
export const bench = (options: ScaleOptions, { by, workload }: Sweep, at: number): Options.Bench => {
  const entries = by === "entries" ? at : options.entries
  const lanes = by === "lanes" ? at : 1
  const isFill = fills.has(workload)
  return {
    engines: ["ours"],
    baseline: "ours",
    workloads: [workload],
    operationsMax: isFill ? entries : never,
    entries,
    valueBytes: options.valueBytes,
    batchEntries: 100,
    seconds: isFill ? options.minutes * 60 : options.seconds,
    secondsMin: options.seconds,
    runs: options.runs,
    warmUps: 1,
    loadParts: by === "level0Tables" ? at : 1,
    preload: true,
    heldScans: by === "heldScans" ? at : 0,
    lanes: [lanes],
    mode: options.mode,
    durable: false,
    store: "memory",
    s3: undefined,
    putPercents: [20],
    keysPerLane: Math.max(1, Math.floor(entries / lanes)),
    scanLimit,
    writesPerSecond: undefined,
    flush: true,
    settings: settings(options, workload),
    stats: false,
    directory: Option.getOrUndefined(options.directory),
    json: undefined
  }
}
