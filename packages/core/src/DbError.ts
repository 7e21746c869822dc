/**
 * How a database says no.
 *
 * One error with a tagged `reason`, coarse and prescriptive: a reason exists
 * where a caller would act differently.
 *
 * | reason        | what to do                                            |
 * | ------------- | ----------------------------------------------------- |
 * | `Unavailable` | the store does not answer: try again                  |
 * | `Closed`      | this handle is finished: open the database again      |
 * | `Invalid`     | fix the call or the configuration                     |
 * | `Unsupported` | newer bytes, or a layer or capability is missing      |
 * | `Corrupt`     | fix the data: a named object holds wrong bytes        |
 *
 * A missing key is a {@link KeyNotFound} of its own, and only `get` fails with it.
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Predicate from "effect/Predicate"

/**
 * The store did not answer. Reads may simply be repeated.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class Unavailable extends Data.TaggedError("Unavailable")<{
  readonly operation: string
  readonly path: string
  readonly cause?: unknown
}> {
  readonly isRetryable: boolean = true
  override get message(): string {
    return `object store unavailable: operation=${this.operation} path=${this.path}`
  }
}

/**
 * The handle is finished, and every later call fails with this.
 *
 * - `clean`: it was closed.
 * - `fenced`: another writer opened the same database; this one's writes that
 *   were not acknowledged may or may not be there.
 * - `failed`: a background task failed for good; `cause` says why.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class Closed extends Data.TaggedError("Closed")<{
  readonly kind: "clean" | "fenced" | "failed"
  readonly detail: string
  readonly cause?: unknown
}> {
  readonly isRetryable: boolean = false
  override get message(): string {
    return `database is closed: kind=${this.kind} detail=${this.detail}`
  }
}

/**
 * The call or the configuration is wrong. Nothing was changed.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class Invalid extends Data.TaggedError("Invalid")<{
  /** What was wrong, for example `key` or `settings.blockSizeBytes`. */
  readonly field: string
  /** The rule it broke, with the bound. */
  readonly detail: string
  readonly cause?: unknown
}> {
  readonly isRetryable: boolean = false
  override get message(): string {
    return `invalid ${this.field}: ${this.detail}`
  }
}

/**
 * These bytes, or this store, ask for something this engine does not have here.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class Unsupported extends Data.TaggedError("Unsupported")<{
  readonly what: string
  readonly detail: string
  readonly cause?: unknown
}> {
  readonly isRetryable: boolean = false
  override get message(): string {
    return `unsupported ${this.what}: ${this.detail}`
  }
}

/**
 * An object holds bytes that no writer writes. Nothing is guessed or skipped.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class Corrupt extends Data.TaggedError("Corrupt")<{
  /** Path of the object. */
  readonly object: string
  /** Byte offset in the object where the fault was seen. */
  readonly offset: number
  readonly expected: string
  readonly found: string
  readonly cause?: unknown
}> {
  readonly isRetryable: boolean = false
  override get message(): string {
    return `corrupt object: object=${this.object} offset=${this.offset} expected=${this.expected} found=${this.found}`
  }
}

/**
 * Why a database operation failed.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export type Reason = Unavailable | Closed | Invalid | Unsupported | Corrupt

const TypeId = "~@effect-slatedb/core/DbError"

/**
 * A database operation failed, for the `reason` it carries. Use
 * `Effect.catchReason("DbError", "Closed", ...)` to handle one.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class DbError extends Data.TaggedError("DbError")<{ readonly reason: Reason }> {
  readonly [TypeId] = TypeId

  /** Whether the same call may succeed later. */
  get isRetryable(): boolean {
    return this.reason.isRetryable
  }

  override get message(): string {
    return this.reason.message
  }
}

/**
 * Whether a value is a {@link DbError}.
 *
 * @stability unstable
 * @category guards
 * @since 0.1.0
 */
export const isDbError = (u: unknown): u is DbError => Predicate.hasProperty(u, TypeId)

/**
 * Wraps a reason.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const fail = (reason: Reason): DbError => new DbError({ reason })

/**
 * `get` found no value for the key. Plain tagged data without a stack trace, as
 * building one costs thirty times the lookup.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class KeyNotFound extends Data.TaggedClass("KeyNotFound")<{
  /** The key as it was asked for. */
  readonly key: Uint8Array | string
}> {
  get message(): string {
    return "key not found"
  }
}
