/** The collector beside the official engine: what that one needs is there, and what it pins stays. */
import * as Checkpoint from "@effect-slatedb/core/Checkpoint"
import * as GarbageCollector from "@effect-slatedb/core/GarbageCollector"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readdir, utimes } from "node:fs/promises"
import { join } from "node:path"
import * as InteropSuite from "../src/interop/InteropSuite.ts"
import * as OurEngine from "../src/interop/OurEngine.ts"
import * as Place from "../src/interop/Place.ts"

const text = (value: string) => new TextEncoder().encode(value)

const tuning = {
  compression: "none",
  blockSizeBytes: 1024,
  minFilterKeys: 0,
  l0SstSizeBytes: 100_000,
  flushMillis: 5,
  isCompacting: true
} as const

/** Makes everything that is there three hours older, as the store says. */
const age = (root: string) =>
  Effect.promise(async () => {
    const hoursAgo = Date.now() / 1000 - 3 * 3600
    for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) await utimes(join(entry.parentPath, entry.name), hoursAgo, hoursAgo)
    }
  })

InteropSuite.suite("collection", (official) => {
  it.live("the official engine reads and writes on after a collection, and its reader's checkpoint is honoured", () =>
    Effect.gen(function* () {
      const place = yield* Place.directory
      if (place._tag !== "File") throw new Error("a directory is a directory")
      const inPlace = Effect.provide(Place.layer(place))
      const fill = (round: number) =>
        Effect.scoped(
          Effect.gen(function* () {
            const engine = round % 2 === 0 ? official.engine : OurEngine.engine
            const session = yield* engine.open(place, tuning)
            for (let i = 0; i < 8; i++) {
              const batch = [
                {
                  _tag: "Put" as const,
                  key: text(`key ${i}`),
                  value: text(`round ${round}`),
                  lifetime: "forever" as const
                }
              ]
              yield* session.write(batch, { awaitDurable: true })
              yield* session.flush("memtable")
            }
            // Its compactor merges what is there.
            yield* Effect.sleep("400 millis")
            yield* session.close
          })
        )
      yield* fill(0)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const reader = yield* official.engine.reader(place)
          const checkpoints = yield* inPlace(Checkpoint.make({ path: Place.path }))
          const pinned = yield* inPlace(checkpoints.list())
          assert.isAbove(pinned.length, 0, "the reader and the compactor pinned manifests")
          for (let round = 1; round < 4; round++) {
            yield* fill(round)
            yield* age(place.root)
            const report = yield* inPlace(GarbageCollector.collect({ path: Place.path }))
            assert.isAbove(report.objects.length, 0)
            const gone = new Set(report.objects.map(({ path }) => path))
            for (const { manifestId } of yield* inPlace(checkpoints.list())) {
              assert.isFalse(gone.has(`db/manifest/${String(manifestId).padStart(20, "0")}.manifest`))
            }
            assert.lengthOf(yield* reader.scan("ascending"), 8)
          }
        })
      )
      for (const engine of [official.engine, OurEngine.engine]) {
        const rows = yield* Effect.scoped(
          Effect.flatMap(engine.open(place, { ...tuning, isCompacting: false }), (session) => session.scan("ascending"))
        )
        assert.deepStrictEqual(
          rows.map(({ value }) => new TextDecoder().decode(value)),
          Array.from({ length: 8 }, () => "round 3")
        )
      }
    }).pipe(Effect.scoped)
  )
})
