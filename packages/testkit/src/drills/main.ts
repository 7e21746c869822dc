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
import * as Place from "../interop/Place.ts"
import type * as Drill from "./Drill.ts"

type Run = (options: Drill.Options) => Effect.Effect<Drill.Outcome>

/** A drill as a command. Its module is loaded only when it is asked for: some need the official engine. */
const drill = (name: string, description: string, rounds: number, load: () => Promise<{ readonly run: Run }>) =>
  Command.make(
    name,
    {
      rounds: Flag.Int("rounds").pipe(Flag.withDefault(rounds), Flag.withDescription(`Rounds (default ${rounds})`)),
      seed: Flag.Int("seed").pipe(
        Flag.withDefault(1),
        Flag.withDescription("Of all that is left to chance (default 1)")
      ),
      store: Flag.Literals("store", Place.stores).pipe(
        Flag.withDefault("file" as const),
        Flag.withDescription("A local directory, or a bucket of the real S3 server (default file)")
      )
    },
    Effect.fnUntraced(function* (flags) {
      const { run } = yield* Effect.promise(load)
      const { failure, figures } = yield* run({ ...flags, keepsFailures: true, report: Console.log })
      yield* Console.log(`\n${name}: seed ${flags.seed}, ${flags.store}`)
      for (const [what, count] of Object.entries(figures)) yield* Console.log(`  ${String(count).padStart(9)}  ${what}`)
      if (failure === undefined) return yield* Console.log("passed")
      yield* Console.error(`FAILED: ${failure}`)
      yield* Effect.sync(() => {
        process.exitCode = 1
      })
    })
  ).pipe(Command.withDescription(description))

const command = Command.make("drill").pipe(
  Command.withDescription("Drills: longer than tests, with figures"),
  Command.withSubcommands([
    drill(
      "kill",
      "A writer is killed again and again; nothing acknowledged may be lost",
      200,
      () => import("./KillDrill.ts")
    ),
    drill("interop", "This engine and the official one own a database in turn", 20, () => import("./InteropDrill.ts")),
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
