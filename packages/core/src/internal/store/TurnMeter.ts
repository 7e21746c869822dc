/**
 * How long the engine keeps the event loop to itself: cuts long work into slices, and
 * remembers the longest time that it worked between two turns of the loop.
 *
 *     turn      │ slice of a table │ slice of a scan │   the program   │ next turn ...
 *     counted   └──────── added up, with their names ┘                 └ begins at 0
 *
 * A slice is steps until half a millisecond has passed by the clock, or until there were
 * as many as its owner allows: where time stands still, as in tests, it is the number
 * that bounds it. A step is short by itself; what no step can be cut from is measured as a
 * whole.
 *
 * A turn of the loop is over when a task runs that was given to the fiber's dispatcher
 * at its first slice. Work of another dispatcher may come just before it, and is
 * then counted to the turn before: the sum is rather too great than too small.
 *
 * What nobody waits for gives way: after a slice, others have the loop until they find
 * nothing to do, or have had it three times as long. So beside a program that keeps the
 * loop busy it takes a quarter of it at most, and on a loop that is idle all.
 *
 * Only background work and scans are measured. Puts and lookups read no clock.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"

const sliceNanos = 500_000
/** How much longer others may have the loop than a slice that gives way took. */
const othersRatio = 3
/** Others that take less of a turn than this are not kept waiting. */
const idleNanos = 100_000

export class TurnMeter {
  readonly #clock: Clock.Clock
  #longestNanos = 0
  #longestPlace: string | undefined
  /** Whether something was counted since the loop last had its turn. */
  #isCounting = false
  #nanos = 0
  /** Of all slices. */
  #nanosInAll = 0
  #lastSliceNanos = 0
  #places: ReadonlyArray<string> = []

  constructor(clock: Clock.Clock) {
    this.#clock = clock
  }

  /** The longest the engine worked between two turns of the event loop. */
  get longestMillis(): number {
    return this.#longestNanos / 1e6
  }

  /** What it did then. */
  get longestPlace(): string | undefined {
    return this.#longestPlace
  }

  /** Nanoseconds of a clock that never goes back. */
  get now(): number {
    return Number(this.#clock.monotonicTimeNanosUnsafe())
  }

  /** Whether a slice that began then has had its time. */
  isOver(began: number): boolean {
    return this.now - began >= sliceNanos
  }

  /** Repeats a step until it says that it was the last; others have a turn after each slice, or what `between` gives them. */
  slices(
    place: string,
    stepsMax: number,
    step: () => boolean,
    between: Effect.Effect<void> = Effect.yieldNow
  ): Effect.Effect<void> {
    const next: Effect.Effect<void> = Effect.suspend(() =>
      Effect.flatMap(
        this.whole(place, (began) => {
          for (let steps = 1; ; steps++) {
            if (step()) return true
            if (steps >= stepsMax || this.isOver(began)) return false
          }
        }),
        (isDone) => (isDone ? Effect.void : Effect.andThen(between, next))
      )
    )
    return next
  }

  /** Others' turn, after a slice that nobody waits for. */
  readonly giveWay: Effect.Effect<void> = Effect.suspend(() => this.#rest(othersRatio * this.#lastSliceNanos))

  /** Measures work that is one slice; it is told when it began. */
  whole<A>(place: string, work: (began: number) => A): Effect.Effect<A> {
    return Effect.withFiber((fiber) => {
      const began = this.now
      const answer = work(began)
      this.#count(fiber, place, this.now - began)
      return Effect.succeed(answer)
    })
  }

  #rest(nanosMax: number): Effect.Effect<void> {
    const began = this.now
    const own = this.#nanosInAll
    return Effect.flatMap(Effect.yieldNow, () => {
      const others = this.now - began - (this.#nanosInAll - own)
      return others < idleNanos || others >= nanosMax ? Effect.void : this.#rest(nanosMax - others)
    })
  }

  #count(fiber: Fiber.Fiber<unknown, unknown>, place: string, nanos: number): void {
    if (!this.#isCounting) {
      this.#isCounting = true
      fiber.currentDispatcher.scheduleTask(this.#turn, 0)
    }
    this.#nanos += nanos
    this.#nanosInAll += nanos
    this.#lastSliceNanos = nanos
    if (!this.#places.includes(place)) this.#places = [...this.#places, place]
    if (this.#nanos > this.#longestNanos) {
      this.#longestNanos = this.#nanos
      this.#longestPlace = this.#places.join(", ")
    }
  }

  readonly #turn = (): void => {
    this.#isCounting = false
    this.#nanos = 0
    this.#places = []
  }
}
