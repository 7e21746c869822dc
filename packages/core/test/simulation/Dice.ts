/** Random choices, all from the `Random` of the fiber that asks, and so from its seed. */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

/** A whole number from 0, below `end`. */
export const below = (end: number): Effect.Effect<number> => Random.nextIntBetween(0, end, { halfOpen: true })

export const pick = <A>(values: ReadonlyArray<A>): Effect.Effect<A> =>
  Effect.map(below(values.length), (index) => values[index] as A)

/** True once in `n` times. */
export const oneIn = (n: number): Effect.Effect<boolean> => Effect.map(below(n), (drawn) => drawn === 0)
