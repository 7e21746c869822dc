/**
 * `slate verify` as a user runs it: a process with an exit code.
 */
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as Place from "../interop/Place.ts"

const program = fileURLToPath(new URL("../../../cli/src/main.ts", import.meta.url))

/** Its exit code for the database in a directory: 0 when nothing is wrong, 1 when something is. */
export const exitCode = (root: string): Effect.Effect<number> =>
  Effect.callback((resume) => {
    const flags = ["verify", "--store", `file:${root}`, "--db", Place.path]
    const child = execFile(process.execPath, [program, ...flags], (error) =>
      resume(Effect.succeed(error === null ? 0 : Number(error.code)))
    )
    return Effect.sync(() => void child.kill())
  })
