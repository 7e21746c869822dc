/**
 * Reading ranges: by prefix, between bounds, backwards, page by page, in chunks.
 *
 *     node examples/src/04-scans.ts
 */
import * as Db from "@effect-slatedb/core/Db"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as WriteBatch from "@effect-slatedb/core/WriteBatch"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

// Keys sort as bytes, so numbers are written with leading zeros: else 10 would come before 9.
const readings = Array.from({ length: 1000 }, (_, minute): [key: string, value: string] => [
  `sensor/attic/${minute.toString().padStart(4, "0")}`,
  `${15 + (minute % 7)}`
])

const printKeys = Effect.fn("printKeys")(function* (range: KeyRange.KeyRange, options?: Db.ScanOptions) {
  const db = yield* Db.Db
  const entries = yield* Stream.runCollect(db.scan(range, options))
  yield* Console.log(Array.from(entries, ({ key }) => text(key)).join(" "))
})

export const program = Effect.gen(function* () {
  const db = yield* Db.Db
  yield* db.write(WriteBatch.fromEntries([...readings, ["sensor/cellar/0000", "11"]]))

  // A range holds its start and not its end.
  yield* printKeys(KeyRange.make({ from: "sensor/attic/0007", to: "sensor/attic/0009" }))
  // => sensor/attic/0007 sensor/attic/0008

  // The latest two: backwards, and no more than two are looked for.
  yield* printKeys(KeyRange.prefix("sensor/attic/"), { order: "descending", limit: 2 })
  // => sensor/attic/0999 sensor/attic/0998

  // The next page starts behind the last key of this one: the key and a zero byte is the first key above it.
  const page = KeyRange.intersect(
    KeyRange.prefix("sensor/attic/"),
    KeyRange.make({ from: "sensor/attic/0499\0", to: undefined })
  )
  yield* printKeys(page, { limit: 3 })
  // => sensor/attic/0500 sensor/attic/0501 sensor/attic/0502

  // A scan is a stream: entries are read as they are taken, and what is not taken is not read.
  const firstWarm = db.scan(KeyRange.all).pipe(
    Stream.filter(({ value }) => Number(text(value)) > 20),
    Stream.take(1)
  )
  yield* Stream.runForEach(firstWarm, ({ key }) => Console.log(text(key))) // => sensor/attic/0006

  // The engine hands over arrays of entries. Taking them as they are saves a step per entry, which shows in long scans.
  let sum = 0
  yield* db.scan(KeyRange.all).pipe(
    Stream.runForEachArray((entries) =>
      Effect.sync(() => {
        for (const { value } of entries) sum += Number(text(value))
      })
    )
  )
  yield* Console.log(sum) // => 18008

  // A scan shows the moment at which it starts, however long it takes and whatever is written meanwhile.
  const count = yield* db.scan(KeyRange.prefix("sensor/cellar/")).pipe(
    Stream.tap(() => db.put("sensor/cellar/0001", "12")),
    Stream.runCount
  )
  yield* Console.log(count) // => 1
}).pipe(Effect.provide(Db.layer({ path: "climate" })))

if (import.meta.main) {
  program.pipe(Effect.provide(MemoryObjectStore.layer), NodeRuntime.runMain)
}
