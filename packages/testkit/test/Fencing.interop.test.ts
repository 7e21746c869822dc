/**
 * A writer of either engine takes a database over from a writer of the other, which
 * then fails cleanly: it acknowledges nothing and changes nothing any more.
 */
import * as Engine from "@effect-slatedb/testkit/interop/Engine"
import * as InteropSuite from "@effect-slatedb/testkit/interop/InteropSuite"
import * as OurEngine from "@effect-slatedb/testkit/interop/OurEngine"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Match from "./support/Match.ts"

const other = { key: new TextEncoder().encode("key/0"), value: new TextEncoder().encode("of a fenced writer") }
const stray: Parameters<Engine.Session["write"]>[0] = [{ _tag: "Put", ...other, lifetime: "forever" }]

InteropSuite.onEachStore("fencing", (official, newPlace) => {
  const engines = [OurEngine.engine, official.engine]

  const fence = Effect.fnUntraced(function* (older: Engine.Engine, younger: Engine.Engine) {
    const match = Match.make(yield* newPlace, { seed: 21 })
    const first = yield* older.open(match.place, Engine.tuning)
    yield* Match.write(match, first, 10)
    const second = yield* younger.open(match.place, Engine.tuning)
    yield* Match.expectContents(match, younger, second)

    const refused = yield* Effect.flip(first.write(stray, { awaitDurable: true }))
    assert.isTrue(refused.isFenced, refused.message)
    const again = yield* Effect.flip(first.write(stray, { awaitDurable: true }))
    assert.isTrue(again.isFenced, again.message)
    // The engines differ in whether a fenced database may still be told to flush; it stores nothing.
    yield* Effect.exit(first.flush("memtable"))
    yield* Effect.exit(first.close)

    yield* Match.write(match, second, 10)
    yield* Match.expectContents(match, younger, second)
    yield* second.close
    yield* Match.expectSound(match, engines)
  })

  it.live("a writer of the official engine fences one of this engine", () => fence(OurEngine.engine, official.engine))
  it.live("a writer of this engine fences one of the official engine", () => fence(official.engine, OurEngine.engine))
})
