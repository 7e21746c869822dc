/**
 * The drills, each in a short form; and that they can fail.
 */
import type * as Drill from "@effect-slatedb/testkit/drills/Drill"
import * as Engine from "@effect-slatedb/testkit/interop/Engine"
import * as InteropSuite from "@effect-slatedb/testkit/interop/InteropSuite"
import * as OurEngine from "@effect-slatedb/testkit/interop/OurEngine"
import * as Place from "@effect-slatedb/testkit/interop/Place"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readdir, unlink, writeFile } from "node:fs/promises"
import { join } from "node:path"

const options = { seed: 1, report: () => Effect.void }

const passed = ({ failure, figures }: Drill.Outcome): Drill.Outcome["figures"] => {
  assert.isUndefined(failure)
  return figures
}

const rootOf = (place: Place.Place): string => join(place._tag === "File" ? place.root : "", Place.path)

/** Removes all objects of a folder. */
const removeFrom = (folder: string) => (place: Place.Place) =>
  Effect.promise(async () => {
    const root = join(rootOf(place), folder)
    for (const name of await readdir(root)) await unlink(join(root, name))
  })

/** Deletes the first row. */
const loseARow = (place: Place.Place) =>
  Effect.scoped(
    Effect.gen(function* () {
      const session = yield* OurEngine.engine.open(place, Engine.tuning)
      const [first] = yield* session.scan("ascending")
      assert.isDefined(first)
      yield* session.write([{ _tag: "Delete", key: first.key }], { awaitDurable: true })
      yield* session.close
    })
  ).pipe(Effect.orDie)

const leaveAFile = (place: Place.Place) => Effect.promise(() => writeFile(join(rootOf(place), "stray"), "?"))

InteropSuite.onEachStore("drills", (_official, _newPlace, store) => {
  it.live("a writer that is killed loses nothing acknowledged", () =>
    Effect.gen(function* () {
      const drill = yield* Effect.promise(() => import("@effect-slatedb/testkit/drills/KillDrill"))
      const rounds = store === "file" ? 4 : 2
      const figures = passed(yield* drill.run({ ...options, store, rounds }))
      assert.strictEqual(figures["kills"], rounds)
      assert.isAbove(figures["batches acknowledged before a kill"] ?? 0, 0)
    })
  )

  it.live("both engines own a database in turn", () =>
    Effect.gen(function* () {
      const drill = yield* Effect.promise(() => import("@effect-slatedb/testkit/drills/InteropDrill"))
      const figures = passed(yield* drill.run({ ...options, store, rounds: store === "file" ? 5 : 2 }))
      assert.isAbove(figures["batches written and found"] ?? 0, 30)
    })
  )

  it.live("a writer that slept through its succession acknowledges nothing", () =>
    Effect.gen(function* () {
      const drill = yield* Effect.promise(() => import("@effect-slatedb/testkit/drills/SuspendDrill"))
      const figures = passed(yield* drill.run({ ...options, store, rounds: store === "file" ? 2 : 1 }))
      assert.isAbove(figures["acknowledged before"] ?? 0, 0)
      assert.isAbove(figures["refused after"] ?? 0, 0)
      assert.isAbove(figures["WAL objects collected"] ?? 0, 0)
    })
  )
})

