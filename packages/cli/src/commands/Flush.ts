/**
 * `slate flush`: stores what is in the log, so that opening need not replay it.
 */
import * as Effect from "effect/Effect"
import { Argument, Command } from "effect/cli"
import * as Figures from "../Figures.ts"
import * as Problem from "../Problem.ts"
import * as Screen from "../Screen.ts"
import * as Target from "../Target.ts"

/** Replays the WAL and, for `memtable`, stores it as a table of level 0. */
export const flush = Command.make(
  "flush",
  {
    target: Argument.Literals("target", ["memtable", "wal"]).pipe(
      Argument.withDescription("memtable: also turn the log into a table"),
      Argument.withDefault("memtable" as const)
    )
  },
  Effect.fnUntraced(function* ({ target }) {
    const status = yield* Target.withWriter((db) => Effect.andThen(db.flush(target), db.status))
    yield* Screen.note(
      `flushed: ${Figures.counted(status.l0Tables, "table")} in level 0, durable up to sequence ${Figures.count(status.durableSequence)}`
    )
  }, Problem.catchAll)
).pipe(Command.withDescription("Store what is in the log as a table"))
