/**
 * A scheduler that makes fibers yield where the seed says, and not only after some
 * thousand operations: so that whatever may happen between two steps of a fiber
 * does happen.
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Scheduler from "effect/Scheduler"

/** Each operation of a fiber is followed by a yield with this probability. */
export const yielding =
  (probability: number) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.gen(function* () {
      const present = yield* Scheduler.Scheduler
      const random = yield* Random.Random
      const often: Scheduler.Scheduler = {
        executionMode: present.executionMode,
        makeDispatcher: () => present.makeDispatcher(),
        // A fiber that was just resumed has to take a step first.
        shouldYield: (fiber) =>
          present.shouldYield(fiber) || (fiber.currentOpCount > 2 && random.nextDoubleUnsafe() < probability)
      }
      return yield* Effect.provideService(effect, Scheduler.Scheduler, often)
    })
