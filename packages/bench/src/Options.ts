/**
 * The options of a comparison, as flags and as data.
 */
import * as CliError from "effect/cli/CliError"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Mode, S3Location, Store } from "./Engine.ts"
import { modes, stores } from "./Engine.ts"
import * as Engines from "./Engines.ts"
import * as Values from "./Values.ts"
import * as Workloads from "./Workloads.ts"

export interface Bench {
  readonly engines: ReadonlyArray<Engines.Name>
  readonly baseline: Engines.Name
  readonly workloads: ReadonlyArray<Workloads.Name>
  readonly operationsMax: number
  readonly entries: number
  readonly valueBytes: number
  readonly batchEntries: number
  readonly seconds: number
  readonly runs: number
  /** Runs before those that are measured; with any, every block is read from after loading. */
  readonly warmUps: number
  /** A run that is over sooner is repeated. */
  readonly secondsMin: number
  /** Flushes that the entries are loaded with. */
  readonly loadParts: number
  readonly preload: boolean
  readonly heldScans: number
  readonly lanes: ReadonlyArray<number>
  readonly mode: Mode
  readonly durable: boolean
  readonly store: Store
  readonly s3: S3Location | undefined
  readonly putPercents: ReadonlyArray<number>
  readonly keysPerLane: number
  readonly scanLimit: number | undefined
  readonly writesPerSecond: number | undefined
  readonly flush: boolean
  readonly settings: Readonly<Record<string, unknown>>
  readonly stats: boolean
  readonly directory: string | undefined
  readonly json: string | undefined
}

/** The engines of a comparison that names none. */
const comparedByDefault: ReadonlyArray<Engines.Name> = ["uniffi", "ours", "level", "lmdb", "sqlite", "map"]

/** A comma separated list of some of the names. */
export const names = <Name extends string>(flag: string, known: ReadonlyArray<Name>) =>
  Flag.String(flag).pipe(
    Flag.mapTryCatch(
      (text) => text.split(",").map((part) => oneOf(part, known)),
      (error) => String(error)
    )
  )

const oneOf = <Name extends string>(text: string, known: ReadonlyArray<Name>): Name => {
  const found = known.find((name) => name === text)
  if (found === undefined) throw new RangeError(`unknown name: name=${text} known=${known.join(",")}`)
  return found
}

/** A comma separated list of whole numbers. */
export const integers = (flag: string, min: number, max: number) =>
  Flag.String(flag).pipe(
    Flag.mapTryCatch(
      (text) => text.split(",").map((part) => integer(part, min, max)),
      (error) => String(error)
    )
  )

const integer = (text: string, min: number, max: number): number => {
  const value = text === "" ? NaN : Number(text)
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value
  throw new RangeError(`not a whole number in bounds: value=${text} min=${min} max=${max}`)
}

/** A whole number in bounds. */
export const whole = (flag: string, min: number, max: number = Number.MAX_SAFE_INTEGER) =>
  Flag.Int(flag).pipe(
    Flag.filter(
      (value) => value >= min && value <= max,
      (value) => `out of bounds: value=${value} min=${min} max=${max}`
    )
  )

export const count = (flag: string) => whole(flag, 1)

/** Engine settings: values are JSON, or text where they are not. */
export const settings = Flag.KeyValuePair("set").pipe(
  Flag.map((pairs) => Object.fromEntries(Object.entries(pairs).map(([name, text]) => [name, fromJson(text)]))),
  Flag.withDefault({}),
  Flag.withDescription("An engine setting by its SlateDB name, name=json; may be repeated")
)

const fromJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

export const store = Flag.Literals("store", stores)

export const s3Endpoint = Flag.String("s3-endpoint").pipe(
  Flag.optional,
  Flag.withDescription("Where the s3 store listens, for example http://127.0.0.1:9123")
)

export const mode = Flag.Literals("mode", modes).pipe(
  Flag.withDefault("best"),
  Flag.withDescription("best: each engine by its fastest door; fiber: ours inside one fiber; async: await every call")
)

/** The S3 location behind an endpoint. */
export const s3Location = (endpoint: Option.Option<string>): S3Location | undefined =>
  Option.isSome(endpoint) ? { endpoint: endpoint.value, bucket: "bench" } : undefined

