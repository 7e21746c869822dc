/**
 * The `slate` command for tests: inside this process, with what it writes kept, or
 * as a process of its own, which has exit codes and signals.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import ChildProcess from "node:child_process"
import { fileURLToPath } from "node:url"
import * as Cli from "../../src/Cli.ts"
import { Problem } from "../../src/Problem.ts"
import { Screen } from "../../src/Screen.ts"

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Options {
  readonly env?: Readonly<Record<string, string>> | undefined
  readonly stdin?: string | undefined
}

/** Runs the command here. */
export const run = (args: ReadonlyArray<string>, options: Options = {}): Effect.Effect<Outcome> =>
  Effect.suspend(() => {
    let stdout = ""
    let stderr = ""
    const screen = Layer.succeed(Screen, {
      write: (text) => Effect.sync(() => void (stdout += text)),
      note: (text) => Effect.sync(() => void (stderr += text)),
      isTerminal: false,
      isInteractive: false,
      columns: 80
    })
    const stdin = Stdio.layerTest({ stdin: Stream.make(new TextEncoder().encode(options.stdin ?? "")) })
    return Cli.run(args).pipe(
      Effect.exit,
      Effect.map((exit) => ({ code: codeOf(exit), stdout, stderr })),
      Effect.provide(Layer.mergeAll(NodeServices.layer, stdin, screen)),
      Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env: { ...options.env } }))
    )
  })

const codeOf = (exit: Exit.Exit<unknown, unknown>): number => {
  if (Exit.isSuccess(exit)) return 0
  const error = Exit.findErrorOption(exit)
  return error._tag === "Some" && error.value instanceof Problem ? error.value.exitCode : 130
}

/** A database in a directory that goes with the test, and the flags that name it. */
export const temporary = Effect.gen(function* () {
  const fileSystem = yield* FileSystem.FileSystem
  const directory = yield* fileSystem.makeTempDirectoryScoped({ prefix: "slate-" })
  const at = ["--store", `file:${directory}/store`, "--db", "db"]
  return {
    directory,
    at,
    slate: (args: ReadonlyArray<string>, options?: Options) => run([...args, ...at], options),
    file: (name: string) => `${directory}/${name}`
  }
})

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url))

/** Starts the command as a process, which ends with the test. */
export const spawn = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = ChildProcess.spawn(process.execPath, [main, ...args], { env: { ...process.env, ...env } })
      let stdout = ""
      let stderr = ""
      child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()))
      child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()))
      child.stdin.on("error", () => {})
      const outcome = new Promise<Outcome>((resolve) =>
        child.on("close", (code) => resolve({ code: code ?? -1, stdout, stderr }))
      )
      return { child, outcome: Effect.promise(() => outcome) }
    }),
    ({ child }) => Effect.sync(() => child.kill("SIGKILL"))
  )

/** Runs the command as a process, to its end. */
export const runProcess = (args: ReadonlyArray<string>): Effect.Effect<Outcome> =>
  Effect.scoped(Effect.flatMap(spawn(args), ({ outcome }) => outcome))
