/**
 * A database in a directory: closed, opened again, compressed.
 *
 *     node examples/src/07-local-directory.ts
 */
import * as Db from "@effect-slatedb/core/Db"
import * as NodeCompression from "@effect-slatedb/platform-node/NodeCompression"
import * as FileObjectStore from "@effect-slatedb/store-fs/FileObjectStore"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"

// The codec is data, and its code a layer: core has none that needs a platform. Tables say themselves what they were
// compressed with, so a setting that changes later leaves older ones readable, as long as the layer is there.
const openDb = Db.make({ path: "notes", settings: { compression: "zstd" } }).pipe(Effect.provide(NodeCompression.layer))

const write = Effect.gen(function* () {
  const db = yield* openDb
  yield* db.put("note/1", "the quick brown fox ".repeat(1000))
  yield* db.flush("memtable")
  yield* db.put("note/2", "jumps over the lazy dog", { awaitDurable: false })
  // The end of the scope closes the database, and a close stores what was accepted: note 2 is not lost.
}).pipe(Effect.scoped)

const read = Effect.gen(function* () {
  const db = yield* openDb
  yield* Console.log((yield* db.get("note/1")).length) // => 20000
  yield* Console.log(new TextDecoder().decode(yield* db.get("note/2"))) // => jumps over the lazy dog
}).pipe(Effect.scoped)

export const program = Effect.gen(function* () {
  yield* write
  yield* read
})

// The same program runs on memory or on S3. Only what follows knows of directories.
if (import.meta.main) {
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    // A real program would name a directory that stays.
    const root = yield* files.makeTempDirectoryScoped()
    yield* program.pipe(Effect.provide(FileObjectStore.layer({ root })))

    // Objects are files, and the official engine can open them where they are. In `.probe` the first open tried whether
    // this store creates an object only once.
    const folders = yield* files.readDirectory(`${root}/notes`)
    yield* Console.log(folders.toSorted().join(" ")) // => .probe compacted manifest wal
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer), NodeRuntime.runMain)
}
