/**
 * Who waits for the store, who does not, and what readers may see meanwhile.
 *
 *     node examples/src/02-durability.ts
 */
import * as Db from "@effect-slatedb/core/Db"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

const shown = (value: Option.Option<Uint8Array>): string =>
  Option.match(value, { onNone: () => "nothing", onSome: (bytes) => new TextDecoder().decode(bytes) })

export const program = Effect.gen(function* () {
  const db = yield* Db.Db

  // Accepted, not stored: this returns at once, and a crash within the next 100 ms may lose it. Right for what can be
  // made again: counters of page views, caches, the rows of a bulk load.
  yield* db.put("draft", "1st", { awaitDurable: false })

  // A reader sees what is stored. What it was shown once will still be there after a crash.
  yield* Console.log(`committed: ${shown(yield* db.getOption("draft"))}`) // => committed: nothing

  // A program that has to see its own writes at once says so, read by read.
  const uncommitted = yield* db.getOption("draft", { readLevel: "uncommitted" })
  yield* Console.log(`uncommitted: ${shown(uncommitted)}`) // => uncommitted: 1st

  // A flush returns when everything that was accepted before it is stored: many writes, one wait.
  yield* db.put("draft", "2nd", { awaitDurable: false })
  yield* db.flush("wal")
  yield* Console.log(`flushed: ${shown(yield* db.getOption("draft"))}`) // => flushed: 2nd

  // The default waits: at most one `flushInterval`, and the upload.
  yield* db.put("draft", "3rd")
  yield* Console.log(`awaited: ${shown(yield* db.getOption("draft"))}`) // => awaited: 3rd

  // The numbers behind it: every write has a sequence number, and durable ones come first.
  const { durableSequence, visibleSequence } = yield* db.status
  yield* Console.log(`waiting: ${visibleSequence - durableSequence}`) // => waiting: 0

  // Everything is durable in the WAL by now. This also makes a sorted table of it, and the next open a short one.
  yield* db.flush("memtable")
  const { l0Tables } = yield* db.status
  yield* Console.log(`tables in level 0: ${l0Tables}`) // => tables in level 0: 1
}).pipe(
  // With `walFlush: "eager"` a writer that waits does not wait for the interval: better latency, more (and smaller)
  // objects, each of which is a request that a remote store bills.
  Effect.provide(Db.layer({ path: "drafts", settings: { flushInterval: "100 millis", walFlush: "interval" } }))
)

if (import.meta.main) {
  program.pipe(Effect.provide(MemoryObjectStore.layer), NodeRuntime.runMain)
}
