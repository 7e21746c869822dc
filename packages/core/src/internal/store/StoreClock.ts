/**
 * What time it is, as far as deleting is concerned: never later than the store says.
 *
 * Ages are differences of the store's own times, so "now" is that of an object which
 * was stored just now, or the local clock if that is behind: a local clock that runs
 * ahead makes nothing old. Where the store's clock is the machine's, as in a local
 * directory, both jump together; so time does not pass faster here than by the
 * monotonic clock. After a jump the old time goes on for as long as the least age: by then
 * whatever was there before the jump is as old as it has to be, by a clock that did
 * not jump, and the new time holds. (The monotonic clock stands still while a machine
 * sleeps: that looks like a jump, and costs one least age.)
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as DbError from "../../DbError.ts"
import type { ObjectStore } from "../../ObjectStore.ts"
import type { ObjectPaths } from "./ObjectPaths.ts"
import * as StoreFailure from "./StoreFailure.ts"
import type { UlidSource } from "./UlidSource.ts"

/** More than clocks drift apart between two looks, less than matters to an age. */
const driftMillisMax = 10_000

interface Look {
  readonly time: number
  readonly monotonic: number
}

export class StoreClock {
  #last: Look | undefined
  /** When a jump was seen that is not believed yet, by the monotonic clock. */
  #jumped: number | undefined

  /** The time, milliseconds, given what clocks and store say. `leastAge`, in milliseconds too, is that of what is deleted. */
  now(seen: { readonly local: number; readonly store: number; readonly monotonic: number }, leastAge: number): number {
    const { monotonic } = seen
    const time = Math.min(seen.local, seen.store)
    const expected = this.#last === undefined ? Infinity : this.#last.time + (monotonic - this.#last.monotonic)
    if (time > expected + driftMillisMax) {
      this.#jumped ??= monotonic
      if (monotonic - this.#jumped < leastAge) return expected
    }
    this.#jumped = undefined
    this.#last = { time, monotonic }
    return time
  }

  /** The time by the store at `paths`: of an object that is stored, looked at and deleted again. */
  readonly look = Effect.fnUntraced(function* (
    this: StoreClock,
    options: { readonly store: ObjectStore["Service"]; readonly paths: ObjectPaths; readonly ulids: UlidSource },
    leastAge: number
  ): Effect.fn.Return<number, DbError.DbError> {
    const { paths, store, ulids } = options
    const clock = yield* Clock.Clock
    const path = paths.probe(ulids.next())
    const looked = yield* store
      .put(path, new Uint8Array(1))
      .pipe(Effect.andThen(store.head(path)), Effect.mapError(StoreFailure.fromStore), Effect.result)
    // Not in a finalizer: whoever interrupts a look does not wait for a store. The byte that it leaves harms nobody.
    yield* Effect.ignore(store.delete(path))
    const { lastModified } = yield* Effect.fromResult(looked)
    const monotonic = Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n)
    return this.now({ local: clock.currentTimeMillisUnsafe(), store: lastModified, monotonic }, leastAge)
  })
}
