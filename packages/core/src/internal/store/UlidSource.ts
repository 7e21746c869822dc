/**
 * Fresh ids: for puts, so that a retry knows its own object, and for tables.
 *
 * Both are ULIDs made of the injected Clock and Random (ADR 15). Table ids
 * must grow in the order in which memtables are flushed, also when the clock goes
 * back and across restarts (L16), so their source never returns an id that is not
 * above the last one.
 *
 * Behind an id of its own, which is random already, the source counts. Behind one that
 * others know it rolls the dice again: two processes that counted from there would give
 * their tables one name, and take each other's puts for their own (L10).
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
  const dice = () => random.nextDoubleUnsafe()
  let last: string | undefined
  return {
    next: (floor) => {
      const isFloorAbove = floor !== undefined && (last === undefined || floor > last)
      const fresh = Ulid.make(clock.currentTimeMillisUnsafe(), dice)
      const above = isFloorAbove && fresh <= floor ? Ulid.make(Ulid.timeMillis(floor) + 1, dice) : fresh
      const least = isFloorAbove ? floor : last
      last = least === undefined || above > least ? above : Ulid.increment(least)
      return last
    }
  }
})

/** The same source, with ids above this one only. */
export const above = ({ next }: UlidSource, least: string): UlidSource => ({
  next: (floor) => next(floor !== undefined && floor > least ? floor : least)
})
