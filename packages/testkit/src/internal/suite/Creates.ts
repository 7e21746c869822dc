/**
 * Create-if-absent: one winner, whole objects, and what an interrupted or repeated
 * create leaves.
 */
import type * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Fixture from "./Fixture.ts"

export interface Options {
  readonly keepsPutIds: boolean
}

export const tests = (it: Fixture.It, options: Options): void => {
  refusals(it)
  races(it, options)
  putIds(it, options)
  interruption(it)
}

const refusals = (it: Fixture.It): void => {
  it.effect("a create is refused where an object is, and that stays as it is", () =>
    Effect.gen(function* () {
      const { folder, store } = yield* Fixture.setUp
      const body = Fixture.sample(100, 1)
      yield* store.putIfAbsent(`${folder}created`, body, { putId: `${folder}1` })
      yield* store.put(`${folder}put`, body)
      for (const path of [`${folder}created`, `${folder}put`]) {
        const create = store.putIfAbsent(path, Fixture.sample(50, 2), { putId: `${folder}2` })
        yield* Fixture.assertFails(create, "AlreadyExists", "putIfAbsent", path)
        Fixture.assertBytes(yield* store.get(path), body, path)
        yield* store.delete(path)
        yield* create
        Fixture.assertBytes(yield* store.get(path), Fixture.sample(50, 2), path)
      }
    })
  )
}

const races = (it: Fixture.It, { keepsPutIds }: Options): void => {
  it.effect("of 50 concurrent creators exactly one wins, and its object is there", () =>
    Effect.gen(function* () {
      const { folder, store } = yield* Fixture.setUp
      for (let round = 0; round < 5; round++) {
        const path = `${folder}race/${round}`
        const exits = yield* Effect.forEach(
          Array.from({ length: 50 }, (_, i) => i),
          (i) => Effect.exit(store.putIfAbsent(path, Fixture.sample(1000 + i, i), { putId: `${path}/${i}` })),
          { concurrency: "unbounded" }
        )
        const winners = exits.flatMap((exit, i) => (Exit.isSuccess(exit) ? [i] : []))
        assert.strictEqual(winners.length, 1, `round=${round} winners=${winners.join()}`)
        const winner = winners[0] as number
        for (const exit of exits.filter(Exit.isFailure)) {
          yield* Fixture.assertFails(exit, "AlreadyExists", "putIfAbsent", path)
        }
        Fixture.assertBytes(yield* store.get(path), Fixture.sample(1000 + winner, winner), `round=${round}`)
        if (keepsPutIds) assert.strictEqual((yield* store.head(path)).putId, `${path}/${winner}`)
      }
    })
  )
}

const putIds = (it: Fixture.It, { keepsPutIds }: Options): void => {
  it.effect("a create repeated with its put id succeeds and changes nothing", () =>
    Effect.gen(function* () {
      const { folder, store } = yield* Fixture.setUp
      const path = `${folder}a`
      const create = store.putIfAbsent(path, Fixture.sample(100, 1), { putId: `${folder}1` })
      yield* create
      yield* create
      Fixture.assertBytes(yield* store.get(path), Fixture.sample(100, 1), path)
      // One id is one create: another path is not its business.
      yield* store.putIfAbsent(`${folder}b`, Fixture.sample(10, 2), { putId: `${folder}1` })
      Fixture.assertBytes(yield* store.get(`${folder}b`), Fixture.sample(10, 2), "b")
      yield* Effect.all([create, create, create], { concurrency: "unbounded" })
      // Replaced, the object is another put's; so it is when another create took the place.
      yield* store.put(path, Fixture.sample(10, 3))
      yield* Fixture.assertFails(create, "AlreadyExists", "putIfAbsent", path)
      yield* store.delete(path)
      yield* store.putIfAbsent(path, Fixture.sample(100, 1), { putId: `${folder}2` })
      yield* Fixture.assertFails(create, "AlreadyExists", "putIfAbsent", path)
    })
  )

  it.effect("concurrent tries of one create all succeed", () =>
    Effect.gen(function* () {
      const { folder, store } = yield* Fixture.setUp
      for (let round = 0; round < 5; round++) {
        const path = `${folder}${round}`
        const create = store.putIfAbsent(path, Fixture.sample(300_000, round), { putId: path })
        yield* Effect.all([create, create, create, create], { concurrency: "unbounded" })
        Fixture.assertBytes(yield* store.get(path), Fixture.sample(300_000, round), path)
      }
    })
  )

  it.effect("head tells the put id, where the store keeps one", () =>
    Effect.gen(function* () {
      const { folder, store } = yield* Fixture.setUp
      yield* store.putIfAbsent(`${folder}a`, Fixture.sample(1, 1), { putId: `${folder}1` })
      assert.strictEqual((yield* store.head(`${folder}a`)).putId, keepsPutIds ? `${folder}1` : undefined)
    })
  )
}

const interruption = (it: Fixture.It): void => {
  const ROUNDS = 30

  it.effect("an interrupted put leaves the old object or the new one", () =>
    Effect.gen(function* () {
      const { folder, store } = yield* Fixture.setUp
      const before = Fixture.sample(1000, 1)
      const after = Fixture.sample(500_000, 2)
      for (let round = 0; round < ROUNDS; round++) {
        const path = `${folder}${round}`
        yield* store.put(path, before)
        yield* interrupted(store.put(path, after), round)
        const bytes = yield* store.get(path)
        Fixture.assertBytes(bytes, bytes.length === before.length ? before : after, `round=${round}`)
      }
    })
  )

  it.effect("an interrupted create leaves all or nothing, and never replaces the next one's object", () =>
    Effect.gen(function* () {
      const { folder, store } = yield* Fixture.setUp
      const [first, second] = [Fixture.sample(500_000, 1), Fixture.sample(700, 2)]
      const secondWon: Array<boolean> = []
      for (let round = 0; round < ROUNDS; round++) {
        const path = `${folder}${round}`
        yield* interrupted(store.putIfAbsent(path, first, { putId: `${path}/1` }), round)
        const next = yield* Effect.exit(store.putIfAbsent(path, second, { putId: `${path}/2` }))
        if (Exit.isFailure(next)) yield* Fixture.assertFails(next, "AlreadyExists", "putIfAbsent", path)
        secondWon.push(Exit.isSuccess(next))
      }
      // Time for creates that happen a little later.
      yield* Effect.sleep("50 millis")
      assert.strictEqual((yield* Fixture.listPaths(store, folder)).length, ROUNDS)
      for (const [round, won] of secondWon.entries()) {
        Fixture.assertBytes(yield* store.get(`${folder}${round}`), won ? second : first, `round=${round}`)
      }
    })
  )
}

/** Runs a request and interrupts it, later from round to round. */
const interrupted = Effect.fnUntraced(function* (
  request: Effect.Effect<void, ObjectStore.ObjectStoreError>,
  round: number
) {
  const fiber = yield* Effect.forkChild(request, { startImmediately: true })
  if (round % 3 === 0) for (let i = 0; i < round; i++) yield* Effect.yieldNow
  else yield* Effect.sleep(round / 4)
  yield* Fiber.interrupt(fiber)
})
