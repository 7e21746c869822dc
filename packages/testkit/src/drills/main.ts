/**
 * `pnpm drill NAME`: what takes longer than a test. Each drill prints its figures,
 * and fails the process when something was not as it must be.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Place from "../interop/Place.ts"
import type * as Drill from "./Drill.ts"

const seed = Flag.Int("seed").pipe(
  Flag.withDefault(1),
  Flag.withDescription("Of all that is left to chance (default 1)")
)

const rounds = (count: number) =>
  Flag.Int("rounds").pipe(Flag.withDefault(count), Flag.withDescription(`Rounds (default ${count})`))

const flags = (count: number) => ({
  rounds: rounds(count),
  seed,
  store: Flag.Literals("store", Place.stores).pipe(
    Flag.withDefault("file" as const),
    Flag.withDescription("A local directory, or a bucket of the real S3 server (default file)")
  )
})

const common = { keepsFailures: true, report: Console.log } as const

/** Prints how a drill went. */
const conclude = Effect.fnUntraced(function* (name: string, { failure, figures }: Drill.Outcome) {
  yield* Console.log(`\n${name}`)
  for (const [what, count] of Object.entries(figures)) yield* Console.log(`  ${String(count).padStart(9)}  ${what}`)
  if (failure === undefined) return yield* Console.log("passed")
  yield* Console.error(`FAILED: ${failure}`)
  yield* Effect.sync(() => {
    process.exitCode = 1
  })
})

/** A drill as a command. Its module is loaded only when it is asked for: some need the official engine. */
const drill = (
  name: string,
  description: string,
  rounds: number,
  load: () => Promise<{ readonly run: (options: Drill.Options) => Effect.Effect<Drill.Outcome> }>
) =>
  Command.make(
    name,
    flags(rounds),
    Effect.fnUntraced(function* (flags) {
      const { run } = yield* Effect.promise(load)
      yield* conclude(`${name}: seed ${flags.seed}, ${flags.store}`, yield* run({ ...flags, ...common }))
    })
  ).pipe(Command.withDescription(description))

const processes = ["writer", "compactor", "gc"] as const

const kill = Command.make(
  "kill",
  {
    ...flags(200),
    processes: Flag.String("processes").pipe(
      Flag.mapTryCatch(
        (text) =>
          text.split(",").map((name) => {
            const process = processes.find((process) => process === name)
            if (process === undefined) throw new RangeError(`no process: ${name}`)
            return process
          }),
        () => `must be a list of ${processes.join(",")}`
      ),
      Flag.optional,
      Flag.withDescription(
        `A writer, a compactor and a collector have a process each, and an official reader follows; which of ${processes.join(",")} are killed`
      )
    )
  },
  Effect.fnUntraced(function* ({ processes, ...flags }) {
    const title = `kill: seed ${flags.seed}, ${flags.store}`
    if (Option.isNone(processes)) {
      const { run } = yield* Effect.promise(() => import("./KillDrill.ts"))
      return yield* conclude(title, yield* run({ ...flags, ...common }))
    }
    const { run } = yield* Effect.promise(() => import("./ProcessesDrill.ts"))
    yield* conclude(
      `${title}, ${processes.value.join(" ")}`,
      yield* run({ ...flags, ...common, processes: processes.value })
    )
  })
).pipe(Command.withDescription("A writer is killed again and again; nothing acknowledged may be lost"))

const interop = Command.make(
  "interop",
  {
    ...flags(20),
    compaction: Flag.Boolean("compaction").pipe(
      Flag.withDefault(false),
      Flag.withDescription("The engines compact in turn, too; the official one only what its own writer writes")
    )
  },
  Effect.fnUntraced(function* ({ compaction, ...flags }) {
    const { run } = yield* Effect.promise(() =>
      compaction ? import("./CompactionDrill.ts") : import("./InteropDrill.ts")
    )
    const title = `interop: seed ${flags.seed}, ${flags.store}${compaction ? ", compaction" : ""}`
    yield* conclude(title, yield* run({ ...flags, ...common }))
  })
).pipe(Command.withDescription("This engine and the official one own a database in turn"))

const soak = Command.make(
  "soak",
  {
    minutes: Flag.Finite("minutes").pipe(
      Flag.withDefault(3),
      Flag.withDescription("How long this engine writes (default 3)")
    ),
    directory: Flag.String("keep").pipe(
      Flag.optional,
      Flag.withDescription("A new directory for the database, which stays, to be looked at with `slate`")
    ),
    seed
  },
  Effect.fnUntraced(function* ({ directory, ...flags }) {
    const { run } = yield* Effect.promise(() => import("./SoakDrill.ts"))
    const options = { ...flags, ...common, directory: Option.getOrUndefined(directory) }
    yield* conclude(`soak: seed ${flags.seed}, ${flags.minutes} minutes`, yield* run(options))
  })
).pipe(
  Command.withDescription(
    "Writes at full speed on a local directory while it compacts and collects; what that costs must keep its bounds"
  )
)

const command = Command.make("drill").pipe(
  Command.withDescription("Drills: longer than tests, with figures"),
  Command.withSubcommands([
    kill,
    interop,
    soak,
    drill(
      "flip",
      "Bits are flipped in a copy of a database; the check must find them",
      5,
      () => import("./FlipDrill.ts")
    ),
    drill(
      "suspend",
      "A writer sleeps through its successor's opening, flush and collection; it must acknowledge nothing",
      8,
      () => import("./SuspendDrill.ts")
    )
  ])
)

command.pipe(Command.run({ version: "0.1.0" }), Effect.provide(NodeServices.layer), NodeRuntime.runMain)
