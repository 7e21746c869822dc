/**
 * A database for a program that is not written with Effect: promises and async
 * iteration, behind functions of your own.
 *
 *     node examples/src/11-promise.ts
 */
import * as Db from "@effect-slatedb/core/Db"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import type { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

// The runtime is the one thing to keep: it opens the database once, every call runs on it, and disposing of it closes
// the database, its last writes stored. What fails in an effect rejects the promise with the same `DbError`.
const open = async (path: string, store: Layer.Layer<ObjectStore>) => {
  const runtime = ManagedRuntime.make(Db.layer({ path }).pipe(Layer.provide(store)))
  const db = await runtime.runPromise(Db.Db)
  return {
    get: (key: string): Promise<string | undefined> =>
      runtime.runPromise(Effect.map(db.getOption(key), (found) => Option.getOrUndefined(Option.map(found, text)))),
    put: (key: string, value: string): Promise<void> => runtime.runPromise(db.put(key, value)),
    scan: (prefix: string): AsyncIterable<readonly [key: string, value: string]> =>
      db.scan(KeyRange.prefix(prefix)).pipe(
        Stream.map(({ key, value }) => [text(key), text(value)] as const),
        Stream.toAsyncIterable
      ),
    // Also called by `await using`, at the end of the block, whatever way it ends.
    [Symbol.asyncDispose]: (): Promise<void> => runtime.dispose()
  }
}

export const main = async (store: Layer.Layer<ObjectStore>): Promise<ReadonlyArray<string>> => {
  const lines: Array<string> = []
  await using pets = await open("pets", store)

  await Promise.all([pets.put("cat/tom", "grey"), pets.put("cat/kit", "black"), pets.put("dog/rex", "brown")])
  lines.push(String(await pets.get("dog/rex"))) // => brown
  lines.push(String(await pets.get("cow/moo"))) // => undefined

  for await (const [key, value] of pets.scan("cat/")) lines.push(`${key} is ${value}`)
  // => cat/kit is black
  // => cat/tom is grey

  await pets.put("", "no key is empty").catch((error: unknown) => lines.push(String(error)))
  // => DbError: invalid key: must not be empty
  return lines
}

if (import.meta.main) {
  for (const line of await main(MemoryObjectStore.layer)) console.log(line)
}
