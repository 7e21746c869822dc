import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Backpressure } from "../../../src/internal/task/Backpressure.ts"

const fixture = () => {
  let held = 100
  const backpressure = new Backpressure(() => held, 100)
  const hold = (bytes: number) => {
    held = bytes
  }
  return { backpressure, hold }
}

it("has room while what is held is below the limit", () => {
  const { backpressure, hold } = fixture()
  assert.isFalse(backpressure.hasRoom)
  hold(99)
  assert.isTrue(backpressure.hasRoom)
})

it.effect("a release wakes all who wait, and they are counted until then", () =>
  Effect.gen(function* () {
    const { backpressure } = fixture()
    const waiting = yield* Effect.forEach([1, 2, 3], () =>
      Effect.forkChild(backpressure.released(), { startImmediately: true })
    )
    assert.strictEqual(backpressure.waiting, 3)
    backpressure.release()
    yield* Fiber.joinAll(waiting)
    assert.strictEqual(backpressure.waiting, 0)
  })
)

it.effect("who is interrupted is not counted any more", () =>
  Effect.gen(function* () {
    const { backpressure } = fixture()
    const waiting = yield* Effect.forkChild(backpressure.released(), { startImmediately: true })
    yield* Fiber.interrupt(waiting)
    assert.strictEqual(backpressure.waiting, 0)
  })
)

// The latch was closed only when the wait began to run; the fiber may have yielded in between.
it.effect("a release between the look and the wait is not missed", () =>
  Effect.gen(function* () {
    const { backpressure } = fixture()
    const released = backpressure.released()
    backpressure.release()
    const waiting = yield* Effect.forkChild(released, { startImmediately: true })
    assert.isDefined(waiting.pollUnsafe())
  })
)
