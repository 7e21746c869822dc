/**
 * The store that a `FaultyObjectStore` hands out: every request goes through the
 * faults that strike it on its way to the store, and again on its way back.
 */
import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import type * as Array from "effect/Array"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Pull from "effect/Pull"
import type * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Fault, Operation } from "../Fault.ts"
import type { Entry, RequestTrace } from "./RequestTrace.ts"
import type { ActiveRule, RuleBook } from "./RuleBook.ts"
import { StaleListing } from "./StaleListing.ts"

type Store = ObjectStore.ObjectStore["Service"]
type Answer<A> = Effect.Effect<A, ObjectStore.ObjectStoreError>
type Pages = Pull.Pull<Array.NonEmptyReadonlyArray<ObjectStore.ObjectMeta>, ObjectStore.ObjectStoreError>
type ListOptions = Parameters<Store["list"]>[0]

export interface Parts {
  readonly inner: Store
  readonly rules: RuleBook
  readonly trace: RequestTrace
  readonly random: Random.Random
}

export const make = (parts: Parts): Store => {
  const { inner } = parts
  const stale = new StaleListing()
  const change = (path: string, run: Answer<void>) => remember(parts, stale, path, run)
  return {
    get: (path) => request(parts, "get", path, 0, inner.get(path), size),
    getRange: (path, range) => request(parts, "getRange", path, 0, inner.getRange(path, range), size),
    head: (path) => request(parts, "head", path, 0, inner.head(path)),
    put: (path, body) => request(parts, "put", path, ObjectStore.byteLength(body), change(path, inner.put(path, body))),
    putIfAbsent: (path, body, options) => {
      const run = change(path, inner.putIfAbsent(path, body, options))
      return request(parts, "putIfAbsent", path, ObjectStore.byteLength(body), run)
    },
    delete: (path) => request(parts, "delete", path, 0, change(path, inner.delete(path))),
    list: (options) => list(parts, stale, options)
  }
}

const size = (bytes: Uint8Array): number => bytes.length

const request = <A>(
  parts: Parts,
  operation: Operation,
  path: string,
  bytesUp: number,
  run: Answer<A>,
  bytesDown: (answer: A) => number = () => 0
): Answer<A> =>
  Clock.clockWith((clock) => {
    const struck = parts.rules.strike(operation, path)
    const entry = parts.trace.begin(operation, path, clock.currentTimeMillisUnsafe())
    parts.trace.bytes(entry, bytesUp)
    const onTheWay = (at: "before" | "after", bytes: number) =>
      Effect.forEach(struck, (active) => strike(parts, active, at, bytes, entry), { discard: true })
    return onTheWay("before", bytesUp).pipe(
      Effect.andThen(run),
      Effect.tap((answer) => {
        entry.landed = true
        const bytes = bytesDown(answer)
        parts.trace.bytes(entry, bytes)
        return onTheWay("after", bytes)
      }),
      Effect.onExit((exit) => Effect.sync(() => parts.trace.end(entry, exit, clock.currentTimeMillisUnsafe())))
    )
  })

/** A listing is one request: the way there is before its first page, the way back after it. */
const list = (
  parts: Parts,
  stale: StaleListing,
  options: ListOptions
): Stream.Stream<ObjectStore.ObjectMeta, ObjectStore.ObjectStoreError> =>
  Stream.unwrap(
    Clock.clockWith((clock) => {
      const struck = parts.rules.strike("list", options.prefix)
      const entry = parts.trace.begin("list", options.prefix, clock.currentTimeMillisUnsafe())
      const end = (exit: Exit.Exit<unknown, ObjectStore.ObjectStoreError>) =>
        Effect.sync(() => parts.trace.end(entry, exit, clock.currentTimeMillisUnsafe()))
      const pages = Stream.transformPull(staleOrPresent(parts, stale, struck, options), (pull, scope) =>
        Effect.as(Scope.addFinalizerExit(scope, end), faultyPull(parts, struck, entry, pull))
      )
      return Effect.succeed(pages)
    })
  )

