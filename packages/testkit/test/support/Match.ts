/**
 * One database that both engines write, and the model of what it must hold.
 */
import { Contents } from "@effect-slatedb/testkit/interop/Contents"
import * as Dice from "@effect-slatedb/testkit/interop/Dice"
import type * as Engine from "@effect-slatedb/testkit/interop/Engine"
import * as History from "@effect-slatedb/testkit/interop/History"
import type * as Place from "@effect-slatedb/testkit/interop/Place"
import * as Referee from "@effect-slatedb/testkit/interop/Referee"
import * as WriterProcess from "@effect-slatedb/testkit/interop/WriterProcess"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"

export interface Match {
  readonly place: Place.Place
  readonly seed: number
  readonly history: History.History
  readonly contents: Contents
}

export const make = (place: Place.Place, options: History.Options): Match => {
  const history = History.make(options)
  return { place, seed: options.seed, history, contents: new Contents(history) }
}

/** Writes batches into the WAL. The last one is durable. */
export const append = Effect.fnUntraced(function* (
  { contents, history }: Match,
  session: Engine.Session,
  batches: number
) {
  const end = contents.sequence + batches
  for (let sequence = contents.sequence + 1; sequence <= end; sequence++) {
    yield* session.write(history.batch(sequence), { awaitDurable: sequence === end })
  }
  contents.advance(end)
})

/** Writes batches, some of them awaited, and flushes the memtable now and then. The last one is durable. */
export const write = Effect.fnUntraced(function* (match: Match, session: Engine.Session, batches: number) {
  const { contents, history, seed } = match
  const dice = Dice.make(seed, contents.sequence, 6)
  const end = contents.sequence + batches
  for (let sequence = contents.sequence + 1; sequence <= end; sequence++) {
    yield* session.write(history.batch(sequence), { awaitDurable: sequence === end || dice.chance(0.2) })
    if (dice.chance(0.1)) yield* session.flush("memtable")
  }
  contents.advance(end)
})

/** A session or a reader shows exactly what the model has: by lookups, and by scans. */
export const expectContents = Effect.fnUntraced(function* (match: Match, engine: Engine.Engine, view: Engine.View) {
  assert.deepStrictEqual(yield* Referee.compare(engine, view, match.history, match.contents), [])
})

/** The whole database: what readers of both engines show, and what the check finds. */
export const expectSound = Effect.fnUntraced(function* (match: Match, engines: ReadonlyArray<Engine.Engine>) {
  assert.deepStrictEqual(yield* Referee.compareReaders(engines, match.place, match.history, match.contents), [])
  assert.deepStrictEqual(yield* Referee.check(match.place), [])
})

/** Lets a writer's process write, and kills it in the middle. */
export const writeAndDie = Effect.fnUntraced(function* (match: Match, engine: Engine.Engine, tuning: Engine.Tuning) {
  const writer = yield* WriterProcess.make
  yield* writer.begin({
    engine: engine.name,
    place: match.place,
    tuning,
    seed: match.seed,
    from: match.contents.sequence + 1,
    inFlightMax: engine.name === "ours" ? 8 : 1,
    awaitedOfTen: 5
  })
  yield* writer.saw("ack")
  yield* Effect.sleep("150 millis")
  yield* writer.signal("SIGKILL")
  yield* writer.ended
  return Math.max(...writer.acknowledged())
})
