/**
 * `slate verify`: examines every object, reference and law; exit code 1 when something is wrong.
 */
import type * as Admin from "@effect-slatedb/core/Admin"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Command } from "effect/cli"
import * as Figures from "../Figures.ts"
import * as GlobalFlags from "../GlobalFlags.ts"
import * as JsonOutput from "../JsonOutput.ts"
import * as Problem from "../Problem.ts"
import * as Screen from "../Screen.ts"
import * as Target from "../Target.ts"

/** Examines every object; exit code 1 and a list when something is wrong. */
export const verify = Command.make(
  "verify",
  {},
  Effect.fnUntraced(function* () {
    const sums = yield* Target.withAdmin((admin) => Stream.runFoldEffect(admin.check, nothing, add))
    const { bytes, faults, objects, rows } = sums
    const seen = `${Figures.counted(objects, "object")}, ${Figures.bytes(bytes)}, ${Figures.counted(rows, "row")}`
    yield* JsonOutput.write(sums, () => Screen.lines(`examined ${seen}`))
    if (faults.length > 0) {
      return yield* Problem.failure(
        `${Figures.counted(faults.length, "fault")} found`,
        "do not write to this database before the cause is known"
      )
    }
    if ((yield* GlobalFlags.Output) === "table") yield* Screen.lines("nothing is wrong")
  }, Problem.catchAll)
).pipe(Command.withDescription("Examine every object, reference and law (exit code 1 when something is wrong)"))

interface Found extends Admin.Fault {
  readonly object: string
}

interface Sums {
  readonly objects: number
  readonly bytes: number
  readonly rows: number
  readonly faults: ReadonlyArray<Found>
}

const nothing = (): Sums => ({ objects: 0, bytes: 0, rows: 0, faults: [] })

/** People are told of faults as they are found, programs at the end. */
const add = Effect.fnUntraced(function* (sums: Sums, { bytes, faults, kind, object, rows }: Admin.Checked) {
  if ((yield* GlobalFlags.Output) === "table") {
    yield* Screen.lines(...faults.map(({ detail, rule }) => `${object}: ${rule}: ${detail}`))
  }
  return {
    // A manifest is examined again when its objects are known, then without bytes.
    objects: sums.objects + (bytes > 0 || kind !== "manifest" ? 1 : 0),
    bytes: sums.bytes + bytes,
    rows: sums.rows + rows,
    faults: faults.length === 0 ? sums.faults : [...sums.faults, ...faults.map((fault) => ({ object, ...fault }))]
  }
})
