import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { Backpressure } from "../../../src/internal/task/Backpressure.ts"

/** 100 bytes of room, 50 of them free; above, a byte is delayed by a millisecond unless a test says otherwise. */
const fixture = Effect.map(Clock.Clock, (clock) => {
  const world = { held: 0, millisPerByte: 1, isOpen: true, timesFull: 0, appended: "" }
  const backpressure = new Backpressure({
    room: {
      heldBytes: () => world.held,
      bytesMax: 100,
      freeBytes: 50,
      delayMillis: (bytes) => (world.held < 50 ? 0 : Math.min(1000, bytes * world.millisPerByte)),
      now: () => clock.currentTimeMillisUnsafe()
    },
    isOpen: () => world.isOpen,
    onFull: () => {
      world.timesFull++
    }
  })
  const append = (name: string, bytes: number) => () =>
    Effect.sync(() => {
      world.held += bytes
      world.appended += name
    })
  /** What a writer does. */
  const write = (name: string, bytes: number) =>
    Effect.suspend(() =>
      backpressure.admit(bytes)
        ? append(name, bytes)()
        : backpressure.later(bytes, () => (world.isOpen ? append(name, bytes)() : Effect.fail(`${name} is told`)))
    )
  const fork = (name: string, bytes: number) => Effect.forkChild(write(name, bytes), { startImmediately: true })
  const release = (held: number) => {
    world.held = held
    backpressure.release()
  }
  return { world, backpressure, fork, release }
})

describe("a full memory", () => {
  it.effect("has room while what is held is below the limit, however large what comes is", () =>
    Effect.gen(function* () {
      const { backpressure, fork, world } = yield* fixture
      world.held = 99
      assert.isTrue(backpressure.hasRoom)
      yield* fork("a", 500)
      assert.strictEqual(world.appended, "a")
      assert.isFalse(backpressure.hasRoom)
    })
  )

  it.effect("stops writers until a release makes room; they are counted until then", () =>
    Effect.gen(function* () {
      const { backpressure, fork, release, world } = yield* fixture
      world.held = 100
      const writers = yield* Effect.forEach(["a", "b", "c"], (name) => fork(name, 1))
      assert.strictEqual(backpressure.waiting, 3)
      yield* TestClock.adjust("1 hour")
      release(100)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(world.appended, "")
      assert.isAtLeast(world.timesFull, 2, "each look is told")
      release(0)
      yield* Fiber.joinAll(writers)
      assert.strictEqual(world.appended, "abc")
      assert.strictEqual(backpressure.waiting, 0)
    })
  )

  // The latch was closed only when the wait began to run; the fiber may have yielded in between.
  it.effect("a release between the look and the wait is not missed", () =>
    Effect.gen(function* () {
      const { fork, release, world } = yield* fixture
      world.held = 100
      let isFirst = true
      Object.defineProperty(world, "timesFull", {
        get: () => 0,
        set: () => {
          if (isFirst) release(0)
          isFirst = false
        }
      })
      yield* Fiber.join(yield* fork("a", 1))
      assert.strictEqual(world.appended, "a")
    })
  )

  it.effect("all are told when the database has closed, and none waits for another's delay", () =>
    Effect.gen(function* () {
      const { backpressure, fork, world } = yield* fixture
      for (const held of [100, 60]) {
        world.held = held
        world.isOpen = true
        const writers = yield* Effect.forEach(["a", "b", "c"], (name) =>
          Effect.map(fork(name, held === 100 ? 1 : 39), Fiber.join)
        )
        world.isOpen = false
        backpressure.release()
        yield* Effect.exit(Effect.all(writers.slice(0, 1)))
        assert.strictEqual(yield* Effect.flip(writers[2] as Effect.Effect<void, string>), "c is told")
        assert.strictEqual(backpressure.waiting, 0)
      }
    })
  )
})

