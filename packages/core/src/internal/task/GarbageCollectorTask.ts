/**
 * The collector of a database: deletes, at regular intervals, what nobody needs any
 * more. What that is says `CollectionPlan`; how it goes, `CollectionPass`.
 *
 *     tick ──> pass ──> done: counted
 *                  └──> failed: said in status and log, tried again at the next tick
 *
 * It stands apart from the write path and keeps nothing but counts: it may fail, be
 * interrupted, or run in several processes at once. It never ends a database.
 */
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type * as DbError from "../../DbError.ts"
import type { Collected } from "../model/Garbage.ts"
import type { Lifecycle } from "./Lifecycle.ts"
import * as Task from "./Task.ts"

export interface GarbageCollectorTask {
  readonly facts: () => CollectorFacts
}

export interface CollectorFacts {
  /** Objects deleted and their bytes, since it was started. */
  readonly objects: number
  readonly bytes: number
  /** Why the last pass failed, if it did. */
  readonly failure: string | undefined
}

export const make = Effect.fnUntraced(function* (options: {
  readonly lifecycle: Lifecycle
  /** From one pass to the next; the first comes one interval after the start. */
  readonly interval: Duration.Duration
  readonly collect: (onDeleted: (object: Collected) => void) => Effect.Effect<unknown, DbError.DbError>
}): Effect.fn.Return<GarbageCollectorTask, never, Scope.Scope> {
  let objects = 0
  let bytes = 0
  let failure: string | undefined
  let isStart = true
  const pass = options
    .collect((object) => {
      objects++
      bytes += object.bytes
    })
    .pipe(
      Effect.map(() => {
        failure = undefined
      }),
      Effect.catchCause((cause) => {
        if (Cause.hasInterrupts(cause)) return Effect.failCause(cause)
        const error = Cause.squash(cause)
        failure = error instanceof Error ? error.message : String(error)
        return Effect.logWarning(`effect-slatedb: the collector failed and will try again: ${failure}`)
      })
    )
  yield* Task.make<"Collect">({
    name: "GarbageCollector",
    lifecycle: options.lifecycle,
    onFailure: "restart",
    mailboxCapacity: 1,
    ticks: {
      schedule: Schedule.spaced(options.interval),
      message: () => {
        if (!isStart) return "Collect"
        isStart = false
        return undefined
      }
    },
    handle: () => pass
  })
  return { facts: () => ({ objects, bytes, failure }) }
})
