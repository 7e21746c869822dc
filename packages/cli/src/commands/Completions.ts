import * as Effect from "effect/Effect"
import { Argument, Command, Completions } from "effect/cli"
import * as Problem from "../Problem.ts"
import * as Screen from "../Screen.ts"

/** Prints what a shell needs to complete the words of `root`. */
export const make = (root: () => Command.Command.Any) =>
  Command.make(
    "completions",
    { shell: Argument.Literals("shell", ["bash", "zsh", "fish", "powershell"]) },
    Effect.fnUntraced(function* ({ shell }) {
      yield* Screen.lines(Completions.generate("slate", shell, Completions.fromCommand(root())))
    }, Problem.catchAll)
  ).pipe(
    Command.withDescription("Print a completion script for a shell"),
    Command.withExamples([{ command: "source <(slate completions bash)", description: "For this bash" }])
  )
