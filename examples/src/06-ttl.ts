/**
 * Values that end by themselves.
 *
 *     node examples/src/06-ttl.ts
 */
import * as Db from "@effect-slatedb/core/Db"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

const keys = ["session/ada", "code/ada", "name/ada"]

const printAlive = Effect.gen(function* () {
  const db = yield* Db.Db
  const values = yield* db.getMany(keys)
  yield* Console.log(keys.filter((_, index) => Option.isSome(values[index] ?? Option.none())).join(" "))
})

export const program = Effect.gen(function* () {
  const db = yield* Db.Db

  // Time runs from when the write is accepted, not from when it is stored.
  yield* Effect.all(
    [
      db.put("session/ada", "token"), // the database's default: two seconds
      db.put("code/ada", "314159", { ttl: "1 second" }),
      db.put("name/ada", "Ada", { ttl: "none" }) // for ever, in spite of the default
    ],
    { concurrency: "unbounded" }
  )
  yield* printAlive // => session/ada code/ada name/ada

  // Reads hide what has expired at once; its bytes go when a compaction comes by. No task watches the clock.
  yield* Effect.sleep("1 second")
  yield* printAlive // => session/ada name/ada

  // A write starts a new life. Where a session is to live on with its user, put it again.
  yield* db.put("session/ada", "token")
  yield* Effect.sleep("1500 millis")
  yield* printAlive // => session/ada name/ada

  yield* Effect.sleep("500 millis")
  yield* printAlive // => name/ada
}).pipe(Effect.provide(Db.layer({ path: "sessions", settings: { defaultTtl: "2 seconds" } })))

if (import.meta.main) {
  program.pipe(Effect.provide(MemoryObjectStore.layer), NodeRuntime.runMain)
}