const faultyPull = (parts: Parts, struck: ReadonlyArray<ActiveRule>, entry: Entry, pull: Pages): Pages => {
  const onTheWay = (at: "before" | "after", kinds: ReadonlyArray<Fault["_tag"]>) =>
    Effect.forEach(
      struck.filter(({ rule }) => kinds.includes(rule.fault._tag)),
      (active) => strike(parts, active, at, 0, entry),
      { discard: true }
    )
  const answered = Effect.suspend(() => {
    entry.landed = true
    return onTheWay("after", ["Hold"])
  })
  const lost = onTheWay("after", ["Fail"])
  const first = onTheWay("before", ["Hold", "Delay", "Fail"]).pipe(
    Effect.andThen(pull),
    Effect.tap(answered),
    // An empty listing is an answer too, and as easily lost.
    Pull.catchDone(() => answered.pipe(Effect.andThen(lost), Effect.andThen(Cause.done())))
  )
  const next = lost.pipe(Effect.andThen(onTheWay("before", ["Delay"])), Effect.andThen(pull))
  let pulls = 0
  return Effect.suspend(() => (pulls++ === 0 ? first : next))
}

const staleOrPresent = (
  parts: Parts,
  stale: StaleListing,
  struck: ReadonlyArray<ActiveRule>,
  options: ListOptions
): Stream.Stream<ObjectStore.ObjectMeta, ObjectStore.ObjectStoreError> => {
  const present = parts.inner.list(options)
  const fault = struck.map(({ rule }) => rule.fault).find((fault) => fault._tag === "StaleList")
  if (fault === undefined) return present
  return Stream.fromIterableEffect(
    Clock.clockWith((clock) =>
      Effect.map(Stream.runCollect(present), (metas) =>
        stale.at(clock.currentTimeMillisUnsafe() - Duration.toMillis(fault.lag), metas, options)
      )
    )
  )
}

/** Remembers a change for stale listings, while there are such. */
const remember = (parts: Parts, stale: StaleListing, path: string, run: Answer<void>): Answer<void> =>
  Clock.clockWith((clock) => {
    const lagMax = StaleListing.lagMax(parts.rules.faults)
    if (lagMax === 0) return run
    const found = Effect.orElseSucceed(parts.inner.head(path), () => undefined)
    return Effect.flatMap(found, (meta) =>
      Effect.onExit(run, () => Effect.sync(() => stale.changed(path, meta, clock.currentTimeMillisUnsafe(), lagMax)))
    )
  })

/** What one rule does to a request on its way there (`before`) or back (`after`), with so many bytes. */
const strike = (
  parts: Parts,
  active: ActiveRule,
  at: "before" | "after",
  bytes: number,
  { operation, path }: { readonly operation: Operation; readonly path: string }
): Answer<void> => {
  const { fault } = active.rule
  switch (fault._tag) {
    case "Hold":
      return fault.at === at ? fault.gate.pass : Effect.void
    case "Delay":
      return at === "before" ? Effect.sleep(drawDelay(parts.random, fault)) : Effect.void
    case "Throttle":
      return bytes === 0 ? Effect.void : transfer(active, fault.bytesPerSecond, bytes)
    case "Fail":
      return fault.at === at ? Effect.fail(ObjectStore.fail(fault.reason({ operation, path }))) : Effect.void
    case "StaleList":
      return Effect.void
  }
}

const drawDelay = (random: Random.Random, { min, max }: Extract<Fault, { _tag: "Delay" }>): Duration.Duration => {
  if (Duration.Equivalence(min, max)) return min
  const least = Duration.toMillis(min)
  return Duration.millis(least + random.nextDoubleUnsafe() * (Duration.toMillis(max) - least))
}

/** Waits for the link of a throttle, and then for the bytes to go through it. */
const transfer = (active: ActiveRule, bytesPerSecond: number, bytes: number): Effect.Effect<void> =>
  Clock.clockWith((clock) => {
    const now = clock.currentTimeMillisUnsafe()
    active.linkFreeAt = Math.max(now, active.linkFreeAt) + (bytes / bytesPerSecond) * 1000
    return Effect.sleep(Duration.millis(active.linkFreeAt - now))
  })
