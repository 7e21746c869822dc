/**
 * Collection as drills need it: without waiting a quarter of an hour.
 *
 * A compaction leaves a checkpoint of 900 s on what it took away. For a drill that time
 * goes by at once: it removes the checkpoint, as the collector would have by then.
 */
import * as Checkpoint from "@effect-slatedb/core/Checkpoint"
import * as GarbageCollector from "@effect-slatedb/core/GarbageCollector"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as OurEngine from "../interop/OurEngine.ts"
import * as Place from "../interop/Place.ts"

const compactionLifetimeSeconds = 900

/** Lets the checkpoints of compactions expire that are so old; answers with how many. Those of readers stay. */
export const expireCheckpoints = (place: Place.Place, ageMillisMin: number): Effect.Effect<number, unknown> =>
  Effect.scoped(
    Effect.gen(function* () {
      const context = yield* Layer.build(OurEngine.environment(place))
      const checkpoints = yield* Effect.provide(Checkpoint.make({ path: Place.path }), context)
      const now = yield* Clock.currentTimeMillis
      const old = (yield* checkpoints.list()).filter(
        ({ createTimeSeconds, expireTimeSeconds }) =>
          expireTimeSeconds === createTimeSeconds + compactionLifetimeSeconds &&
          createTimeSeconds * 1000 <= now - ageMillisMin
      )
      yield* Effect.forEach(old, ({ id }) => checkpoints.delete(id), { discard: true })
      return old.length
    })
  )

/** How old an object must be, and the lease of the writers, which may be a third of that. */
export interface Ages {
  readonly minAgeMillis: number
  readonly leaseMillis: number
}

/** Collects everything, fences too, until a pass finds nothing; answers with how many objects went. */
export const collectAll = (place: Place.Place, ages: Ages): Effect.Effect<number, unknown> =>
  Effect.scoped(
    Effect.gen(function* () {
      const context = yield* Layer.build(OurEngine.environment(place))
      const collector = yield* Effect.provide(
        GarbageCollector.make({
          path: Place.path,
          kinds: GarbageCollector.kinds,
          minAge: ages.minAgeMillis,
          leaseDuration: ages.leaseMillis
        }),
        context
      )
      let count = 0
      for (let pass = 1; pass <= passesMax; pass++) {
        const { objects } = yield* collector.collect()
        if (objects.length === 0) break
        count += objects.length
      }
      return count
    })
  )

const passesMax = 10
