/**
 * `slate tree`: draws the tree, and the compactions that are at work on it. The drawing is `TreeDrawing`.
 */
import * as Compactor from "@effect-slatedb/core/Compactor"
import * as Effect from "effect/Effect"
import { Command } from "effect/cli"
import * as CompactionText from "../CompactionText.ts"
import * as GlobalFlags from "../GlobalFlags.ts"
import * as JsonOutput from "../JsonOutput.ts"
import * as Problem from "../Problem.ts"
import * as Screen from "../Screen.ts"
import * as Target from "../Target.ts"
import * as TreeDrawing from "../TreeDrawing.ts"

/** Draws the database: log, level 0, runs, running jobs. */
export const tree = Command.make(
  "tree",
  {},
  Effect.fnUntraced(function* () {
    const keys = yield* GlobalFlags.KeyFormat
    const { path } = yield* Target.location
    const { columns } = yield* Screen.Screen
    const { jobs, tree } = yield* Target.withAdmin((admin) =>
      Effect.all({
        tree: admin.tree,
        jobs: Effect.map(Compactor.list({ path }), (all) => all.filter(CompactionText.isActive))
      })
    )
    yield* JsonOutput.write({ ...tree, jobs }, () =>
      Screen.lines(...TreeDrawing.draw(tree, { name: path, keys, columns, jobs }))
    )
  }, Problem.catchAll)
).pipe(
  Command.withDescription("Draw the tree: WAL, level 0, runs, and the compactions of these, with sizes and key ranges")
)
