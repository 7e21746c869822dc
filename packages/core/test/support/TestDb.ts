/**
 * Databases for tests: one bucket in memory, and for each "process" a store with
 * faults of its own in front of it. Runs under `TestClock`.
 */
import * as Db from "@effect-slatedb/core/Db"
import type * as DbError from "@effect-slatedb/core/DbError"
import * as DbReader from "@effect-slatedb/core/DbReader"
import type * as KeyRange from "@effect-slatedb/core/KeyRange"
import { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import type * as Settings from "@effect-slatedb/core/Settings"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as FaultyObjectStore from "@effect-slatedb/testkit/FaultyObjectStore"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

export const bucket = (): MemoryObjectStore.State => MemoryObjectStore.makeState()

/** A process: its way to the bucket, with faults, and what it opened. */
export interface Process {
  readonly faults: FaultyObjectStore.Faults["Service"]
  /** Opens the database for writing; it is closed with the test's scope. */
  readonly open: (settings?: Settings.Input) => Effect.Effect<Db.Db["Service"], DbError.DbError, Scope.Scope>
  readonly reader: (settings?: Settings.Input) => Effect.Effect<DbReader.DbReader["Service"], DbError.DbError>
}

export const process = Effect.fnUntraced(function* (state: MemoryObjectStore.State) {
  const faults = yield* FaultyObjectStore.make(MemoryObjectStore.fromState(state))
  const provide = Effect.provideService(ObjectStore, faults.store)
  return {
    faults,
    open: (settings?: Settings.Input) => Db.make({ path: "db", settings }).pipe(provide),
    reader: (settings?: Settings.Input) => DbReader.make({ path: "db", settings }).pipe(provide)
  }
})

/** A process on a bucket of its own. */
export const alone = Effect.suspend(() => process(bucket()))

/** Runs an effect while virtual time passes in small steps until it ends; at most 1,200 steps. */
export const awaitWithTime = <A, E>(effect: Effect.Effect<A, E>, step: Duration.Input = "50 millis") =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
    for (let i = 0; i < 1200 && fiber.pollUnsafe() === undefined; i++) yield* TestClock.adjust(step)
    return yield* Fiber.join(fiber)
  })

/** How an effect ends while virtual time passes. */
export const exitWithTime = <A, E>(effect: Effect.Effect<A, E>) => awaitWithTime(Effect.exit(effect))

/** Lets a database die without closing: its scope is left behind, its store cut off. */
export const crash = Effect.fnUntraced(function* (process: { readonly faults: FaultyObjectStore.Faults["Service"] }) {
  yield* process.faults.hold({})
})

/** A scope that ends when told to. */
export const manualScope = Effect.map(Scope.make(), (scope) => ({
  scope,
  close: Scope.close(scope, Exit.void)
}))

const decoder = new TextDecoder()

export const text = (bytes: Uint8Array): string => decoder.decode(bytes)

export const textOption = (option: Option.Option<Uint8Array>): string | undefined =>
  Option.getOrUndefined(Option.map(option, text))

/** A scan as `key=value` lines. */
export const lines = (
  db: Pick<Db.Db["Service"], "scan">,
  range: KeyRange.KeyRange,
  options?: Db.ScanOptions
): Effect.Effect<ReadonlyArray<string>, DbError.DbError> =>
  Effect.map(Stream.runCollect(db.scan(range, options)), (entries) =>
    Array.from(entries, ({ key, value }) => `${text(key)}=${text(value)}`)
  )

/** Paths of the bucket's objects that begin with `prefix`. */
export const paths = (state: MemoryObjectStore.State, prefix: string): ReadonlyArray<string> =>
  Array.from(state.objects.keys())
    .filter((path) => path.startsWith(prefix))
    .toSorted()
