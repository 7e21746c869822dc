/**
 * The commands of `pnpm bench`: the comparison itself, and beside it the S3
 * simulator, the lifecycle measurements and the limits of this Node.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises"
import * as path from "node:path"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Child from "./Child.ts"
import * as Engines from "./Engines.ts"
import { parts } from "./lifecycle/Task.ts"
import * as Turns from "./lifecycle/Turns.ts"
import * as Limits from "./Limits.ts"
import * as Options from "./Options.ts"
import * as Runner from "./Runner.ts"
import * as S3Simulator from "./S3Simulator.ts"
import * as Plots from "./scale/Plots.ts"
import * as Scale from "./scale/Scale.ts"
import * as ScaleOptions from "./scale/ScaleOptions.ts"
import * as ScaleReport from "./scale/ScaleReport.ts"
import * as Table from "./Table.ts"
import * as Tail from "./tail/Tail.ts"
import * as TailReport from "./tail/TailReport.ts"
import * as Values from "./Values.ts"

const s3sim = Command.make(
  "s3sim",
  {
    port: Flag.Int("port").pipe(Flag.withDefault(9123)),
    putMillis: Flag.Finite("put-ms").pipe(Flag.withDefault(0), Flag.withDescription("Added to each write")),
    getMillis: Flag.Finite("get-ms").pipe(Flag.withDefault(0), Flag.withDescription("Added to each read and listing"))
  },
  Effect.fnUntraced(function* (options) {
    const url = yield* S3Simulator.start(options)
    yield* Console.log(`listening on ${url}; counts: ${url}/__stats`)
    return yield* Effect.never
  }, Effect.scoped)
).pipe(Command.withDescription("Run the S3 simulator"))

const lifecycle = Command.make(
  "lifecycle",
  {
    part: Argument.Literals("part", parts),
    engine: Flag.Literals("engine", Engines.names).pipe(Flag.withDefault("uniffi")),
    against: Flag.Literals("against", Engines.names).pipe(
      Flag.optional,
      Flag.withDescription("Measure this one, too, in turns, and print ratios to it")
    ),
    runs: Options.count("runs").pipe(Flag.withDefault(1), Flag.withDescription("Runs of each engine")),
    directory: Flag.String("dir").pipe(
      Flag.optional,
      Flag.withDescription("The database's folder; without it load is thrown away, and open loads first")
    ),
    entries: Flag.Int("n").pipe(Flag.withDefault(100_000), Flag.withDescription("Entries")),
    valueBytes: Flag.Int("val").pipe(Flag.withDefault(1024), Flag.withDescription("Bytes of a value")),
    store: Options.store.pipe(Flag.withDefault("file")),
    s3Endpoint: Options.s3Endpoint,
    mode: Options.mode,
    settings: Options.settings,
    noFlush: Flag.Boolean("no-flush").pipe(
      Flag.withDefault(false),
      Flag.withDescription("load: kill the process and leave a WAL to replay")
    ),
    noScan: Flag.Boolean("no-scan").pipe(Flag.withDefault(false), Flag.withDescription("open: no full scan")),
    idleSeconds: Flag.Finite("idle").pipe(Flag.withDefault(10), Flag.withDescription("Seconds without work")),
    lanes: Flag.Int("lanes").pipe(Flag.withDefault(64), Flag.withDescription("requests: loops that put")),
    seconds: Flag.Finite("seconds").pipe(Flag.withDefault(20), Flag.withDescription("requests: how long they put")),
    durable: Flag.Boolean("durable").pipe(Flag.withDefault(false))
  },
  Effect.fnUntraced(
    function* ({ against, directory, engine, mode, noFlush, noScan, runs, s3Endpoint, settings, store, ...task }) {
      const engines = Option.isSome(against) ? [against.value, engine] : [engine]
      if (Option.isNone(directory) && task.part === "load" && noFlush) {
        return yield* Options.refused("lifecycle load --no-flush needs --dir: else what it leaves is lost")
      }
      yield* Turns.run({
        engines,
        runs,
        directory: Option.getOrUndefined(directory),
        task: {
          ...task,
          assignment: { mode, store, settings, s3: Options.s3Location(s3Endpoint) },
          flush: !noFlush,
          scan: !noScan
        }
      })
    },
    Effect.catchTag("ChildError", (error) => Options.refused(Child.firstLine(error)))
  )
).pipe(Command.withDescription("Measure opening, memory, requests and compaction of one engine"))

const limits = Command.make(
  "limits",
  {
    only: Limits.only,
    runs: Flag.Int("runs").pipe(Flag.withDefault(5)),
    json: Flag.String("json").pipe(Flag.optional, Flag.withDescription("Also write the figures to this file"))
  },
  Effect.fnUntraced(function* ({ json, only, runs }) {
    const figures = yield* Limits.run(only, runs)
    if (Option.isSome(json)) {
      yield* Effect.promise(() => writeFile(json.value, `${Table.json(figures, 1)}\n`))
    }
  })
).pipe(Command.withDescription("Measure what this Node can do at most for the parts of an engine's work"))

const scale = Command.make("scale", ScaleOptions.flags, (options) => Effect.asVoid(Scale.run(options))).pipe(
  Command.withDescription("Measure how the cost of an operation of effect-slatedb grows with the work")
)

const plots = Command.make(
  "plots",
  {
    from: Flag.String("from").pipe(Flag.withDescription("A report of `scale`")),
    to: Flag.String("to").pipe(Flag.withDescription("The folder that the plots and their page are written to"))
  },
  Effect.fnUntraced(
    function* ({ from, to }) {
      const report = yield* ScaleReport.decode(yield* Effect.promise(() => readFile(from, "utf8")))
      yield* Effect.promise(() => mkdir(to, { recursive: true }))
      for (const [name, content] of Plots.files(report)) {
        yield* Effect.promise(() => writeFile(path.join(to, name), content))
      }
    },
    (effect, { from }) =>
      Effect.catchTag(effect, "SchemaError", () => Options.refused(`not a report of \`scale\`: file=${from}`))
  )
).pipe(Command.withDescription("Draw a report of `scale`"))

const tail = Command.make(
  "tail",
  {
    entries: Options.count("n").pipe(Flag.withDefault(200_000), Flag.withDescription("Entries that are loaded")),
    valueBytes: Options.whole("val", 0, Values.poolBytes - 1).pipe(
      Flag.withDefault(100),
      Flag.withDescription("Bytes of a value")
    ),
    putPercent: Options.whole("put-pct", 0, 100).pipe(Flag.withDefault(50), Flag.withDescription("Puts, in percent")),
    loadPercent: Options.whole("load-pct", 1, 1000).pipe(
      Flag.withDefault(50),
      Flag.withDescription("What is offered, in percent of the maximum")
    ),
    seconds: Flag.Finite("seconds").pipe(Flag.withDefault(10), Flag.withDescription("How long it is offered")),
    warmUpSeconds: Flag.Finite("warm-up").pipe(
      Flag.withDefault(2),
      Flag.withDescription("Seconds for which it is offered before anything is measured")
    ),
    maximumSeconds: Flag.Finite("max-seconds").pipe(
      Flag.withDefault(3),
      Flag.withDescription("How long the maximum is looked for")
    ),
    compaction: Flag.Boolean("compaction").pipe(
      Flag.withDefault(false),
      Flag.withDescription("Compact meanwhile; else level 0 grows")
    ),
    threads: Options.whole("threads", 0, 16).pipe(
      Flag.withDefault(0),
      Flag.withDescription("Worker threads that compact; 0: on the event loop of the load")
    ),
    store: Options.store.pipe(Flag.withDefault("file")),
    s3Endpoint: Options.s3Endpoint,
    settings: Options.settings,
    json: Flag.String("json").pipe(Flag.optional, Flag.withDescription("Also write the report to this file"))
  },
  Effect.fnUntraced(function* ({ json, s3Endpoint, settings, store, ...options }) {
    if (options.threads > 0 && store === "memory") return yield* Options.refused("threads share no store in memory")
    const fileSystem = yield* FileSystem.FileSystem
    const directory = yield* fileSystem.makeTempDirectoryScoped({ prefix: "bench-" })
    const s3 = Options.s3Location(s3Endpoint)
    const report = yield* Tail.run({ ...options, database: { path: "db", directory, store, s3, settings } })
    yield* Console.log(TailReport.text(report))
    if (Option.isSome(json)) yield* Effect.promise(() => writeFile(json.value, `${Table.json(report, 1)}\n`))
  }, Effect.scoped)
).pipe(Command.withDescription("Measure the tail of latencies of effect-slatedb under a steady load"))

export const command = Command.make(
  "bench",
  Options.flags,
  Effect.fnUntraced(function* (flags) {
    yield* Runner.run(yield* Options.fromFlags(flags))
  })
).pipe(
  Command.withDescription("Compare key-value engines side by side"),
  Command.withSubcommands([s3sim, lifecycle, limits, scale, plots, tail])
)
