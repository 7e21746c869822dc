/**
 * What can go wrong with a request to an object store, and for which requests.
 *
 * A {@link Fault} says what happens, a {@link Rule} whom it strikes: requests are
 * matched by operation and path, the first `skip` of them pass unharmed, the next
 * `times` are struck, each with `probability`. Both are data; a
 * `FaultyObjectStore` carries them out.
 *
 * A request is struck by at most one rule of each kind of fault, the first in
 * order of adding that takes it. So rules of one kind form a queue ("the first
 * create is refused, the second loses its answer"), and different kinds combine
 * (slow *and* failing). Faults of different kinds work in a fixed order:
 *
 * ```
 * hold before -> delay -> throttle up -> fail before -> THE STORE -> hold after -> throttle down -> fail after
 * ```
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as Duration from "effect/Duration"
import type { Gate } from "./Gate.ts"

/**
 * The operations that a fault can strike.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Operation = Exclude<ObjectStore.Operation, "open">

/**
 * What happens to a request. Made by the constructors of this module.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Fault =
  | { readonly _tag: "Hold"; readonly gate: Gate; readonly at: "before" | "after" }
  | { readonly _tag: "Delay"; readonly min: Duration.Duration; readonly max: Duration.Duration }
  | { readonly _tag: "Throttle"; readonly bytesPerSecond: number }
  | {
      readonly _tag: "Fail"
      readonly at: "before" | "after"
      readonly reason: (details: ObjectStore.ReasonDetails) => ObjectStore.Reason
    }
  | { readonly _tag: "StaleList"; readonly lag: Duration.Duration }

/**
 * Which requests are meant.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Match {
  /** One operation or several; without it, all. */
  readonly operation?: Operation | ReadonlyArray<Operation> | undefined
  /** A part of the path (for `list`: of the prefix) or a pattern it matches; without it, all. */
  readonly path?: string | RegExp | undefined
}

/**
 * A fault and the requests that it strikes.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Rule extends Match {
  readonly fault: Fault
  /** How many matching requests pass unharmed first. Default 0. */
  readonly skip?: number | undefined
  /** How many requests are struck. Default: all, until the rule is removed. */
  readonly times?: number | undefined
  /** How likely a request that could be struck is, from 0 to 1. Default 1. */
  readonly probability?: number | undefined
}

/**
 * The request waits at the gate, before or after the store has carried it out.
 * Between the two lies everything that can happen to a request in flight.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const hold = (gate: Gate, options?: { readonly at?: "before" | "after" | undefined }): Fault => ({
  _tag: "Hold",
  gate,
  at: options?.at ?? "before"
})

/**
 * The request takes this long before the store sees it. A listing takes it for
 * every page.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const delay = (duration: Duration.Input): Fault => delayBetween(duration, duration)

/**
 * Like {@link delay}, with a duration drawn evenly between two.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const delayBetween = (min: Duration.Input, max: Duration.Input): Fault => ({
  _tag: "Delay",
  min: Duration.fromInputUnsafe(min),
  max: Duration.fromInputUnsafe(max)
})

/**
 * All requests that the rule strikes share a link of this width: bodies wait for
 * those before them.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const throttle = (bytesPerSecond: number): Fault => ({ _tag: "Throttle", bytesPerSecond })

/**
 * The request fails and the store never sees it. The default reason is
 * `Unavailable`.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const failBefore = (reason?: (details: ObjectStore.ReasonDetails) => ObjectStore.Reason): Fault => ({
  _tag: "Fail",
  at: "before",
  reason: reason ?? ((details) => new ObjectStore.Unavailable({ ...details, detail: "injected before the request" }))
})

/**
 * The store carries the request out and the answer is lost: the caller sees a
 * failure, by default `Unavailable`. A listing breaks off after its first page.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const failAfter = (reason?: (details: ObjectStore.ReasonDetails) => ObjectStore.Reason): Fault => ({
  _tag: "Fail",
  at: "after",
  reason: reason ?? ((details) => new ObjectStore.Unavailable({ ...details, detail: "injected: answer lost" }))
})

/**
 * A listing shows the store as it was this long ago. Only changes made through
 * the same `FaultyObjectStore`, and since the rule was added, lag behind.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const staleList = (lag: Duration.Input): Fault => ({ _tag: "StaleList", lag: Duration.fromInputUnsafe(lag) })

/**
 * Whether a request is meant.
 *
 * @stability unstable
 * @category guards
 * @since 0.1.0
 */
export const matches = (match: Match, operation: Operation, path: string): boolean => {
  const { operation: wanted, path: pattern } = match
  if (wanted !== undefined && !(typeof wanted === "string" ? wanted === operation : wanted.includes(operation))) {
    return false
  }
  if (pattern === undefined) return true
  return typeof pattern === "string" ? path.includes(pattern) : path.search(pattern) !== -1
}
