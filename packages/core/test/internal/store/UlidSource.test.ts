import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Ulid from "../../../src/internal/model/Ulid.ts"
import * as UlidSource from "../../../src/internal/store/UlidSource.ts"

const ascend = (ids: ReadonlyArray<string>) => assert.deepStrictEqual(ids, [...new Set(ids)].toSorted())

describe("UlidSource", () => {
  it.effect("ids have the time of the clock, and ascend while it stands", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1000)
      const source = yield* UlidSource.make
      const ids = Array.from({ length: 100 }, () => source.next())
      ascend(ids)
      assert.strictEqual(Ulid.timeMillis(ids[0] ?? ""), 1000)
    })
  )

  it.effect("ids ascend when the clock goes back", () =>
    Effect.gen(function* () {
      const source = yield* UlidSource.make
      const ids: Array<string> = []
      for (const now of [5000, 3000, 0, 6000, 1]) {
        yield* TestClock.setTime(now)
        ids.push(source.next(), source.next())
      }
      ascend(ids)
    })
  )

  it.effect("ids are above a floor, however far ahead or up it is", () =>
    Effect.gen(function* () {
      const source = yield* UlidSource.make
      for (const floor of [Ulid.make(9_999_999, () => 0.999), "7ZZZZZZZZZZZZZZZZZZZZZZZZY"]) {
        assert.isAbove(source.next(floor).localeCompare(floor), 0)
      }
    })
  )

  // Counting on from the floor, both gave the same table ids and put ids.
  it.effect("two sources behind one floor have no id in common", () =>
    Effect.gen(function* () {
      const floor = Ulid.make(60_000, () => 0)
      const [one, other] = [yield* UlidSource.make, yield* UlidSource.make]
      const ids = [one, other].flatMap((source) => [
        source.next(floor),
        ...Array.from({ length: 50 }, () => source.next())
      ])
      assert.strictEqual(new Set(ids).size, ids.length)
    })
  )
})
