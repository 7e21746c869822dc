/**
 * Looks at a database with both engines' readers and says what is wrong with it.
 * Nothing that it does fences a writer.
 */
import * as Admin from "@effect-slatedb/core/Admin"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { Contents, Entry } from "./Contents.ts"
import type { Engine, View } from "./Engine.ts"
import type { History } from "./History.ts"
import * as OurEngine from "./OurEngine.ts"
import * as Place from "./Place.ts"

/** What is different from the contents, if anything: by a scan up, a scan down, and a lookup of every key. */
export const compare = Effect.fnUntraced(function* (
  engine: Engine,
  view: View,
  history: History,
  contents: Contents
): Effect.fn.Return<ReadonlyArray<string>, unknown> {
  // Values that live a millisecond must have ended.
  yield* Effect.sleep("3 millis")
  const looked = yield* Effect.forEach(history.keys, view.get, { concurrency: engine.lookupsMax })
  const found = (scanned: ReadonlyArray<Entry>) =>
    contents.difference({ scanned, looked, mayShowExpired: engine.showsExpired })
  const up = found(yield* view.scan("ascending"))
  const down = engine.scansDown ? found((yield* view.scan("descending")).toReversed()) : undefined
  const last = yield* view.lastSequence
  const say = (what: string) => `${engine.name} at sequence ${contents.sequence}: ${what}`
  return [
    ...(up === undefined ? [] : [say(up)]),
    ...(down === undefined ? [] : [say(`descending, ${down}`)]),
    ...(last === contents.sequence ? [] : [say(`it says that the last sequence is ${last}`)])
  ]
})

/** The same through a reader of each engine, opened for it. */
export const compareReaders = (
  engines: ReadonlyArray<Engine>,
  place: Place.Place,
  history: History,
  contents: Contents
): Effect.Effect<ReadonlyArray<string>, unknown> =>
  Effect.map(
    Effect.forEach(engines, (engine) =>
      Effect.scoped(Effect.flatMap(engine.reader(place), (reader) => compare(engine, reader, history, contents))).pipe(
        Effect.map((wrong) => wrong.map((what) => `a reader of ${what}`))
      )
    ),
    (wrong) => wrong.flat()
  )

/** The faults that the check of a whole database finds. */
export const check = (place: Place.Place): Effect.Effect<ReadonlyArray<string>, unknown> =>
  Effect.scoped(
    Effect.gen(function* () {
      const context = yield* Layer.build(OurEngine.environment(place))
      const admin = yield* Effect.provide(Admin.make({ path: Place.path }), context)
      const checked = yield* Stream.runCollect(admin.check)
      return checked.flatMap(({ faults, object }) =>
        faults.map(({ detail, rule }) => `the check of ${object}: ${rule}: ${detail}`)
      )
    })
  )