InteropSuite.suite("drills of compaction and collection", () => {
  it.live("three processes are killed, and a reader of the official engine is never wrong", () =>
    Effect.gen(function* () {
      const drill = yield* Effect.promise(() => import("@effect-slatedb/testkit/drills/ProcessesDrill"))
      const figures = passed(yield* drill.run({ ...options, store: "file", rounds: 2, leaseMillis: 300 }))
      for (const what of ["kills of the writer", "kills of the compactor", "kills of the gc"]) {
        assert.isAbove(figures[what] ?? 0, 0, what)
      }
      assert.isAbove(figures["batches acknowledged"] ?? 0, 0)
      assert.isAbove(figures["looks of the official reader"] ?? 0, 0)
      assert.strictEqual(figures["clean ends of slate verify"], 1)
    })
  )

  it.live("three processes that are killed fail when the log is lost", () =>
    Effect.gen(function* () {
      const drill = yield* Effect.promise(() => import("@effect-slatedb/testkit/drills/ProcessesDrill"))
      const { failure } = yield* drill.run({ ...options, store: "file", rounds: 5, sabotage: removeFrom("wal") })
      assert.match(failure ?? "it passed", /lost: acknowledged sequence=\d+ found=\d+/)
    })
  )

  it("a long run in which nothing was compacted or collected does not pass", async () => {
    const { idle } = await import("@effect-slatedb/testkit/drills/ProcessesDrill")
    const busy = { "compactions finished": 1, "objects collected": 2, "batches acknowledged": 3 }
    assert.deepStrictEqual(idle(busy, 20), [])
    assert.deepStrictEqual(idle({ ...busy, "compactions finished": 0 }, 20), ["in 20 rounds: no compactions finished"])
    assert.deepStrictEqual(idle({}, 19), [])
    assert.lengthOf(idle({}, 20), 3)
  })

  it.live("both engines compact a database in turn", () =>
    Effect.gen(function* () {
      const drill = yield* Effect.promise(() => import("@effect-slatedb/testkit/drills/CompactionDrill"))
      const figures = passed(yield* drill.run({ ...options, store: "file", rounds: 5 }))
      for (const who of ["official, embedded", "ours, embedded", "ours, standalone"]) {
        assert.isAbove(figures[`tables compacted by ${who}`] ?? 0, 0, who)
      }
    })
  )

  it.live("compaction in turn fails when a table is lost", () =>
    Effect.gen(function* () {
      const drill = yield* Effect.promise(() => import("@effect-slatedb/testkit/drills/CompactionDrill"))
      const { failure } = yield* drill.run({ ...options, store: "file", rounds: 1, sabotage: removeFrom("compacted") })
      assert.match(failure ?? "it passed", /^after round 1/)
    })
  )

  const soak = {
    ...options,
    minutes: 0.07,
    keys: 5000,
    leaseMillis: 100,
    settledMillis: 500,
    // Seconds say nothing about these: `SoakJudge` has its own tests.
    bounds: { spaceAmplificationMax: 1000, writeAmplificationRatioMax: 10, memoryGrowthMebibytesMax: 1000 }
  }

  it.live("a database that is written at full speed compacts, collects, and keeps its bounds", () =>
    Effect.gen(function* () {
      const drill = yield* Effect.promise(() => import("@effect-slatedb/testkit/drills/SoakDrill"))
      const figures = passed(yield* drill.run(soak))
      assert.isAbove(figures["scans held and compared"] ?? 0, 0)
      assert.isAbove(figures["operations"] ?? 0, figures["operations of the measured part"] ?? 0)
    })
  )

  it.live("a soak fails when a row is lost, or something is left", () =>
    Effect.gen(function* () {
      const drill = yield* Effect.promise(() => import("@effect-slatedb/testkit/drills/SoakDrill"))
      const sabotage = (place: Place.Place) => Effect.andThen(loseARow(place), leaveAFile(place))
      const { failure } = yield* drill.run({ ...soak, minutes: 0.03, sabotage })
      assert.match(failure ?? "it passed", /a reader of ours: entry 0: .*found/)
      assert.match(failure ?? "it passed", /a reader of official: entry 0: .*found/)
      assert.match(failure ?? "it passed", /objects are left that no manifest names: stray/)
    })
  )
})

InteropSuite.suite("drills in memory", () => {
  it.live("the check finds flipped bits", () =>
    Effect.gen(function* () {
      const drill = yield* Effect.promise(() => import("@effect-slatedb/testkit/drills/FlipDrill"))
      const figures = passed(yield* drill.run({ ...options, store: "file", rounds: 1, stride: 97, flipsOnDisk: 1 }))
      for (const part of [
        "table block",
        "table index",
        "table stats",
        "table info",
        "WAL block",
        "WAL index",
        "WAL info"
      ]) {
        assert.isAbove(figures[`${part}: found`] ?? 0, 0, part)
      }
      assert.isAbove(figures["latest manifest: found"] ?? 0, 0)
    })
  )

  it.live("the suspend drill fails when a writer's lease does not run out", () =>
    Effect.gen(function* () {
      const drill = yield* Effect.promise(() => import("@effect-slatedb/testkit/drills/SuspendDrill"))
      const { failure } = yield* drill.run({ ...options, store: "file", rounds: 1, leaseMillis: 3_600_000 })
      assert.match(failure ?? "it passed", /ack \d+/)
    })
  )
})
