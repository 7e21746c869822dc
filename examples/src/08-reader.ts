/**
 * Readers beside a writer: they see what is durable, and disturb nobody.
 *
 *     node examples/src/08-reader.ts
 */
import * as Db from "@effect-slatedb/core/Db"
import * as DbReader from "@effect-slatedb/core/DbReader"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"

const write = (price: string) => Effect.flatMap(Db.Db, (db) => db.put("price/tea", price))

// This function asks for a `DbReader`, so its type says that it cannot write.
const printPrice = Effect.gen(function* () {
  const reader = yield* DbReader.DbReader
  yield* Console.log(new TextDecoder().decode(yield* reader.get("price/tea")))
})

const besideTheWriter = Effect.gen(function* () {
  const reader = yield* DbReader.DbReader
  yield* printPrice // => 3.20

  // A reader shows one moment until it is told to move on: all that it says in between fits together.
  yield* write("3.50")
  yield* printPrice // => 3.20
  yield* reader.refresh
  yield* printPrice // => 3.50

  // What the writer has accepted and not stored, no reader can see: it is in the writer's memory alone.
  const db = yield* Db.Db
  yield* db.put("price/tea", "3.90", { awaitDurable: false })
  yield* reader.refresh
  yield* printPrice // => 3.50
})

// Usually a reader is another process, on another machine, with the same bucket. It finds the writer's last manifest and
// the WAL objects after it. The writer does not know of it: any number of readers cost it nothing.
export const program = Effect.gen(function* () {
  yield* write("3.20") // a reader can be opened where there is a database
  yield* Effect.provide(besideTheWriter, DbReader.layer({ path: "prices" }))
}).pipe(Effect.provide(Db.layer({ path: "prices" })))

if (import.meta.main) {
  program.pipe(Effect.provide(MemoryObjectStore.layer), NodeRuntime.runMain)
}
