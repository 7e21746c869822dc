/**
 * One engine writes a database, and closes it or is killed; the other one opens it,
 * finds everything, and writes on; then the first one again.
 */
import * as Engine from "@effect-slatedb/testkit/interop/Engine"
import * as InteropSuite from "@effect-slatedb/testkit/interop/InteropSuite"
import * as OurEngine from "@effect-slatedb/testkit/interop/OurEngine"
import * as Place from "@effect-slatedb/testkit/interop/Place"
import type * as History from "@effect-slatedb/testkit/interop/History"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Match from "./support/Match.ts"

/** Memtables so large that the official engine replays into one. With more than one it loses rows itself. */
const tuning: Engine.Tuning = { ...Engine.tuning, l0SstSizeBytes: 64 * 1024 ** 2 }

InteropSuite.onEachStore("a database changes hands", (official, newPlace) => {
  const ours = OurEngine.engine
  const theirs = official.engine
  const engines = [ours, theirs]

  /** The heir opens and writes on; then the first one again. */
  const inherit = Effect.fnUntraced(function* (match: Match.Match, first: Engine.Engine, heir: Engine.Engine) {
    for (const owner of [heir, first]) {
      yield* Effect.scoped(
        Effect.gen(function* () {
          const session = yield* owner.open(match.place, tuning)
          yield* Match.expectContents(match, owner, session)
          yield* Match.write(match, session, 15)
          yield* Match.expectContents(match, owner, session)
          yield* session.close
        })
      )
      yield* Match.expectSound(match, engines)
    }
  })

  for (const [first, heir] of [
    [theirs, ours],
    [ours, theirs]
  ] as const) {
    const writer = first.name === "ours" ? "this engine" : "the official engine"
    const reader = heir.name === "ours" ? "this engine" : "the official engine"

    it.live(`${reader} goes on where ${writer} closed`, () =>
      Effect.gen(function* () {
        const match = Match.make(yield* newPlace, { seed: 11 })
        yield* Effect.scoped(
          Effect.gen(function* () {
            const session = yield* first.open(match.place, tuning)
            yield* Match.write(match, session, 40)
            yield* session.close
          })
        )
        yield* inherit(match, first, heir)
      })
    )

    it.live(
      `${reader} goes on where ${writer} was killed: everything acknowledged is there, and no batch is torn`,
      () =>
        Effect.gen(function* () {
          const match = Match.make(yield* newPlace, { seed: 12 })
          const acknowledged = yield* Match.writeAndDie(match, first, tuning)
          const last = yield* Effect.scoped(
            Effect.flatMap(heir.open(match.place, tuning), (session) => session.lastSequence)
          )
          assert.isAtLeast(last, acknowledged)
          match.contents.advance(last)
          yield* inherit(match, first, heir)
        })
    )
  }
})

InteropSuite.suite("what the official engine writes of one batch", (official) => {
  it.live("means the same to both engines, also where it lost an operand", () =>
    Effect.gen(function* () {
      const key = new TextEncoder().encode("key")
      const operand = new TextEncoder().encode("operand")
      const batch: History.Batch = [
        { _tag: "Delete", key },
        { _tag: "Merge", key, operand, lifetime: "long" }
      ]
      const place = yield* Place.directory
      yield* Effect.scoped(
        Effect.flatMap(official.engine.open(place, tuning), (session) =>
          Effect.andThen(session.write(batch, { awaitDurable: true }), session.close)
        )
      )
      const found = yield* Effect.forEach([OurEngine.engine, official.engine], (engine) =>
        Effect.scoped(Effect.flatMap(engine.reader(place), (reader) => reader.get(key)))
      )
      assert.deepStrictEqual(found, [undefined, undefined])
    })
  )
})
