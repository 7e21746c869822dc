/**
 * ADR 3's third task: asks the compaction policy, at regular intervals, what to
 * merge.
 *
 * It stands apart from the write path: when it fails it is started again after a
 * pause, and the database goes on. Its policy plans nothing yet, so level 0 only
 * grows.
 */
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type * as DbError from "../../DbError.ts"
import type { CompactionPlan, CompactionPolicy } from "../../CompactionPolicy.ts"
import type { Manifest } from "../model/Manifest.ts"
import type { Lifecycle } from "./Lifecycle.ts"
import * as Task from "./Task.ts"

type Message = { readonly _tag: "Poll" } | { readonly _tag: "Drain"; readonly reply: Task.Reply<void> }

export interface CompactorTask {
  /** Waits until no job is running; not for a compactor that pauses after a failure. */
  readonly drain: Effect.Effect<void, DbError.DbError>
}

export const make = Effect.fnUntraced(function* (options: {
  readonly lifecycle: Lifecycle
  readonly policy: CompactionPolicy
  readonly pollInterval: Duration.Duration
  readonly manifest: () => Manifest
  readonly run: (plan: CompactionPlan) => Effect.Effect<void>
}): Effect.fn.Return<CompactorTask, never, Scope.Scope> {
  let isBusy = false
  const compact = Effect.suspend(() => {
    isBusy = true
    return Effect.forEach(options.policy.choose({ manifest: options.manifest(), active: [], room: 1 }), options.run, {
      discard: true
    })
  }).pipe(
    Effect.ensuring(
      Effect.sync(() => {
        isBusy = false
      })
    )
  )
  const task = yield* Task.make<Message>({
    name: "Compactor",
    lifecycle: options.lifecycle,
    onFailure: "restart",
    mailboxCapacity: 16,
    ticks: { schedule: Schedule.spaced(options.pollInterval), message: () => ({ _tag: "Poll" }) },
    handle: (message) =>
      message._tag === "Poll"
        ? compact
        : Effect.sync(() => {
            Deferred.doneUnsafe(message.reply, Effect.void)
          })
  })
  const drain = task.ask((reply: Task.Reply<void>) => ({ _tag: "Drain", reply }))
  return { drain: Effect.suspend(() => (isBusy ? drain : Effect.void)) }
})
