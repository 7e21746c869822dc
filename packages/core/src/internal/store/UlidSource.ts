/**
 * Fresh ids: for puts, so that a retry knows its own object, and for tables.
 *
 * Both are ULIDs made of the injected Clock and Random (ADR 15). Table ids
 * must grow in the order in which memtables are flushed, also when the clock goes
 * back and across restarts (L16), so their source never returns an id that is not
 * above the last one.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Ulid from "../model/Ulid.ts"

export interface UlidSource {
  /** An id above every earlier one of this source and above `floor`. */
  readonly next: (floor?: string | undefined) => string
}

export const make: Effect.Effect<UlidSource> = Effect.gen(function* () {
  const clock = yield* Clock.Clock
  const random = yield* Random.Random
  let last: string | undefined
  return {
    next: (floor) => {
      const fresh = Ulid.make(clock.currentTimeMillisUnsafe(), () => random.nextDoubleUnsafe())
      const least = floor !== undefined && (last === undefined || floor > last) ? floor : last
      last = least === undefined || fresh > least ? fresh : Ulid.increment(least)
      return last
    }
  }
})
