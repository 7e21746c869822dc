/**
 * The `slate` command: its subcommands, its flags, and how it ends.
 *
 * The command-line module of Effect may change between minor versions. It is used
 * here, in `GlobalFlags` and `KeyRangeFlags`, and to declare the commands; what
 * commands do is elsewhere.
 */
import packageJson from "../package.json" with { type: "json" }
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import { CliError, CliOutput, Command } from "effect/cli"
import { checkpoint } from "./commands/Checkpoint.ts"
import * as Completions from "./commands/Completions.ts"
import { compact } from "./commands/Compact.ts"
import { compactions } from "./commands/Compactions.ts"
import { compactor } from "./commands/CompactorCommand.ts"
import { delete_ } from "./commands/Delete.ts"
import { demo } from "./commands/DemoCommand.ts"
import { dump } from "./commands/Dump.ts"
import { flush } from "./commands/Flush.ts"
import { gc } from "./commands/Gc.ts"
import { get } from "./commands/Get.ts"
import { load } from "./commands/Load.ts"
import { manifest } from "./commands/ManifestCommand.ts"
import { probe } from "./commands/Probe.ts"
import { put } from "./commands/Put.ts"
import { scan } from "./commands/Scan.ts"
import { tree } from "./commands/Tree.ts"
import { verify } from "./commands/Verify.ts"
import * as KilledWriter from "./demo/KilledWriter.ts"
import * as GlobalFlags from "./GlobalFlags.ts"
import * as Problem from "./Problem.ts"
import * as Screen from "./Screen.ts"

const root = (): Command.Command.Any => slate

const slate = Command.make("slate").pipe(
  Command.withDescription("Look into, load and check databases of effect-slatedb and SlateDB"),
  Command.withSubcommands([
    put,
    get,
    delete_,
    scan,
    load,
    dump,
    flush,
    gc,
    checkpoint,
    manifest,
    compact,
    compactor,
    compactions,
    tree,
    verify,
    probe,
    demo,
    Completions.make(root),
    KilledWriter.command
  ]),
  Command.withGlobalFlags(GlobalFlags.all)
)

/** Runs the command with these words, tells of a problem, and fails with it. */
export const run = (args: ReadonlyArray<string>) =>
  Command.runWith(slate, { version: packageJson.version })(args).pipe(
    Effect.catchCause((cause) => {
      if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt
      const problem = problemOf(Cause.squash(cause))
      return problem === undefined ? Effect.void : Effect.andThen(tell(problem, cause, args), Effect.fail(problem))
    }),
    Effect.provide(environment)
  )

/** `undefined` when help was asked for. */
const problemOf = (error: unknown): Problem.Problem | undefined => {
  if (!CliError.isCliError(error)) return Problem.from(error)
  if (error._tag !== "ShowHelp") return Problem.usage(sentence(error.message))
  if (error.errors.length === 0) return undefined
  const what = error.errors
    .map((fault) => sentence(fault.message.replace("\n\n  Did you mean this?", ", did you mean")))
    .join("; ")
  return Problem.usage(what, `see ${error.commandPath.join(" ")} --help`)
}

/** As problems are written: no capital letter in front, no full stop behind, one line. */
const sentence = (message: string): string =>
  (message.slice(0, 1).toLowerCase() + message.slice(1)).replace(/\s+/g, " ").replace(/\.$/, "")

const tell = (problem: Problem.Problem, cause: Cause.Cause<unknown>, args: ReadonlyArray<string>) =>
  Effect.andThen(
    Screen.note(`slate: ${problem.message}`),
    isDebug(args)
      ? Screen.note(Cause.pretty(problem.cause === undefined ? cause : Cause.fail(problem.cause)))
      : Effect.void
  )

/** The flag is read here once more, as it must work when the command line is wrong elsewhere. */
const isDebug = (args: ReadonlyArray<string>): boolean =>
  args.some((arg, i) => {
    const level = arg === "--log-level" ? args[i + 1] : /^--log-level=(.*)$/.exec(arg)?.[1]
    return level === "debug" || level === "trace" || level === "all"
  })

const environment = Layer.mergeAll(
  // Faults of the command line are told by `tell`, like all others.
  CliOutput.layerPresenter({
    present: (event) => (event._tag === "InvalidInvocation" ? Effect.void : CliOutput.defaultPresenter.present(event))
  }),
  Layer.succeed(References.MinimumLogLevel, "Warn" as const),
  // Standard output is for results.
  Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)])
)
