/**
 * What pages that are dropped at once cost in a program that kept others before, and what they leave among the old
 * objects of the heap until its next full collection (see `EntryChunk`).
 *
 *     node --expose-gc packages/core/benchmark/KeptPages.ts
 *
 * Prints microseconds and bytes a range of ten, for five rounds.
 */
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as v8 from "node:v8"
import * as Db from "../src/Db.ts"
import * as KeyRange from "../src/KeyRange.ts"

const rowCount = 10_000
const kept = 20_000
const dropped = 100_000

const collect = globalThis.gc
if (collect === undefined) throw new Error("run with --expose-gc")

const oldBytes = () =>
  v8
    .getHeapSpaceStatistics()
    .filter(({ space_name }) => space_name === "old_space")
    .reduce((sum, { space_used_size }) => sum + space_used_size, 0)

const keys = Array.from({ length: rowCount }, (_, i) => new TextEncoder().encode(String(i).padStart(16, "0")))

const program = Effect.gen(function* () {
  const db = yield* Db.make({ path: "pages" })
  for (const key of keys) yield* db.put(key, new Uint8Array(100), { awaitDurable: false })
  yield* db.flush("memtable")
  const pages = (count: number, take: (page: unknown) => void) =>
    Effect.gen(function* () {
      for (let i = 0; i < count; i++) {
        const start = keys[(i * 7919) % (rowCount - 10)]
        take(yield* db.getRange({ start, end: undefined }, { limit: 10 }))
      }
    })
  for (let round = 0; round < 4; round++) {
    const all: Array<unknown> = []
    yield* pages(kept, (page) => all.push(page))
    yield* Stream.runForEachArray(db.scan(KeyRange.all), (chunk) => Effect.sync(() => all.push(chunk)))
    collect({ type: "minor" })
    collect({ type: "minor" })
  }
  yield* pages(dropped, () => {})
  for (let round = 0; round < 5; round++) {
    collect()
    const before = oldBytes()
    const start = process.hrtime.bigint()
    yield* pages(dropped, () => {})
    const nanos = Number(process.hrtime.bigint() - start)
    collect({ type: "minor" })
    console.log(
      (nanos / 1e3 / dropped).toFixed(2).padStart(8),
      ((oldBytes() - before) / dropped).toFixed(1).padStart(8)
    )
  }
})

await Effect.runPromise(Effect.scoped(program).pipe(Effect.provide(MemoryObjectStore.layer)))
