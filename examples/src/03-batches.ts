/**
 * Several writes that happen together or not at all.
 *
 *     node examples/src/03-batches.ts
 */
import * as Db from "@effect-slatedb/core/Db"
import * as WriteBatch from "@effect-slatedb/core/WriteBatch"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { pipe } from "effect/Function"
import * as Option from "effect/Option"

const keys = ["account/ada", "account/ben", "transfer/7"]

// One call, one moment: between two calls of `get` somebody else's batch could arrive.
const printAll = Effect.gen(function* () {
  const db = yield* Db.Db
  const values = yield* db.getMany(keys)
  const shown = values.map(
    Option.match({ onNone: () => "none", onSome: (bytes: Uint8Array) => new TextDecoder().decode(bytes) })
  )
  yield* Console.log(shown.join(", "))
})

export const program = Effect.gen(function* () {
  const db = yield* Db.Db

  yield* db.write(
    WriteBatch.fromEntries([
      ["account/ada", "100"],
      ["account/ben", "20"],
      ["transfer/7", "30 from ada to ben"]
    ])
  )
  yield* printAll // => 100, 20, 30 from ada to ben

  // A batch is a value: building it writes nothing, and it can be kept, extended, or thrown away.
  const transfer = pipe(
    WriteBatch.empty,
    WriteBatch.put("account/ada", "70"),
    WriteBatch.put("account/ben", "50"),
    WriteBatch.delete("transfer/7")
  )
  yield* printAll // => 100, 20, 30 from ada to ben

  // All three writes get one sequence number and go into one object: no crash and no reader comes between them.
  yield* db.write(transfer)
  yield* printAll // => 70, 50, none

  // All or none also when one of them is refused. Nothing of this batch was written: Ada still has 70.
  const refused = pipe(transfer, WriteBatch.put("account/ada", "0"), WriteBatch.put("", "no key is empty"))
  yield* db
    .write(refused)
    .pipe(Effect.catchReason("DbError", "Invalid", ({ field }) => Console.log(`refused: ${field}`)))
  // => refused: key
  yield* printAll // => 70, 50, none
}).pipe(Effect.provide(Db.layer({ path: "bank" })))

if (import.meta.main) {
  program.pipe(Effect.provide(MemoryObjectStore.layer), NodeRuntime.runMain)
}
