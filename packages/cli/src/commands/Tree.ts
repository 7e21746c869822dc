/**
 * `slate tree`: draws the tree. The drawing is `TreeDrawing`.
 */
import * as Effect from "effect/Effect"
import { Command } from "effect/cli"
import * as GlobalFlags from "../GlobalFlags.ts"
import * as JsonOutput from "../JsonOutput.ts"
import * as Problem from "../Problem.ts"
import * as Screen from "../Screen.ts"
import * as Target from "../Target.ts"
import * as TreeDrawing from "../TreeDrawing.ts"

/** Draws the database: log, level 0, runs. */
export const tree = Command.make(
  "tree",
  {},
  Effect.fnUntraced(function* () {
    const keys = yield* GlobalFlags.KeyFormat
    const { path } = yield* Target.location
    const { columns } = yield* Screen.Screen
    const found = yield* Target.withAdmin((admin) => admin.tree)
    yield* JsonOutput.write(found, () => Screen.lines(...TreeDrawing.draw(found, { name: path, keys, columns })))
  }, Problem.catchAll)
).pipe(Command.withDescription("Draw the tree: WAL, level 0, runs, with sizes and key ranges"))
