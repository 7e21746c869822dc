/**
 * `slate get`: prints the value of one key, through a reader that fences nobody.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Argument, Command } from "effect/cli"
import * as ByteText from "../ByteText.ts"
import * as EntryOutput from "../EntryOutput.ts"
import * as GlobalFlags from "../GlobalFlags.ts"
import * as Problem from "../Problem.ts"
import * as Screen from "../Screen.ts"
import * as Target from "../Target.ts"
import * as TypedBytes from "../TypedBytes.ts"

/** Prints the value of one key; exit code 3 when there is none. */
export const get = Command.make(
  "get",
  { key: Argument.String("key") },
  Effect.fnUntraced(function* ({ key }) {
    const bytes = yield* TypedBytes.key(key)
    const found = yield* Target.withReader((reader) => reader.getOption(bytes))
    if (Option.isNone(found)) {
      return yield* new Problem.Problem({ what: `there is no key "${key}"`, exitCode: Problem.ExitCode.keyNotFound })
    }
    const formats = yield* EntryOutput.formats
    const entry = { key: bytes, value: found.value }
    const isTable = (yield* GlobalFlags.Output) === "table"
    yield* Screen.lines(
      isTable ? ByteText.print(formats.value, found.value) : JSON.stringify(EntryOutput.toJson(formats, entry))
    )
  }, Problem.catchAll)
).pipe(
  Command.withDescription("Print the value of a key (exit code 3 when there is none)"),
  Command.withExamples([{ command: "slate get greeting --store file:data --db app", description: "Read one key" }])
)
