/**
 * How fast an open replays a log: 64 MiB of rows that are in WAL objects alone, memory store.
 *
 *     node packages/core/benchmark/Replay.ts [bytes of a value]
 *
 * Prints 10^6 bytes of keys and values a second for each of several opens, after one that is not counted.
 */
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as NodeCompression from "@effect-slatedb/platform-node/NodeCompression"
import * as Effect from "effect/Effect"
import * as Db from "../src/Db.ts"
import * as WriteBatch from "../src/WriteBatch.ts"

const valueBytes = Number(process.argv[2] ?? 1024)
const keyBytes = 16
const count = Math.floor((64 * 1024 ** 2) / (keyBytes + valueBytes))
const settings = { l0SstSizeBytes: 1024 ** 3, maxUnflushedBytes: 2 * 1024 ** 3 }

const keyOf = (i: number) => new TextEncoder().encode(String((i * 7919) % count).padStart(keyBytes, "0"))

const program = Effect.gen(function* () {
  const value = Uint8Array.from({ length: valueBytes }, (_, i) => i)
  yield* Effect.scoped(
    Effect.gen(function* () {
      const db = yield* Db.make({ path: "log", settings })
      for (let i = 0; i < count; i += 100) {
        let batch = WriteBatch.empty
        for (let j = i; j < Math.min(count, i + 100); j++) batch = WriteBatch.put(batch, keyOf(j), value)
        yield* db.write(batch, { awaitDurable: false })
      }
    })
  )
  for (let round = 0; round < 6; round++) {
    const start = process.hrtime.bigint()
    yield* Effect.scoped(
      Effect.andThen(
        Db.make({ path: "log", settings }),
        Effect.sync(() => {
          const rate = (count * (keyBytes + valueBytes) * 1e3) / Number(process.hrtime.bigint() - start)
          if (round > 0) console.log(rate.toFixed(0).padStart(6))
        })
      )
    )
  }
})

await Effect.runPromise(program.pipe(Effect.provide([MemoryObjectStore.layer, NodeCompression.layer])))
