/** What no manifest has a use for is found, whatever it is. */
import * as Leftovers from "@effect-slatedb/testkit/drills/Leftovers"
import * as Engine from "@effect-slatedb/testkit/interop/Engine"
import * as History from "@effect-slatedb/testkit/interop/History"
import * as OurEngine from "@effect-slatedb/testkit/interop/OurEngine"
import * as Place from "@effect-slatedb/testkit/interop/Place"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdir, readdir, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"

const zeros = (id: number) => String(id).padStart(20, "0")

it.live("files that are needed are no leftovers, all others are", () =>
  Effect.gen(function* () {
    const place = yield* Place.directory
    const history = History.make({ seed: 1, valueBytesMax: 100 })
    yield* Effect.scoped(
      Effect.gen(function* () {
        const session = yield* OurEngine.engine.open(place, Engine.tuning)
        for (let s = 1; s <= 5; s++) yield* session.write(history.batch(s), { awaitDurable: false })
        yield* session.flush("memtable")
        yield* session.close
      })
    )
    const root = join(place.root, Place.path)
    const before = yield* Leftovers.find(place)
    const tables = yield* Effect.promise(() => readdir(join(root, "compacted")))
    const size = yield* Effect.promise(() => stat(join(root, "compacted", tables[0] ?? "")))
    assert.strictEqual(tables.length, 1)
    assert.strictEqual(before.tableBytes, size.size)
    // Nothing was collected: manifests that others took the place of, and WAL objects whose rows are in the table.
    assert.isAbove(before.leftovers.length, 0)
    assert.isTrue(before.leftovers.every((path) => /^(manifest|wal)\//.test(path)))

    const strays = [
      "compacted/01ARZ3NDEKTSV4RRFFQ69G5FAV.sst",
      `compacted/${tables[0]}#1`,
      `wal/${zeros(0)}.sst`,
      "gc/manifest.boundary.tmp",
      "else"
    ]
    yield* Effect.promise(async () => {
      await mkdir(join(root, "gc"))
      for (const stray of ["gc/manifest.boundary", ...strays]) await writeFile(join(root, stray), "?")
    })
    const after = yield* Leftovers.find(place)
    assert.deepStrictEqual(
      after.leftovers.filter((path) => !before.leftovers.includes(path)).toSorted(),
      strays.toSorted()
    )
  })
)
