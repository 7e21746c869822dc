/**
 * Ranges: what is asked for, cut at the end of the object; and nothing that makes
 * no sense.
 */
import type * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as Effect from "effect/Effect"
import * as Fixture from "./Fixture.ts"

export const tests = (it: Fixture.It): void => {
  it.effect("a range gives the bytes it names, as far as the object goes", () =>
    Effect.gen(function* () {
      const { folder, store } = yield* Fixture.setUp
      const path = `${folder}a`
      const body = Fixture.sample(1000, 1)
      yield* store.put(path, body)
      const cases: ReadonlyArray<readonly [range: ObjectStore.ByteRange, start: number, end: number]> = [
        [{ offset: 0, length: 1 }, 0, 1],
        [{ offset: 0, length: 1000 }, 0, 1000],
        [{ offset: 0, length: 1001 }, 0, 1000],
        [{ offset: 0, length: Number.MAX_SAFE_INTEGER }, 0, 1000],
        [{ offset: 500, length: 100 }, 500, 600],
        [{ offset: 999, length: 1 }, 999, 1000],
        [{ offset: 999, length: 2 }, 999, 1000],
        [{ offset: 0 }, 0, 1000],
        [{ offset: 400 }, 400, 1000],
        [{ offset: 999 }, 999, 1000],
        [{ offset: 5, length: undefined }, 5, 1000],
        [{ suffix: 1 }, 999, 1000],
        [{ suffix: 300 }, 700, 1000],
        [{ suffix: 1000 }, 0, 1000],
        [{ suffix: 1001 }, 0, 1000],
        [{ suffix: Number.MAX_SAFE_INTEGER }, 0, 1000]
      ]
      for (const [range, start, end] of cases) {
        Fixture.assertBytes(yield* store.getRange(path, range), body.slice(start, end), JSON.stringify(range))
      }
    })
  )

  it.effect("ranges of a large object, many at once", () =>
    Effect.gen(function* () {
      const { folder, store } = yield* Fixture.setUp
      const path = `${folder}a`
      const body = Fixture.sample(1_500_000, 1)
      yield* store.put(path, body)
      const ranges = Array.from({ length: 64 }, (_, i) => ({
        offset: i * 23_000,
        length: i % 3 === 0 ? 4096 : i * 12_000 + 1
      }))
      yield* Effect.forEach(
        ranges,
        ({ offset, length }) =>
          Effect.map(store.getRange(path, { offset, length }), (bytes) =>
            Fixture.assertBytes(bytes, body.slice(offset, offset + length), `offset=${offset} length=${length}`)
          ),
        { concurrency: 16, discard: true }
      )
    })
  )

  it.effect("a range that begins at or beyond the end is Invalid; an empty object has no other", () =>
    Effect.gen(function* () {
      const { folder, store } = yield* Fixture.setUp
      const [full, empty] = [`${folder}full`, `${folder}empty`]
      yield* store.put(full, Fixture.sample(10, 1))
      yield* store.put(empty, new Uint8Array(0))
      const beyond: ReadonlyArray<readonly [path: string, range: ObjectStore.ByteRange]> = [
        [full, { offset: 10, length: 1 }],
        [full, { offset: 10 }],
        [full, { offset: 5_000_000_000 }],
        [full, { offset: Number.MAX_SAFE_INTEGER, length: Number.MAX_SAFE_INTEGER }],
        [empty, { offset: 0, length: 1 }],
        [empty, { offset: 0 }],
        [empty, { suffix: 1 }]
      ]
      for (const [path, range] of beyond) {
        yield* Fixture.assertFails(store.getRange(path, range), "Invalid", "getRange", path)
      }
    })
  )

  it.effect("a range of no bytes or of no whole number of them is Invalid, whether or not the object is there", () =>
    Effect.gen(function* () {
      const { folder, store } = yield* Fixture.setUp
      const there = `${folder}there`
      yield* store.put(there, Fixture.sample(10, 1))
      const wrong: ReadonlyArray<ObjectStore.ByteRange> = [
        { offset: 0, length: 0 },
        { offset: 3, length: -1 },
        { offset: -1 },
        { offset: -1, length: 5 },
        { offset: 0.5, length: 2 },
        { offset: 0, length: 1.5 },
        { offset: NaN },
        { offset: 0, length: NaN },
        { offset: 0, length: Infinity },
        { suffix: 0 },
        { suffix: -1 },
        { suffix: 2.5 },
        { suffix: Infinity }
      ]
      for (const path of [there, `${folder}missing`]) {
        for (const range of wrong) {
          yield* Fixture.assertFails(store.getRange(path, range), "Invalid", "getRange", path)
        }
      }
    })
  )
}
