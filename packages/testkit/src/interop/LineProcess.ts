/**
 * A program in a process of its own, which can be killed or suspended, seen from
 * outside: it reads lines, and prints lines.
 *
 *     spawn ──> ready ──> tell(assignment) ──> open ──> ...
 *
 * The process starts before it is needed, so that the start of Node is not part of
 * what a drill waits for. What it printed before it was killed can still be read
 * when it has ended. It ends with the scope at the latest.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

/** It ended, or said something that it should not. */
export class LineProcessError extends Data.TaggedError("LineProcessError")<{ readonly message: string }> {}

export interface LineProcess {
  readonly tell: (line: string) => Effect.Effect<void>
  /** Waits for a line that begins with `prefix`; fails when the process ends without. */
  readonly saw: (prefix: string) => Effect.Effect<void, LineProcessError>
  /** Waits until what was said is enough; fails when the process ends before. */
  readonly until: (isEnough: (lines: ReadonlyArray<string>) => boolean) => Effect.Effect<void, LineProcessError>
  /** Whole lines only: what was cut off was not said. */
  readonly lines: () => ReadonlyArray<string>
  readonly signal: (signal: "SIGKILL" | "SIGSTOP" | "SIGCONT") => Effect.Effect<void>
  /** Waits for its end; all that it said can be read then. */
  readonly ended: Effect.Effect<void>
}

/** Starts a program of this folder. */
export const make = Effect.fnUntraced(function* (program: string): Effect.fn.Return<LineProcess, never, Scope.Scope> {
  const path = fileURLToPath(new URL(`./${program}`, import.meta.url))
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => spawn(process.execPath, [path], { stdio: ["pipe", "pipe", "inherit"] })),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  const lines: Array<string> = []
  let rest = ""
  let isOver = false
  const watchers = new Set<() => void>()
  const tellWatchers = () => watchers.forEach((watch) => watch())
  child.stdin.on("error", () => {})
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const parts = (rest + text).split("\n")
    rest = parts.pop() ?? ""
    lines.push(...parts)
    tellWatchers()
  })
  child.once("close", () => {
    isOver = true
    tellWatchers()
  })

  const watch = <A, E>(look: () => Effect.Effect<A, E> | undefined): Effect.Effect<A, E> =>
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
  const until = (what: string, isEnough: (lines: ReadonlyArray<string>) => boolean) =>
    watch((): Effect.Effect<void, LineProcessError> | undefined => {
      if (isEnough(lines)) return Effect.void
      if (!isOver) return undefined
      const said = lines.slice(-3).join("; ")
      return Effect.fail(new LineProcessError({ message: `${program} ended before it said ${what}: ${said}` }))
    })

  return {
    tell: (line) => Effect.sync(() => void child.stdin.write(`${line}\n`)),
    saw: (prefix) => until(`'${prefix}'`, (lines) => lines.some((line) => line.startsWith(prefix))),
    until: (isEnough) => until("what was waited for", isEnough),
    lines: () => lines,
    signal: (signal) => Effect.sync(() => void child.kill(signal)),
    ended: watch(() => (isOver ? Effect.void : undefined))
  }
})

/** Gives a process that is ready; the next one is started at once. */
export type Pool<A> = Effect.Effect<A, LineProcessError>

/** Processes that start while others work. All end with the pool's scope. */
export const pool = <A extends LineProcess>(
  make: Effect.Effect<A, never, Scope.Scope>
): Effect.Effect<Pool<A>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const start = Effect.provideService(make, Scope.Scope, yield* Effect.scope)
    let next = yield* start
    return Effect.gen(function* () {
      const ready = next
      next = yield* start
      yield* ready.saw("ready")
      return ready
    })
  })
