/**
 * The harness's end of an engine's process: a scoped process that answers commands.
 * When the scope closes the process is killed, whatever it is doing.
 */
import { fork } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Command, Commands, Reply, Request } from "./Protocol.ts"

/** The process failed a command, or ended before it answered. The message may end in the other process's stack. */
export class ChildError extends Data.TaggedError("ChildError")<{ readonly message: string }> {}

/** What went wrong, without the stack of the other process. */
export const firstLine = ({ message }: ChildError): string => message.split("\n", 1)[0] ?? message

export interface Child {
  readonly pid: number
  /** One command at a time. */
  readonly call: <C extends Command>(
    command: C,
    input: Commands[C]["input"]
  ) => Effect.Effect<Commands[C]["output"], ChildError>
}

const worker = fileURLToPath(new URL("./worker.ts", import.meta.url))

/** Engines that keep everything in memory must not meet a limit that others do not have. */
const execArgv = ["--max-old-space-size=8192", "--disable-warning=ExperimentalWarning"]

export const spawn: Effect.Effect<Child, never, Scope.Scope> = Effect.gen(function* () {
  const process = yield* Effect.acquireRelease(
    Effect.sync(() => fork(worker, [], { execArgv })),
    (process) =>
      Effect.promise(async () => {
        if (process.exitCode !== null || process.signalCode !== null) return
        const exited = once(process, "exit")
        process.kill("SIGKILL")
        await exited
      })
  )
  const call: Child["call"] = <C extends Command>(command: C, input: Commands[C]["input"]) =>
    Effect.callback<Commands[C]["output"], ChildError>((resume) => {
      if (!process.connected) {
        return resume(Effect.fail(new ChildError({ message: "the process of the engine has ended" })))
      }
      const onMessage = (reply: Reply<C>): void => {
        process.off("exit", onExit)
        resume("error" in reply ? Effect.fail(new ChildError({ message: reply.error })) : Effect.succeed(reply.output))
      }
      const onExit = (code: number | null, signal: string | null): void => {
        process.off("message", onMessage)
        const message = `the process of the engine ended: command=${command} code=${code} signal=${signal}`
        resume(Effect.fail(new ChildError({ message })))
      }
      process.once("message", onMessage)
      process.once("exit", onExit)
      const request: Request<C> = { command, input }
      process.send(request)
    })
  return { pid: process.pid ?? -1, call }
})
