/**
 * How tasks meet a store that does not answer: they try again, for as long as
 * the database is open, with growing pauses, and say so in status and log.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as DbError from "../../DbError.ts"
import type { Lifecycle } from "./Lifecycle.ts"

/** 100 ms, 200 ms, 400 ms ... at most 1 s apart, each give or take a fifth. */
const backoff = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("1 second")]).pipe(Schedule.jittered)

/** Repeats a request while the store does not answer. */
export type Retrying = <A, R>(request: Effect.Effect<A, DbError.DbError, R>) => Effect.Effect<A, DbError.DbError, R>

export const make =
  (lifecycle: Lifecycle, task: string): Retrying =>
  (request) =>
    request.pipe(
      Effect.tapError((error) => (error.isRetryable ? lifecycle.noteRetry(task, error) : Effect.void)),
      Effect.retry({ schedule: backoff, while: (error) => error.isRetryable && lifecycle.reason === undefined })
    )
