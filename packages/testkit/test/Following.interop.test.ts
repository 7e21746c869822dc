/**
 * A reader of one engine follows a database while the other engine writes it: new WAL
 * objects, new tables, compaction, collection, and a change of the writer.
 */
import * as Admin from "@effect-slatedb/core/Admin"
import { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import * as Engine from "@effect-slatedb/testkit/interop/Engine"
import * as InteropSuite from "@effect-slatedb/testkit/interop/InteropSuite"
import * as OurEngine from "@effect-slatedb/testkit/interop/OurEngine"
import * as Place from "@effect-slatedb/testkit/interop/Place"
import { assert, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Match from "./support/Match.ts"

InteropSuite.onEachStore("following", (official, newPlace) => {
  /** Waits until a reader shows what the model has; it polls, or is told to look again. */
  const catchesUp = Effect.fnUntraced(function* (match: Match.Match, engine: Engine.Engine, reader: Engine.Reader) {
    for (let tries = 1; tries <= 200; tries++) {
      yield* reader.refresh
      if ((yield* reader.lastSequence) === match.contents.sequence) break
      yield* Effect.sleep("25 millis")
    }
    yield* Match.expectContents(match, engine, reader)
  })

  /** Waits until there is a sorted run, and until the first manifest and the first WAL object are gone. */
  const compactedAndCollected = Effect.fnUntraced(function* ({ place }: Match.Match) {
    const context = yield* Layer.build(OurEngine.environment(place))
    const admin = yield* Effect.provide(Admin.make({ path: Place.path }), context)
    const store = Context.get(context, ObjectStore)
    for (let tries = 1; tries <= 200; tries++) {
      const { id, manifest } = yield* admin.manifest()
      const objects = yield* Stream.runCollect(store.list({ prefix: `${Place.path}/` }))
      const isFirstThere = objects.some(({ path }) => /0{19}1\.(sst|manifest)$/.test(path))
      if (manifest.runs.length > 0 && id > 1 && !isFirstThere) return
      yield* Effect.sleep("25 millis")
    }
    return assert.fail("the official engine did not compact, or did not collect")
  })

  const follow = Effect.fnUntraced(function* (
    writer: Engine.Engine,
    follower: Engine.Engine,
    tuning: Engine.Tuning,
    isSettled: (match: Match.Match) => Effect.Effect<void, unknown, Scope.Scope>
  ) {
    const match = Match.make(yield* newPlace, { seed: 31 })
    const first = yield* writer.open(match.place, tuning)
    yield* Match.write(match, first, 8)
    const reader = yield* follower.reader(match.place)
    yield* catchesUp(match, follower, reader)
    for (let i = 0; i < 3; i++) {
      yield* Match.write(match, first, 6)
      yield* catchesUp(match, follower, reader)
      yield* first.flush("memtable")
      yield* Match.write(match, first, 2)
      yield* catchesUp(match, follower, reader)
    }
    yield* isSettled(match)
    yield* catchesUp(match, follower, reader)
    const second = yield* writer.open(match.place, tuning)
    yield* Match.write(match, second, 6)
    yield* catchesUp(match, follower, reader)
    yield* second.close
    yield* Match.expectSound(match, [OurEngine.engine, official.engine])
  })

  it.live("a reader of the official engine follows a writer of this engine", () =>
    follow(OurEngine.engine, official.engine, Engine.tuning, () => Effect.void)
  )

  it.live("a reader of this engine follows a writer of the official engine, its compactor and its collector", () => {
    const greedy = { interval: "40ms", min_age: "0s" }
    const collecting = official.make({
      garbage_collector_options: {
        manifest_options: greedy,
        wal_options: greedy,
        compacted_options: greedy,
        compactions_options: greedy
      }
    })
    const tuning = { ...Engine.tuning, isCompacting: true }
    return follow(collecting, OurEngine.engine, tuning, compactedAndCollected)
  })
})
