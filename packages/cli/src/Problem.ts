/**
 * Why a command could not do what it was asked, in one sentence, and what to do next.
 *
 * Every failure of the libraries below becomes a problem here, in one place. What
 * the user reads never depends on which library failed.
 *
 *     0   done
 *     1   failed
 *     2   the command was not understood
 *     3   there is no such key
 *   130   interrupted
 */
import * as DbError from "@effect-slatedb/core/DbError"
import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as Config from "effect/Config"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as PlatformError from "effect/PlatformError"
import * as Runtime from "effect/Runtime"

export const ExitCode = { failure: 1, usage: 2, keyNotFound: 3 } as const
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

export class Problem extends Data.TaggedError("Problem")<{
  /** What is wrong: a clause without a capital letter or a full stop. */
  readonly what: string
  /** What to do about it, likewise. */
  readonly next?: string | undefined
  readonly exitCode: ExitCode
  readonly cause?: unknown
}> {
  /** Read by the runtime that ends the process. */
  override readonly [Runtime.errorExitCode]: number = this.exitCode
  override readonly [Runtime.errorReported]: boolean = false

  override get message(): string {
    return this.next === undefined ? `${this.what}.` : `${this.what}; ${this.next}.`
  }
}

export const failure = (what: string, next?: string, cause?: unknown): Problem =>
  new Problem({ what, next, exitCode: ExitCode.failure, cause })

export const usage = (what: string, next?: string): Problem => new Problem({ what, next, exitCode: ExitCode.usage })

/** The problem behind any error of a command. */
export const from = (error: unknown): Problem => {
  if (error instanceof Problem) return error
  if (DbError.isDbError(error)) return fromReason(error.reason, error)
  if (error instanceof DbError.KeyNotFound) {
    return new Problem({ what: "there is no such key", exitCode: ExitCode.keyNotFound })
  }
  if (ObjectStore.isObjectStoreError(error)) return fromStore(error)
  if (error instanceof Config.ConfigError) return usage(firstLine(error.message), "correct the environment variable")
  if (error instanceof PlatformError.PlatformError) return fromPlatform(error)
  return failure(`unexpected: ${error instanceof Error ? firstLine(error.message) : String(error)}`, debug, error)
}

/** Turns every failure of a command into a problem. */
export const catchAll = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, Problem, R> =>
  Effect.mapError(effect, from)

const debug = "run it again with --log-level debug to see where"

const fromReason = (reason: DbError.Reason, cause: unknown): Problem => {
  switch (reason._tag) {
    case "Unavailable":
      return failure(
        `the object store does not answer (${reason.operation} ${reason.path})`,
        "check the address and the network, then try again",
        cause
      )
    case "Closed":
      return reason.kind === "fenced"
        ? failure(
            "another process opened this database for writing, so this one stopped",
            "let one process write at a time, then try again",
            cause
          )
        : failure(`the database closed itself: ${reason.detail}`, debug, cause)
    case "Invalid":
      return new Problem({ what: `${reason.field}: ${reason.detail}`, exitCode: ExitCode.usage, cause })
    case "Unsupported":
      return failure(`${reason.what} is not supported: ${reason.detail}`, undefined, cause)
    case "Corrupt":
      return failure(
        `${reason.object} is damaged at offset ${reason.offset}: expected ${reason.expected}, found ${reason.found}`,
        "run `slate verify` to see everything that is damaged",
        cause
      )
  }
}

const fromStore = (error: ObjectStore.ObjectStoreError): Problem => {
  const { detail, operation, path } = error.reason
  const where = `${operation} ${path}`.trim()
  switch (error.reason._tag) {
    case "Unavailable":
      return failure(
        `the object store does not answer (${where})`,
        "check the address and the network, then try again",
        error
      )
    case "Denied":
      return failure(`the object store denies access (${where})`, "check the credentials and their permissions", error)
    case "Invalid":
      return new Problem({
        what: `the object store refuses: ${detail ?? where}`,
        next: "check --store",
        exitCode: ExitCode.usage,
        cause: error
      })
    case "NotFound":
    case "AlreadyExists":
    case "Unsupported":
      return failure(error.message, undefined, error)
  }
}

const fromPlatform = (error: PlatformError.PlatformError): Problem => {
  const { reason } = error
  const path = "pathOrDescriptor" in reason ? ` ${reason.pathOrDescriptor}` : ""
  return failure(`cannot ${reason.method}${path}: ${reason._tag}`, "check that it exists and may be used", error)
}

const firstLine = (text: string): string => text.split("\n", 1)[0] ?? text
