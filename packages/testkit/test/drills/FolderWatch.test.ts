/** All that was ever uploaded is counted, once, also what is gone. */
import * as FolderWatch from "@effect-slatedb/testkit/drills/FolderWatch"
import * as Place from "@effect-slatedb/testkit/interop/Place"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdir, unlink, writeFile } from "node:fs/promises"
import { join } from "node:path"

const table = (last: string) => `compacted/01ARZ3NDEKTSV4RRFFQ69G5FA${last}.sst`
const wal = (id: number) => `wal/${String(id).padStart(20, "0")}.sst`

it.live("counts objects that appear, whatever becomes of them", () =>
  Effect.gen(function* () {
    const place = yield* Place.directory
    const watch = yield* FolderWatch.make(place.root)
    const path = (file: string) => join(place.root, Place.path, file)
    const write = (file: string, bytes: number) => Effect.promise(() => writeFile(path(file), Buffer.alloc(bytes)))
    assert.deepStrictEqual(yield* watch.look, { walBytes: 0, tableBytes: 0, tables: 0 })
    yield* Effect.promise(async () => {
      for (const folder of ["wal", "compacted", "manifest"]) await mkdir(path(folder), { recursive: true })
    })
    yield* write(wal(1), 10)
    yield* write(table("A"), 100)
    yield* write(`${table("B")}#1`, 1000)
    yield* write("manifest/00000000000000000001.manifest", 1000)
    assert.deepStrictEqual(yield* watch.look, { walBytes: 10, tableBytes: 100, tables: 1 })
    yield* Effect.promise(() => unlink(path(table("A"))))
    yield* watch.look
    yield* write(wal(2), 5)
    yield* write(table("B"), 50)
    assert.deepStrictEqual(yield* watch.look, { walBytes: 15, tableBytes: 150, tables: 2 })
    assert.deepStrictEqual(yield* watch.look, { walBytes: 15, tableBytes: 150, tables: 2 })
  })
)
