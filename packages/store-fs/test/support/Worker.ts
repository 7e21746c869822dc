/**
 * What the child processes of the tests do with a store: run as a program with the
 * arguments `ROLE ROOT ID`.
 *
 * - `race`: creates the same objects as its rivals and prints the numbers of those
 *   it won.
 * - `write`: writes objects without end and prints the path of each that was
 *   acknowledged, until it is killed.
 */
import { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as FileObjectStore from "../../src/FileObjectStore.ts"
import * as Sample from "./Sample.ts"

const [role = "", root = "", id = ""] = process.argv.slice(2)

const race = Effect.gen(function* () {
  const store = yield* ObjectStore
  // Rivals that are started one after another begin together.
  yield* Console.log("ready")
  yield* Effect.callback<void>((resume) => {
    process.stdin.once("data", () => resume(Effect.void))
  })
  for (let i = 0; i < Sample.RACE_OBJECTS; i++) {
    const create = store.putIfAbsent(`race/${i}`, Sample.make(Number(id), 1000 * Number(id) + i), {
      putId: `${id}/${i}`
    })
    const won = yield* create.pipe(
      Effect.as(true),
      Effect.catchReason("ObjectStoreError", "AlreadyExists", () => Effect.succeed(false))
    )
    if (won) yield* Console.log(i)
  }
})

const write = Effect.gen(function* () {
  const store = yield* ObjectStore
  for (let i = 0; ; i++) {
    // Sizes below and above what is written at once.
    const body = Sample.make(i % 256, 1000 + ((i * 150_000) % 1_000_000))
    const created = `created/${id}/${i}`
    yield* store.putIfAbsent(created, body, { putId: created })
    yield* Console.log(created)
    const replaced = `replaced/${i % 3}`
    yield* store.put(replaced, body)
    yield* Console.log(replaced)
  }
})

await Effect.runPromise(
  (role === "race" ? race : write).pipe(
    Effect.provide(FileObjectStore.layer({ root }).pipe(Layer.provide(NodeServices.layer)))
  )
)
process.exit(0)
