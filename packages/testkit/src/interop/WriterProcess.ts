/**
 * A writer in a process of its own, which can be killed or suspended, seen from
 * outside.
 *
 *     spawn ──> ready ──> begin(assignment) ──> open ──> ack 1, ack 2, ...
 *
 * The process starts before it is needed, so that the start of Node is not part of
 * what a drill waits for. What it printed before it was killed can still be read
 * when it has ended. It ends with the scope at the latest.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as Engine from "./Engine.ts"
import * as Place from "./Place.ts"

/** What a writer is to do. */
export const Assignment = Schema.Struct({
  engine: Schema.Literals(Engine.names),
  place: Place.Place,
  tuning: Engine.Tuning,
  /** Of the history that it writes. */
  seed: Schema.Int,
  /** The sequence number of its first batch: one above the database's last. */
  from: Schema.Int,
  /** Writes under way at once. */
  inFlightMax: Schema.Int,
  /** Of ten batches, so many are awaited until they are durable. */
  awaitedOfTen: Schema.Int,
  /** For a writer that is to be suspended in the middle of a PUT. */
  suspension: Schema.optionalKey(
    Schema.Struct({
      /** When its next PUT of a WAL object stops, after the open. It goes on when it is told `go`. */
      afterMillis: Schema.Int,
      /** Whether the PUT stops before the store has the object, or before the answer is back. */
      at: Schema.Literals(["before", "after"]),
      /** The acknowledgement lease. The manifest is read for it alone: polls would do its work. */
      leaseMillis: Schema.Int
    })
  )
})
export type Assignment = typeof Assignment.Type

export const AssignmentLine = Schema.fromJsonString(Assignment)

/** It ended, or said something that it should not. */
export class WriterError extends Data.TaggedError("WriterError")<{ readonly message: string }> {}

export interface WriterProcess {
  readonly begin: (assignment: Assignment) => Effect.Effect<void>
  readonly tell: (line: string) => Effect.Effect<void>
  /** Waits for a line that begins with `prefix`; fails when the process ends without. */
  readonly saw: (prefix: string) => Effect.Effect<void, WriterError>
  /** Whole lines only: what was cut off was not said. */
  readonly lines: () => ReadonlyArray<string>
  /** The sequence numbers that were acknowledged, in the order in which they were. */
  readonly acknowledged: () => ReadonlyArray<number>
  readonly signal: (signal: "SIGKILL" | "SIGSTOP" | "SIGCONT") => Effect.Effect<void>
  /** Waits for its end; all that it said can be read then. */
  readonly ended: Effect.Effect<void>
}

const program = fileURLToPath(new URL("./worker.ts", import.meta.url))

export const make: Effect.Effect<WriterProcess, never, Scope.Scope> = Effect.gen(function* () {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => spawn(process.execPath, [program], { stdio: ["pipe", "pipe", "inherit"] })),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  let output = ""
  let isOver = false
  const watchers = new Set<() => void>()
  const tellWatchers = () => watchers.forEach((watch) => watch())
  child.stdin.on("error", () => {})
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text
    tellWatchers()
  })
  child.once("close", () => {
    isOver = true
    tellWatchers()
  })

  const lines = () => output.split("\n").slice(0, -1)
  const until = <A, E>(look: () => Effect.Effect<A, E> | undefined): Effect.Effect<A, E> =>
    Effect.callback((resume) => {
      const watch = () => {
        const found = look()
        if (found === undefined) return
        watchers.delete(watch)
        resume(found)
      }
      watchers.add(watch)
      watch()
      return Effect.sync(() => watchers.delete(watch))
    })

  const tell = (line: string) => Effect.sync(() => void child.stdin.write(`${line}\n`))
  return {
    begin: (assignment) => tell(Schema.encodeSync(AssignmentLine)(assignment)),
    tell,
    saw: (prefix) =>
      until(() => {
        if (lines().some((line) => line.startsWith(prefix))) return Effect.void
        if (!isOver) return undefined
        const said = lines().slice(-3).join("; ")
        return Effect.fail(new WriterError({ message: `the writer ended before it said '${prefix}': ${said}` }))
      }),
    lines,
    acknowledged: () => lines().flatMap((line) => (line.startsWith("ack ") ? [Number(line.slice(4))] : [])),
    signal: (signal) => Effect.sync(() => void child.kill(signal)),
    ended: until(() => (isOver ? Effect.void : undefined))
  }
})

/** Gives a writer that is ready; the next one is started at once. */
export type Pool = Effect.Effect<WriterProcess, WriterError>

/** Writers that start while others work. All end with the pool's scope. */
export const pool: Effect.Effect<Pool, never, Scope.Scope> = Effect.gen(function* () {
  const start = Effect.provideService(make, Scope.Scope, yield* Effect.scope)
  let next = yield* start
  return Effect.gen(function* () {
    const writer = next
    next = yield* start
    yield* writer.saw("ready")
    return writer
  })
})
