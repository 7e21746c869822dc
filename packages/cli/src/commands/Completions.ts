/**
 * `slate completions`: a script that lets a shell complete the command.
 */
import * as Effect from "effect/Effect"
import { Argument, Command, Completions } from "effect/cli"
import * as GlobalFlags from "../GlobalFlags.ts"
import * as Problem from "../Problem.ts"
import * as Screen from "../Screen.ts"

/** Prints what a shell needs to complete the words of `root`. */
export const make = (root: () => Command.Command.Any) =>
  Command.make(
    "completions",
    { shell: Argument.Literals("shell", ["bash", "zsh", "fish", "powershell"]) },
    Effect.fnUntraced(function* ({ shell }) {
      yield* Screen.lines(Completions.generate("slate", shell, withGlobalFlags(Completions.fromCommand(root()))))
    }, Problem.catchAll)
  ).pipe(
    Command.withDescription("Print a completion script for a shell"),
    Command.withExamples([{ command: "source <(slate completions bash)", description: "For this bash" }])
  )

/** The flags of every command are not in its description: they are added to each. */
const withGlobalFlags = (command: Completions.CommandDescriptor): Completions.CommandDescriptor => ({
  ...command,
  flags: [...command.flags, ...globalFlags],
  subcommands: command.subcommands.map(withGlobalFlags)
})

const globalFlags = Completions.fromCommand(
  Command.make("slate", Object.fromEntries(GlobalFlags.all.map(({ flag, id }) => [id, flag])))
).flags
