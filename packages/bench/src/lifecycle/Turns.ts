/**
 * Carries out a lifecycle measurement: of one engine, or of several in turns (`Versus`).
 */
import * as path from "node:path"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { Assignment } from "../Assignment.ts"
import * as Child from "../Child.ts"
import type * as Engines from "../Engines.ts"
import * as Runner from "../Runner.ts"
import * as Table from "../Table.ts"
import type { Line, Part, Task } from "./Task.ts"
import * as Versus from "./Versus.ts"

export interface Options {
  /** The first one is what ratios are taken to. */
  readonly engines: ReadonlyArray<Engines.Name>
  readonly runs: number
  /** Where the databases lie: of one engine this folder itself, of several one folder in it for each. Absent: a new one for each run. */
  readonly directory: string | undefined
  readonly task: Omit<Task, "assignment"> & { readonly assignment: Omit<Assignment, "engine" | "directory"> }
}

/** Prints each line when it is there, and a table if there is anything to compare. */
export const run = Effect.fnUntraced(function* (options: Options) {
  const { engines, runs, task } = options
  const fileSystem = yield* FileSystem.FileSystem
  const temporary = fileSystem.makeTempDirectoryScoped({ prefix: "bench-" })
  const isReopened = (task.part === "open" || task.part === "scan") && options.directory === undefined
  const kept = isReopened ? yield* temporary : options.directory
  const folder = (engine: Engines.Name) =>
    kept === undefined
      ? temporary
      : Effect.succeed(path.resolve(engines.length === 1 && !isReopened ? kept : path.join(kept, engine)))

  const measure = Effect.fnUntraced(function* (engine: Engines.Name, part: Part) {
    const child = yield* Child.spawn
    const assignment = { ...task.assignment, engine, directory: yield* folder(engine) }
    const lines = yield* child.call("lifecycle", { ...task, part, assignment })
    for (const line of lines) yield* Console.log(Table.json(line))
    return lines
  }, Effect.scoped)

  // In a process of its own: its memory and its caches go with it.
  if (isReopened) for (const engine of engines) yield* measure(engine, "load")
  const measured = new Map(engines.map((engine) => [engine, [] as Array<ReadonlyArray<Line> | undefined>]))
  for (let run = 0; run < runs; run++) {
    for (const engine of Runner.order(engines, run)) measured.get(engine)?.push(yield* measure(engine, task.part))
  }
  if (engines.length > 1 || runs > 1) yield* Console.log(`\n${Versus.table(measured)}`)
}, Effect.scoped)
