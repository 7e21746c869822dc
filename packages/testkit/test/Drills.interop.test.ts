/**
 * The drills, each in a short form; and that they can fail.
 */
import type * as Drill from "@effect-slatedb/testkit/drills/Drill"
import * as InteropSuite from "@effect-slatedb/testkit/interop/InteropSuite"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"

const options = { seed: 1, report: () => Effect.void }

const passed = ({ failure, figures }: Drill.Outcome): Drill.Outcome["figures"] => {
  assert.isUndefined(failure)
  return figures
}

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
