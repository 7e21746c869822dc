/**
 * `slate probe`: finds out what the store supports, and whether a database may stand on it.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Command } from "effect/cli"
import * as Admin from "@effect-slatedb/core/Admin"
import * as GlobalFlags from "../GlobalFlags.ts"
import * as JsonOutput from "../JsonOutput.ts"
import * as Problem from "../Problem.ts"
import * as Screen from "../Screen.ts"
import * as Target from "../Target.ts"
import * as TextTable from "../TextTable.ts"

/** Finds out what the store can do; exit code 1 when a database could not live in it. */
export const probe = Command.make(
  "probe",
  {},
  Effect.fnUntraced(function* () {
    const path = Option.getOrElse(yield* GlobalFlags.Database, () => "probe")
    const capabilities = yield* Target.withStore(Effect.flatMap(Admin.make({ path }), (admin) => admin.probe))
    const rows = capabilities.map(({ detail, isRequired, isSupported, name }) => [
      name,
      isSupported ? "yes" : isRequired ? "NO" : "no",
      detail
    ])
    const { columns, isTerminal } = yield* Screen.Screen
    const titles = [{ title: "capability" }, { title: "has" }, { title: "what for" }]
    yield* JsonOutput.write(capabilities, () =>
      Screen.lines(...TextTable.render(titles, rows, isTerminal ? columns : Infinity))
    )
    const lacking = capabilities.filter(({ isRequired, isSupported }) => isRequired && !isSupported)
    if (lacking.length > 0) {
      return yield* Problem.failure(
        `this store lacks ${lacking.map(({ name }) => name).join(", ")}`,
        "use another store: a database would not be safe in this one"
      )
    }
  }, Problem.catchAll)
).pipe(Command.withDescription("Find out what the store supports"))
