/**
 * What reads cost through each door, 100,000 rows of 16-byte keys and 100-byte values in
 * one cached table, in one fiber.
 *
 *     node packages/core/benchmark/Reads.ts [round]
 *
 * Prints nanoseconds a call, a row for the scan; the least of several rounds.
 */
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Db from "../src/Db.ts"
import * as KeyRange from "../src/KeyRange.ts"

const rowCount = 100_000
const calls = 100_000
const only = process.argv[2]

const keyOf = (i: number, tail = "0") => new TextEncoder().encode(String(i).padStart(15, "0") + tail)
const keys = Array.from({ length: rowCount }, (_, i) => keyOf(i))
const absent = Array.from({ length: rowCount }, (_, i) => keyOf(i, "5"))
const order = Array.from({ length: calls }, (_, i) => (i * 7919) % (rowCount - 10))

const measure = <E>(name: string, count: number, work: Effect.Effect<unknown, E>) =>
  Effect.gen(function* () {
    if (only !== undefined && only !== name) return
    let least = Infinity
    for (let round = 0; round < 9; round++) {
      const start = process.hrtime.bigint()
      yield* work
      least = Math.min(least, Number(process.hrtime.bigint() - start) / count)
    }
    console.log(name.padEnd(20), least.toFixed(0).padStart(8))
  })

const program = Effect.gen(function* () {
  const db = yield* Db.make({ path: "reads" })
  for (const key of keys) yield* db.put(key, new Uint8Array(100), { awaitDurable: false })
  yield* db.flush("memtable")
  yield* Stream.runDrain(db.scan(KeyRange.all, { cacheBlocks: true }))

  const each = (list: ReadonlyArray<Uint8Array>, call: (key: Uint8Array) => Effect.Effect<unknown, unknown>) =>
    Effect.gen(function* () {
      for (const i of order) yield* call(list[i] as Uint8Array)
    })
  const eachNow = (list: ReadonlyArray<Uint8Array>, call: (key: Uint8Array) => unknown) =>
    Effect.sync(() => {
      for (const i of order) call(list[i] as Uint8Array)
    })
  yield* measure(
    "nothing",
    calls,
    each(keys, () => Effect.suspend(() => Effect.void))
  )
  yield* measure(
    "getUnsafe",
    calls,
    eachNow(keys, (key) => db.getUnsafe(key))
  )
  yield* measure(
    "getUnsafe, missing",
    calls,
    eachNow(absent, (key) => db.getUnsafe(key))
  )
  yield* measure(
    "getOption",
    calls,
    each(keys, (key) => db.getOption(key))
  )
  yield* measure(
    "getOption, missing",
    calls,
    each(absent, (key) => db.getOption(key))
  )
  yield* measure(
    "getRange of 10",
    calls,
    each(keys, (key) => db.getRange({ start: key, end: undefined }, { limit: 10 }))
  )
  yield* measure(
    "scan, a row",
    rowCount,
    Stream.runForEachArray(db.scan(KeyRange.all), () => Effect.void)
  )
})

await Effect.runPromise(Effect.scoped(program).pipe(Effect.provide(MemoryObjectStore.layer)))