describe("a memory that fills", () => {
  it.effect("delays nobody below the threshold", () =>
    Effect.gen(function* () {
      const { fork, world } = yield* fixture
      world.millisPerByte = Infinity
      for (let i = 0; i < 49; i++) yield* fork("a", 1)
      assert.lengthOf(world.appended, 49)
    })
  )

  it.effect("lets a write wait until the time of those before it has passed", () =>
    Effect.gen(function* () {
      const { fork, world } = yield* fixture
      world.held = 50
      yield* fork("a", 20)
      yield* fork("b", 7)
      yield* fork("c", 1)
      assert.strictEqual(world.appended, "a")
      yield* TestClock.adjust("19 millis")
      assert.strictEqual(world.appended, "a")
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(world.appended, "ab")
      yield* TestClock.adjust("6 millis")
      assert.strictEqual(world.appended, "ab")
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(world.appended, "abc")
    })
  )

  it.effect("lets small writes pass until they owe a millisecond together", () =>
    Effect.gen(function* () {
      const { fork, world } = yield* fixture
      world.held = 50
      world.millisPerByte = 0.3
      for (const name of "abcdefgh") yield* fork(name, 1)
      assert.strictEqual(world.appended, "abcd")
      yield* TestClock.adjust("2 millis")
      assert.strictEqual(world.appended, "abcdefgh")
    })
  )

  it.effect("ends a delay when a release makes it shorter, though time stands still", () =>
    Effect.gen(function* () {
      const { fork, release, world } = yield* fixture
      world.held = 50
      const large = yield* fork("a", 40)
      const next = yield* fork("b", 1)
      assert.isDefined(large.pollUnsafe())
      release(89)
      yield* Effect.yieldNow
      assert.strictEqual(world.appended, "a")
      release(49)
      yield* Fiber.join(next)
      assert.strictEqual(world.appended, "ab")
    })
  )

  it.effect("gives credit for a late timer, not for time at rest", () =>
    Effect.gen(function* () {
      const { fork, world } = yield* fixture
      world.held = 50
      yield* fork("a", 5)
      yield* fork("b", 5)
      // 3 ms late.
      yield* TestClock.adjust("5 millis")
      yield* TestClock.adjust("8 millis")
      yield* fork("c", 5)
      yield* fork("d", 1)
      assert.strictEqual(world.appended, "abc")
      yield* TestClock.adjust("2 millis")
      assert.strictEqual(world.appended, "abcd")
      yield* TestClock.adjust("1 hour")
      yield* fork("e", 12)
      yield* fork("f", 1)
      yield* TestClock.adjust("11 millis")
      assert.strictEqual(world.appended, "abcde")
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(world.appended, "abcdef")
    })
  )

  it.effect(
    "serves in order of arrival: a large batch is not passed by small ones, nor are those in line by who comes late",
    () =>
      Effect.gen(function* () {
        const { backpressure, fork, release, world } = yield* fixture
        world.held = 60
        yield* fork("a", 10)
        const writers = [yield* fork("B", 25)]
        for (const name of "cdef") writers.push(yield* fork(name, 1))
        release(0)
        // Memory is free, but the line is not over.
        assert.isFalse(backpressure.admit(1))
        writers.push(yield* fork("g", 1))
        yield* Fiber.joinAll(writers)
        assert.strictEqual(world.appended, "aBcdefg")
      })
  )

  it.effect("who is interrupted leaves nothing: no bytes, no debt, no place in line", () =>
    Effect.gen(function* () {
      const { backpressure, fork, world } = yield* fixture
      world.held = 50
      yield* fork("a", 10)
      const first = yield* fork("b", 30)
      const second = yield* fork("c", 30)
      yield* fork("d", 2)
      yield* Fiber.interrupt(second)
      yield* Fiber.interrupt(first)
      assert.strictEqual(backpressure.waiting, 1)
      yield* TestClock.adjust("10 millis")
      assert.strictEqual(world.appended, "ad")
      assert.strictEqual(backpressure.waiting, 0)
      assert.strictEqual(world.held, 62)
    })
  )
})
