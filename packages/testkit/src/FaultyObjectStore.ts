/**
 * An object store with faults: wraps any other one and does to its requests what
 * rules say.
 *
 * Every request goes through here: it is traced, the rules that strike it are
 * chosen (see {@link Fault}), and they delay it, hold it at a gate, lose its answer
 * and so on around the store's own answer. Without rules the wrapper is
 * transparent. All waiting goes through `Clock`, all chance through the `Random`
 * that was there when the wrapper was made: under `TestClock` and with a seed
 * every run is the same.
 *
 * Two wrappers around one store are two processes with their own misfortunes.
 *
 * **Example** (A create that happened, but whose answer was lost)
 *
 * ```ts
 * import * as Fault from "@effect-slatedb/testkit/Fault"
 * import * as FaultyObjectStore from "@effect-slatedb/testkit/FaultyObjectStore"
 * import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function* () {
 *   const faults = yield* FaultyObjectStore.make(MemoryObjectStore.fromState(MemoryObjectStore.makeState()))
 *   yield* faults.add({ operation: "putIfAbsent", path: "wal/", times: 1, fault: Fault.failAfter() })
 *
 *   const create = faults.store.putIfAbsent("db/wal/1", new Uint8Array(3), { putId: "a" })
 *   yield* Effect.flip(create) // Unavailable, yet the object is there
 *   yield* create // the same put id: it was ours
 *
 *   const requests = yield* faults.requests({ path: "wal/" })
 *   return requests.map((request) => request.outcome) // ["Unavailable", "success"]
 * })
 * ```
 *
 * **Example** (A PUT stopped in flight)
 *
 * ```ts
 * import * as FaultyObjectStore from "@effect-slatedb/testkit/FaultyObjectStore"
 * import * as Effect from "effect/Effect"
 * import * as Fiber from "effect/Fiber"
 *
 * const program = Effect.gen(function* () {
 *   const faults = yield* FaultyObjectStore.Faults
 *   const gate = yield* faults.hold({ operation: "putIfAbsent", path: "manifest/" })
 *   const create = faults.store.putIfAbsent("db/manifest/1", new Uint8Array(3), { putId: "a" })
 *   const fiber = yield* Effect.forkChild(create)
 *   yield* gate.reached()
 *   // ... the store has not seen it yet: let somebody else win the race here ...
 *   yield* gate.open
 *   yield* Fiber.join(fiber)
 * })
 * ```
 *
 * **Example** (Random weather from a seed)
 *
 * ```ts
 * import * as Fault from "@effect-slatedb/testkit/Fault"
 * import * as FaultyObjectStore from "@effect-slatedb/testkit/FaultyObjectStore"
 * import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as Random from "effect/Random"
 *
 * const weather = [
 *   { fault: Fault.delayBetween("5 millis", "80 millis") },
 *   { fault: Fault.failBefore(), probability: 0.02 },
 *   { fault: Fault.failAfter(), probability: 0.02, operation: ["put", "putIfAbsent", "delete"] },
 *   { fault: Fault.staleList("1 second"), probability: 0.5 }
 * ] as const
 *
 * const program = Effect.gen(function* () {
 *   const faults = yield* FaultyObjectStore.make(yield* MemoryObjectStore.make, { rules: weather })
 *   return faults.store
 * }).pipe(Random.withSeed(1))
 *
 * const layer = FaultyObjectStore.layer({ rules: weather }).pipe(Layer.provide(MemoryObjectStore.layer))
 * ```
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Fault from "./Fault.ts"
import * as Gate from "./Gate.ts"
import * as FaultyStore from "./internal/FaultyStore.ts"
import { type Request, type RequestCount, RequestTrace } from "./internal/RequestTrace.ts"
import { RuleBook } from "./internal/RuleBook.ts"

export type { Request, RequestCount } from "./internal/RequestTrace.ts"

/**
 * A rule in force.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface AddedRule {
  /** How many requests it has struck. */
  readonly strikes: Effect.Effect<number>
  /** Takes it out of force. Requests that it has struck already are not let off. */
  readonly remove: Effect.Effect<void>
}

/**
 * The hands on a faulty store.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export class Faults extends Context.Service<
  Faults,
  {
    /** The store with the faults. */
    readonly store: ObjectStore.ObjectStore["Service"]
    /** Puts a rule in force, behind those that are. */
    readonly add: (rule: Fault.Rule) => Effect.Effect<AddedRule>
    /** Puts a gate across matching requests: shorthand for a rule with `Fault.hold`. */
    readonly hold: (
      match: Omit<Fault.Rule, "fault"> & { readonly at?: "before" | "after" | undefined }
    ) => Effect.Effect<Gate.Gate>
    /** Takes all rules out of force and opens all gates. */
    readonly clear: Effect.Effect<void>
    /** What was asked, in order; the newest `traceMax` requests. */
    readonly requests: (match?: Fault.Match) => Effect.Effect<ReadonlyArray<Request>>
    /** How often, by operation. */
    readonly counts: Effect.Effect<{ readonly [K in Fault.Operation]: RequestCount }>
    /** Forgets the trace and the counters. */
    readonly reset: Effect.Effect<void>
  }
>()("@effect-slatedb/testkit/Faults") {}

/**
 * How a faulty store is set up.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The rules in force from the start. */
  readonly rules?: ReadonlyArray<Fault.Rule> | undefined
  /** How many requests the trace remembers. Default 100,000. */
  readonly traceMax?: number | undefined
}

/**
 * Wraps a store. Chance is drawn from the `Random` of the effect's context:
 * `Random.withSeed` around it makes a run repeatable.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  inner: ObjectStore.ObjectStore["Service"],
  options?: Options
): Effect.fn.Return<Faults["Service"]> {
  const random = yield* Random.Random
  const rules = new RuleBook(random)
  const trace = new RequestTrace(options?.traceMax ?? 100_000)
  for (const rule of options?.rules ?? []) rules.add(rule)

  const add = (rule: Fault.Rule) =>
    Effect.sync((): AddedRule => {
      const active = rules.add(rule)
      return {
        strikes: Effect.sync(() => active.strikes),
        remove: Effect.sync(() => rules.remove(active))
      }
    })

  return {
    store: FaultyStore.make({ inner, rules, trace, random }),
    add,
    hold: ({ at, ...rule }) => Effect.tap(Gate.make, (gate) => add({ ...rule, fault: Fault.hold(gate, { at }) })),
    clear: Effect.suspend(() =>
      Effect.forEach(rules.clear(), ({ rule }) => (rule.fault._tag === "Hold" ? rule.fault.gate.open : Effect.void), {
        discard: true
      })
    ),
    requests: (match = {}) =>
      Effect.sync(() => trace.snapshot().filter(({ operation, path }) => Fault.matches(match, operation, path))),
    counts: Effect.sync(() => trace.countsSnapshot()),
    reset: Effect.sync(() => trace.reset())
  }
})

/**
 * Puts faults around the store below, and provides the hands on them.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options?: Options
): Layer.Layer<ObjectStore.ObjectStore | Faults, never, ObjectStore.ObjectStore> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const faults = yield* make(yield* ObjectStore.ObjectStore, options)
      return Context.make(Faults, faults).pipe(Context.add(ObjectStore.ObjectStore, faults.store))
    })
  )
