/**
 * A counter that nobody reads in order to add to it.
 *
 *     node examples/src/05-merge-counter.ts
 */
import * as Db from "@effect-slatedb/core/Db"
import * as MergeOperator from "@effect-slatedb/core/MergeOperator"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const encode = (count: bigint): Uint8Array => {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigInt64(0, count)
  return bytes
}

// Bytes that come from outside may lie in the middle of a larger buffer.
const decode = (bytes: Uint8Array): bigint => new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0)

// The operator must be associative: operands may be added to each other before the value below them is known. And it
// belongs to the data, as stored operands are folded with it as long as the database lives.
const sum: MergeOperator.Merge = (_key, existing, operand) =>
  existing === undefined ? operand : encode(BigInt.asIntN(64, decode(existing) + decode(operand)))

const CounterDb = Db.layer({ path: "counters" }).pipe(Layer.provide(MergeOperator.layer(sum)))

export const program = Effect.gen(function* () {
  const db = yield* Db.Db

  // With get and put, two that count at once would both read 7 and both write 8. A merge only says "one more": there is
  // nothing to race for, and no read to wait for.
  yield* Effect.forEach(Array.from({ length: 1000 }), () => db.merge("visits", encode(1n)), {
    concurrency: "unbounded",
    discard: true
  })
  yield* Console.log(decode(yield* db.get("visits"))) // => 1000n

  // Merges go into batches as puts do, and fold onto a put that is older.
  yield* db.put("stock", encode(12n))
  yield* db.merge("stock", encode(-5n))
  yield* Console.log(decode(yield* db.get("stock"))) // => 7n
}).pipe(Effect.provide(CounterDb))

if (import.meta.main) {
  program.pipe(Effect.provide(MemoryObjectStore.layer), NodeRuntime.runMain)
}
