/**
 * `slate dump`: writes every record, as `slate load` reads them.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Command, Flag } from "effect/cli"
import * as EntryOutput from "../EntryOutput.ts"
import * as KeyRangeFlags from "../KeyRangeFlags.ts"
import * as Problem from "../Problem.ts"
import * as RecordText from "../RecordText.ts"
import * as Screen from "../Screen.ts"
import * as Target from "../Target.ts"

/** Writes all records to standard output, as `load` reads them. */
export const dump = Command.make(
  "dump",
  {
    ...KeyRangeFlags.flags,
    as: Flag.Literals("as", RecordText.formats).pipe(
      Flag.withDescription("How records are written"),
      Flag.withDefault("ndjson" as const)
    )
  },
  Effect.fnUntraced(function* ({ as, ...given }) {
    const range = yield* KeyRangeFlags.parse(given)
    const bytes = yield* EntryOutput.formats
    yield* Target.withReader((reader) =>
      Stream.runForEachArray(reader.scan(range, { readAheadBytes: 1024 * 1024 }), (entries) =>
        Screen.write(entries.map((entry) => RecordText.print(as, bytes, entry)).join(""))
      )
    )
  }, Problem.catchAll)
).pipe(
  Command.withDescription("Write all records, as load reads them"),
  Command.withExamples([{ command: "slate dump > backup.ndjson", description: "Everything, sorted by key" }])
)
