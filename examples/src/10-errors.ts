/**
 * One error with a handful of reasons, each of which asks for something else.
 *
 *     node examples/src/10-errors.ts
 */
import * as Db from "@effect-slatedb/core/Db"
import type * as DbError from "@effect-slatedb/core/DbError"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

// `Unavailable`: the store does not answer, and the same call may succeed later. Only reads are worth repeating here:
// the engine itself repeats what it writes, and a `put` waits until its object is stored.
const patiently = <A, R>(read: Effect.Effect<A, DbError.DbError, R>): Effect.Effect<A, DbError.DbError, R> =>
  Effect.retry(read, {
    while: (error) => error.isRetryable,
    schedule: Schedule.exponential("50 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 5 }))
  })

// A missing key is no `DbError`: it has a tag of its own, and only `get` can fail with it.
const missing = Effect.gen(function* () {
  const db = yield* Db.Db
  yield* db.get("nobody").pipe(Effect.catchTag("KeyNotFound", ({ key }) => Console.log(`no such key: ${key}`)))
  // => no such key: nobody
  yield* Console.log((yield* patiently(db.getOption("nobody")))._tag) // => None
})

// `Invalid`: the call is wrong, and nothing was changed. It names what is wrong, and the bound.
const wrongCall = Effect.gen(function* () {
  const db = yield* Db.Db
  yield* db.put("", "value").pipe(Effect.catchReason("DbError", "Invalid", ({ field }) => Console.log(`fix: ${field}`)))
  // => fix: key

  yield* Db.make({ path: "errors", settings: { flushInterval: "0 seconds" } }).pipe(
    Effect.scoped,
    Effect.catchReason("DbError", "Invalid", ({ field }) => Console.log(`fix: ${field}`))
  )
  // => fix: settings.flushInterval
})

// `Closed`: this handle is finished. `fenced` is the kind to think about: another process opened the database for
// writing, perhaps since this one was thought dead. It must not write any more, and cannot.
const fenced = Effect.gen(function* () {
  const first = yield* Db.make({ path: "errors" })
  yield* first.put("leader", "first")

  const second = yield* Db.make({ path: "errors" })
  yield* second.put("leader", "second")

  yield* first.put("leader", "first again").pipe(
    Effect.catchReason(
      "DbError",
      "Closed",
      ({ kind }) => Console.log(`closed: ${kind}`), // => closed: fenced
      // The other reasons, where a program has nothing special to do for each.
      (reason) => Console.log(`failed: ${reason.message}`)
    )
  )
  yield* Console.log(new TextDecoder().decode(yield* second.get("leader"))) // => second
  // When the scope ends the engine logs an error of the first handle, too: it had accepted a write that is not stored.
}).pipe(Effect.scoped)

// `Unsupported` (a layer is missing, or the bytes are newer) and `Corrupt` (an object is damaged; the error names it, the
// offset, what was expected and what was found) are for people: let them end the program and be printed.
export const program = Effect.gen(function* () {
  yield* Effect.provide(Effect.andThen(missing, wrongCall), Db.layer({ path: "errors" }))
  yield* fenced
})

if (import.meta.main) {
  program.pipe(Effect.provide(MemoryObjectStore.layer), NodeRuntime.runMain)
}
