/**
 * The keeper of the manifest: the only one in this process that reads and writes
 * it, so everybody here agrees on one version.
 *
 *     Edit(pure function) ──> latest version, edit, create n + 1 ──> adopted, reply
 *     Poll, Refresh       ──> list what is newer, read it        ──> adopted, reply
 *
 * It handles one message at a time and waits on the store while it does, as a
 * second request before the first one is answered could only conflict with it.
 *
 * Each read that shows our own epoch renews the *lease* (law L13): the promise,
 * counted from when the read began, that nobody has collected the fence of a
 * successor whom we have not noticed. An edit that was stored under a stale lease is
 * adopted only after such a read, too. A version with a greater epoch means that
 * there is a successor: the database closes as fenced (L10).
 *
 * ADR 3 gives the poll to the memtable flush task. It has a task of its own here,
 * as readers need the same poll without a flusher.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as DbError from "../../DbError.ts"
import type { VersionedManifest } from "../lsm/DbState.ts"
import type { Manifest } from "../model/Manifest.ts"
import type { ManifestStore } from "../store/ManifestStore.ts"
import type { Versioned } from "../store/SequencedObject.ts"
import type { Lifecycle } from "./Lifecycle.ts"
import * as Retrying from "./Retrying.ts"
import * as Task from "./Task.ts"

type Message =
  | { readonly _tag: "Edit"; readonly edit: (manifest: Manifest) => Manifest; readonly reply: Task.Reply<void> }
  | { readonly _tag: "Refresh"; readonly reply: Task.Reply<void> | undefined }

export interface ManifestKeeper {
  /** Stores an edit and adopts the version that holds it. */
  readonly edit: (edit: (manifest: Manifest) => Manifest) => Effect.Effect<void, DbError.DbError>
  /** Adopts the latest version, and renews the lease. */
  readonly refresh: Effect.Effect<void, DbError.DbError>
  /** Whether a read that showed our epoch began less than the lease ago, by the wall clock and by the monotonic one. */
  readonly isLeaseFresh: () => boolean
}

export const make = Effect.fnUntraced(function* (options: {
  readonly lifecycle: Lifecycle
  readonly store: ManifestStore
  /** The version that holds our epoch. */
  readonly opened: Versioned<Manifest>
  /** When the read of `opened` began. */
  readonly leaseStart: Instant
  readonly leaseDuration: Duration.Duration
  readonly pollInterval: Duration.Duration
  /** Publishes a version, in one synchronous step. */
  readonly adopt: (version: VersionedManifest) => void
}): Effect.fn.Return<ManifestKeeper, never, Scope.Scope> {
  const { lifecycle, store } = options
  const clock = yield* Clock.Clock
  const retrying = Retrying.make(lifecycle, "ManifestKeeper")
  const epoch = options.opened.value.writerEpoch
  let known = options.opened
  let leaseStart = options.leaseStart

  const fenced = (found: number) =>
    DbError.fail(
      new DbError.Closed({
        kind: "fenced",
        detail: `another writer opened this database: our epoch=${epoch} theirs=${found}`
      })
    )
  const guarded = (edit: (manifest: Manifest) => Manifest) => (manifest: Manifest) =>
    manifest.writerEpoch > epoch ? Result.fail(fenced(manifest.writerEpoch)) : Result.succeed(edit(manifest))

  const adopt = (version: Versioned<Manifest>) => {
    if (version.id === known.id) return
    known = version
    options.adopt({ id: version.id, manifest: version.value })
  }

  /** Adopts the latest version from `least` on, and renews the lease. */
  const refresh = (least: Versioned<Manifest>) =>
    Effect.suspend(() => {
      const began = now(clock)
      return Effect.flatMap(store.refresh(least), (version) => {
        if (version.value.writerEpoch > epoch) return Effect.fail(fenced(version.value.writerEpoch))
        leaseStart = began
        adopt(version)
        return Effect.void
      })
    })

  const isLeaseFresh = () => elapsedMillis(leaseStart, now(clock)) < Duration.toMillis(options.leaseDuration)

  /** A version that was away for long may have landed where a successor's was collected: then there is a later one. */
  const edit = (change: (manifest: Manifest) => Manifest) =>
    Effect.flatMap(retrying(Effect.suspend(() => store.update(known, guarded(change)))), (stored) =>
      isLeaseFresh() ? Effect.sync(() => adopt(stored)) : retrying(refresh(stored))
    )

  const task = yield* Task.make<Message>({
    name: "ManifestKeeper",
    lifecycle,
    mailboxCapacity: 64,
    ticks: {
      schedule: Schedule.spaced(options.pollInterval),
      message: skippingFirst((): Message => ({ _tag: "Refresh", reply: undefined }))
    },
    handle: (message) =>
      (message._tag === "Edit" ? edit(message.edit) : retrying(Effect.suspend(() => refresh(known)))).pipe(
        Effect.map(() => {
          if (message.reply !== undefined) Deferred.doneUnsafe(message.reply, Effect.void)
        })
      )
  })

  return {
    edit: (edit) => task.ask((reply: Task.Reply<void>) => ({ _tag: "Edit", edit, reply })),
    refresh: task.ask((reply: Task.Reply<void>) => ({ _tag: "Refresh", reply })),
    isLeaseFresh
  }
})

/** A moment by both clocks: the wall clock may jump, the monotonic one may stand still while the machine sleeps. */
export interface Instant {
  readonly wallMillis: number
  readonly monotonicNanos: bigint
}

export const now = (clock: Clock.Clock): Instant => ({
  wallMillis: clock.currentTimeMillisUnsafe(),
  monotonicNanos: clock.monotonicTimeNanosUnsafe()
})

/** The greater of what both clocks say has passed. */
const elapsedMillis = (since: Instant, until: Instant): number =>
  Math.max(until.wallMillis - since.wallMillis, Number(until.monotonicNanos - since.monotonicNanos) / 1e6)

/** The first tick falls on the start; the poll begins one interval later. */
const skippingFirst = <A>(message: () => A): (() => A | undefined) => {
  let isFirst = true
  return () => {
    if (!isFirst) return message()
    isFirst = false
    return undefined
  }
}