export const flags = {
  engines: names("engines", Engines.names).pipe(
    Flag.withDefault(comparedByDefault),
    Flag.withDescription(`Comma separated, of ${Engines.names.join(",")}`)
  ),
  baseline: Flag.Literals("baseline", Engines.names).pipe(
    Flag.optional,
    Flag.withDescription("The engine that ratios are taken to; the first one by default")
  ),
  workloads: names("workload", Workloads.names).pipe(
    Flag.withDefault(Workloads.names),
    Flag.withDescription(`Comma separated, of ${Workloads.names.join(",")}`)
  ),
  n: count("n").pipe(Flag.withDefault(100_000), Flag.withDescription("Operations of a run at most")),
  total: count("total").pipe(
    Flag.optional,
    Flag.withDescription("Entries loaded for workloads that read; --n by default")
  ),
  val: whole("val", 0, Values.poolBytes - 1).pipe(Flag.withDefault(100), Flag.withDescription("Bytes of a value")),
  batch: count("batch").pipe(Flag.withDefault(100), Flag.withDescription("Entries of a batch")),
  seconds: Flag.Finite("seconds").pipe(Flag.withDefault(0.5), Flag.withDescription("Time limit of one run")),
  runs: count("runs").pipe(Flag.withDefault(3), Flag.withDescription("Runs of every engine in every workload")),
  warmUps: whole("warm-ups", 0).pipe(
    Flag.withDefault(0),
    Flag.withDescription("Runs that are not counted, before those that are; with any, loading ends with reads")
  ),
  secondsMin: Flag.Finite("seconds-min").pipe(
    Flag.withDefault(0),
    Flag.withDescription("Repeat what is over sooner within its run, on fresh databases where it needs them")
  ),
  loadParts: count("load-parts").pipe(
    Flag.withDefault(1),
    Flag.withDescription("Load in so many parts and flush each: tables of level 0 that span all keys")
  ),
  preload: Flag.Boolean("preload").pipe(
    Flag.withDefault(false),
    Flag.withDescription("bencher, durableput: begin with a database that holds the entries")
  ),
  heldScans: whole("held-scans", 0, 1 << 16).pipe(
    Flag.withDefault(0),
    Flag.withDescription("Scans that are begun before a run and held open, of engines that can")
  ),
  lanes: integers("lanes", 1, 1 << 16).pipe(
    Flag.withDefault([1]),
    Flag.withDescription("Loops side by side, comma separated")
  ),
  mode,
  durable: Flag.Boolean("durable").pipe(
    Flag.withDefault(false),
    Flag.withDescription("Wait until every write is durable")
  ),
  store: store.pipe(
    Flag.withDefault("memory"),
    Flag.withDescription("The object store, for engines that stand on one")
  ),
  s3Endpoint,
  putPct: integers("put-pct", 0, 100).pipe(
    Flag.withDefault([20]),
    Flag.withDescription("bencher: share of puts in percent, comma separated")
  ),
  keyCount: count("key-count").pipe(Flag.withDefault(100_000), Flag.withDescription("bencher: keys of a lane")),
  scanLimit: count("scan-limit").pipe(
    Flag.withDefault(20_000),
    Flag.withDescription("readseq: entries of the scan at most")
  ),
  writeRate: count("write-rate").pipe(
    Flag.optional,
    Flag.withDescription("readwhilewriting: writes a second; as many as the engine takes by default")
  ),
  noFlush: Flag.Boolean("no-flush").pipe(
    Flag.withDefault(false),
    Flag.withDescription("Leave the loaded entries in the memtable")
  ),
  settings,
  stats: Flag.Boolean("stats").pipe(
    Flag.withDefault(false),
    Flag.withDescription("Show what engines and stores counted")
  ),
  dir: Flag.String("dir").pipe(Flag.optional, Flag.withDescription("Where the scratch folder is made")),
  json: Flag.String("json").pipe(Flag.optional, Flag.withDescription("Also write the report to this file"))
} as const

/** The values of {@link flags}. */
export type Parsed = {
  readonly [F in keyof typeof flags]: (typeof flags)[F] extends Flag.Flag<infer A> ? A : never
}

/** What the flags say together. */
export const fromFlags = (parsed: Parsed): Effect.Effect<Bench, CliError.UserError> => {
  if (parsed.store === "s3" && Option.isNone(parsed.s3Endpoint)) return refused("--store s3 needs --s3-endpoint")
  const entries = Option.getOrElse(parsed.total, () => parsed.n)
  const baseline = Option.getOrElse(parsed.baseline, () => parsed.engines[0] ?? "uniffi")
  if (!parsed.engines.includes(baseline)) return refused(`--baseline is not among --engines: baseline=${baseline}`)
  return Effect.succeed({
    engines: parsed.engines,
    baseline,
    workloads: parsed.workloads,
    operationsMax: parsed.n,
    entries,
    valueBytes: parsed.val,
    batchEntries: parsed.batch,
    seconds: parsed.seconds,
    runs: parsed.runs,
    warmUps: parsed.warmUps,
    secondsMin: parsed.secondsMin,
    loadParts: parsed.loadParts,
    preload: parsed.preload,
    heldScans: parsed.heldScans,
    lanes: parsed.lanes,
    mode: parsed.mode,
    durable: parsed.durable,
    store: parsed.store,
    s3: s3Location(parsed.s3Endpoint),
    putPercents: parsed.putPct,
    keysPerLane: parsed.keyCount,
    scanLimit: parsed.scanLimit,
    writesPerSecond: Option.getOrUndefined(parsed.writeRate),
    flush: !parsed.noFlush,
    settings: parsed.settings,
    stats: parsed.stats,
    directory: Option.getOrUndefined(parsed.dir),
    json: Option.getOrUndefined(parsed.json)
  })
}

/** Options that do not go together. */
export const refused = (message: string) =>
  Effect.fail(new CliError.UserError({ cause: message, userMessage: message }))
