/**
 * Open a database, write to it, read from it.
 *
 *     node examples/src/01-quick-start.ts
 */
import * as Db from "@effect-slatedb/core/Db"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

// Keys and values are bytes. Text may be given, and is stored as UTF-8; what comes back are bytes.
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

export const program = Effect.gen(function* () {
  const db = yield* Db.Db

  // A put returns when the write is stored: a crash on the next line loses nothing.
  yield* db.put("city/oslo", "Norway")

  // Writes that are made at the same time are stored together, so they wait no longer than one does.
  yield* Effect.all([db.put("city/rome", "Italy"), db.put("city/lima", "Peru"), db.put("river/nile", "Egypt")], {
    concurrency: "unbounded"
  })

  yield* Console.log(text(yield* db.get("city/oslo"))) // => Norway

  // `get` fails with `KeyNotFound` where there is nothing. Where that is no failure, ask for an `Option`.
  const nowhere = yield* db.getOption("city/atlantis")
  yield* Console.log(Option.isNone(nowhere)) // => true

  // Keys are kept in order, so that everything with one beginning lies together.
  yield* db.scan(KeyRange.prefix("city/")).pipe(
    Stream.runForEach(({ key, value }) => Console.log(`${text(key)}: ${text(value)}`))
    // => city/lima: Peru
    // => city/oslo: Norway
    // => city/rome: Italy
  )

  yield* db.delete("city/oslo")
  yield* Console.log(Option.isNone(yield* db.getOption("city/oslo"))) // => true
}).pipe(
  // The database is open while the program runs, and closed after it, whatever way it ends.
  Effect.provide(Db.layer({ path: "atlas" }))
)

// Where the objects are is decided here, at the edge, and nowhere else.
if (import.meta.main) {
  program.pipe(Effect.provide(MemoryObjectStore.layer), NodeRuntime.runMain)
}
