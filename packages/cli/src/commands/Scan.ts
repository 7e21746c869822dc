/**
 * `slate scan`: prints entries in key order, through a reader that fences nobody.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Command, Flag } from "effect/cli"
import * as EntryOutput from "../EntryOutput.ts"
import * as GlobalFlags from "../GlobalFlags.ts"
import * as KeyRangeFlags from "../KeyRangeFlags.ts"
import * as Problem from "../Problem.ts"
import * as Screen from "../Screen.ts"
import * as Target from "../Target.ts"

/** Prints entries in the order of their keys. */
export const scan = Command.make(
  "scan",
  {
    ...KeyRangeFlags.flags,
    reverse: Flag.Boolean("reverse").pipe(
      Flag.withDescription("From the last key to the first"),
      Flag.withDefault(false)
    ),
    limit: Flag.Int("limit").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("At most so many entries"),
      Flag.filter(
        (limit) => limit >= 0,
        (limit) => `must be at least 0: ${limit}`
      ),
      Flag.optional
    ),
    count: Flag.Boolean("count").pipe(Flag.withDescription("Print only how many there are"), Flag.withDefault(false))
  },
  Effect.fnUntraced(function* ({ count, limit, reverse, ...given }) {
    const range = yield* KeyRangeFlags.parse(given)
    yield* Target.withReader((reader) => {
      const entries = reader.scan(range, {
        order: reverse ? "descending" : "ascending",
        limit: Option.getOrUndefined(limit),
        readAheadBytes: 1024 * 1024
      })
      return count ? Effect.flatMap(Stream.runCount(entries), printCount) : EntryOutput.write(entries)
    })
  }, Problem.catchAll)
).pipe(
  Command.withDescription("Print entries in key order"),
  Command.withExamples([
    { command: "slate scan --prefix user/ --limit 10", description: "The first ten users" },
    { command: "slate scan --count", description: "How many keys there are" }
  ])
)

const printCount = Effect.fnUntraced(function* (count: number) {
  yield* Screen.lines((yield* GlobalFlags.Output) === "table" ? String(count) : JSON.stringify({ count }))
})
