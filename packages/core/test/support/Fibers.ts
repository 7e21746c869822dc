/**
 * Counts the fibers that live, by the hook that the runtime calls when one starts
 * and when one ends: also those that were detached, and those of other scopes.
 */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"

export interface Fibers {
  /** How many live now that were started below `watch`, its own not counted. */
  readonly live: () => number
  /** Calls this at each start from now on. */
  onStart: () => void
  /** Runs an effect whose fibers are counted. */
  readonly watch: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

export const make = (): Fibers => {
  let live = 0
  const hook: Metric.FiberRuntimeMetricsService = {
    recordFiberStart: () => {
      live++
      self.onStart()
    },
    recordFiberEnd: () => {
      live--
    }
  }
  const self: Fibers = {
    live: () => live,
    onStart: () => {},
    watch: (effect) => Effect.provideService(effect, Metric.FiberRuntimeMetrics, hook)
  }
  return self
}
