import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as References from "effect/References"
import { TurnMeter } from "../../../src/internal/store/TurnMeter.ts"

/** A meter on a clock that moves when it is told to. */
const make = Effect.map(Clock.Clock, (clock) => {
  let nanos = 0
  const meter = new TurnMeter({ ...clock, monotonicTimeNanosUnsafe: () => BigInt(nanos) })
  return {
    meter,
    pass: (millis: number) => {
      nanos += millis * 1e6
    }
  }
})

/** How many turns of the event loop other fibers have while the effect runs. */
const turnsDuring = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  let turns = 0
  const other = yield* Effect.forkChild(Effect.forever(Effect.sync(() => turns++)), { startImmediately: true })
  yield* Effect.provideService(effect, References.PreventSchedulerYield, true)
  yield* Fiber.interrupt(other)
  return turns
})

const countdown = (steps: number, each: () => void) => {
  let left = steps
  return () => {
    each()
    return --left === 0
  }
}

it.effect("a slice ends after a number of steps where time stands still, and nothing is counted", () =>
  Effect.gen(function* () {
    const { meter } = yield* make
    let steps = 0
    const work = meter.slices(
      "work",
      8,
      countdown(80, () => steps++)
    )
    assert.isAtLeast(yield* turnsDuring(work), 9)
    assert.strictEqual(steps, 80)
    assert.strictEqual(meter.longestMillis, 0)
    assert.isUndefined(meter.longestPlace)
  })
)

it.effect("a slice ends when half a millisecond has passed, however few its steps", () =>
  Effect.gen(function* () {
    const { meter, pass } = yield* make
    assert.isAtLeast(
      yield* turnsDuring(
        meter.slices(
          "work",
          1000,
          countdown(20, () => pass(0.25))
        )
      ),
      9
    )
    assert.strictEqual(meter.longestMillis, 0.5)
    assert.strictEqual(meter.longestPlace, "work")
  })
)

it.effect("what several do in one turn is added up; what they do in another one is not", () =>
  Effect.gen(function* () {
    const { meter, pass } = yield* make
    yield* Effect.all(
      [meter.whole("a", () => pass(2)), meter.whole("b", () => pass(3)), meter.whole("a", () => pass(1))],
      { concurrency: "unbounded" }
    )
    assert.strictEqual(meter.longestMillis, 6)
    assert.strictEqual(meter.longestPlace, "a, b")
    for (let turn = 0; turn < 5; turn++) {
      yield* Effect.yieldNow
      yield* meter.whole("c", () => pass(5))
    }
    assert.strictEqual(meter.longestMillis, 6)
    yield* Effect.yieldNow
    yield* meter.whole("c", () => pass(7))
    assert.strictEqual(meter.longestMillis, 7)
    assert.strictEqual(meter.longestPlace, "c")
  })
)

it.effect("a fiber that yields begins a new turn each time", () =>
  Effect.gen(function* () {
    const { meter, pass } = yield* make
    const work = (place: string) =>
      meter.slices(
        place,
        1,
        countdown(10, () => pass(0.25))
      )
    yield* Effect.all([work("a"), work("b")], { concurrency: "unbounded" })
    assert.strictEqual(meter.longestMillis, 0.5)
    assert.strictEqual(meter.longestPlace, "a, b")
  })
)

/** How many turns others have while work of one slice gives way. Each of their turns takes so long. */
const turnsGiven = (sliceMillis: number, othersMillis: number) =>
  Effect.gen(function* () {
    const { meter, pass } = yield* make
    let turns = 0
    const others = Effect.sync(() => {
      turns++
      pass(othersMillis)
    })
    const other = yield* Effect.forkChild(Effect.forever(others), { startImmediately: true })
    turns = 0
    const polite = Effect.andThen(
      meter.whole("work", () => pass(sliceMillis)),
      meter.giveWay
    )
    yield* Effect.provideService(polite, References.PreventSchedulerYield, true)
    yield* Fiber.interrupt(other)
    return turns
  })

it.effect.each([
  ["once, where they find little to do", 1, 0.09, 1],
  ["until they had three times as long as the slice took", 1, 1, 3],
  ["the same, in shorter turns", 2, 0.5, 12],
  ["once, where one turn is long enough", 1, 10, 1],
  ["once, where time stands still", 0, 0, 1]
] as const)("work that gives way lets others have their turn %s", ([, sliceMillis, othersMillis, turns]) =>
  Effect.gen(function* () {
    assert.strictEqual(yield* turnsGiven(sliceMillis, othersMillis), turns)
  })
)

it.effect("slices of others that give way are not what to give way to", () =>
  Effect.gen(function* () {
    const { meter, pass } = yield* make
    const polite = (count: { slices: number }) =>
      Effect.forever(
        Effect.andThen(
          meter.whole("work", () => {
            count.slices++
            pass(1)
          }),
          meter.giveWay
        )
      )
    const counts = [{ slices: 0 }, { slices: 0 }]
    const fibers = yield* Effect.forEach(counts, (count) => Effect.forkChild(polite(count), { startImmediately: true }))
    for (let turn = 0; turn < 20; turn++) yield* Effect.yieldNow
    yield* Effect.forEach(fibers, Fiber.interrupt)
    // Every second turn: the loop yields once more itself.
    for (const { slices } of counts) assert.isAtLeast(slices, 10)
  })
)
