/**
 * A writer of this engine is killed at a random moment, again and again.
 *
 * The moment may be in the middle of opening. Then this engine and the official one,
 * in turn, open what is left: it must be the contents after some batch, whole, and no
 * earlier one than was acknowledged. The opener writes on and closes, readers of both
 * engines must agree, and the check of the whole database must find nothing. The next
 * writer goes on where the opener ended.
 *
 * A database is killed ten times, then the next one is begun with another tuning.
 */
import * as Effect from "effect/Effect"
import { Contents } from "../interop/Contents.ts"
import * as Dice from "../interop/Dice.ts"
import * as Engine from "../interop/Engine.ts"
import * as History from "../interop/History.ts"
import * as OfficialEngine from "../interop/OfficialEngine.ts"
import * as OurEngine from "../interop/OurEngine.ts"
import * as Place from "../interop/Place.ts"
import * as Referee from "../interop/Referee.ts"
import * as WriterProcess from "../interop/WriterProcess.ts"
import * as Drill from "./Drill.ts"

const killsPerDatabase = 10
const engines = [OurEngine.engine, OfficialEngine.engine] as const

export const run = (options: Drill.Options): Effect.Effect<Drill.Outcome> =>
  Drill.run((tally) =>
    Effect.scoped(
      Effect.gen(function* () {
        const newPlace = yield* Place.maker(options.store, options.keepsFailures)
        const nextWriter = yield* WriterProcess.pool
        for (let first = 1; first <= options.rounds; first += killsPerDatabase) {
          const last = Math.min(first + killsPerDatabase - 1, options.rounds)
          yield* Effect.scoped(
            Effect.flatMap(newPlace, (place) => oneDatabase({ options, tally, place, nextWriter, first, last }))
          )
        }
      })
    )
  )

interface Part {
  readonly options: Drill.Options
  readonly tally: Drill.Tally
  readonly place: Place.Place
  readonly nextWriter: WriterProcess.Pool
  readonly first: number
  readonly last: number
}

const oneDatabase = Effect.fnUntraced(function* (part: Part) {
  const { first, last, options, tally } = part
  const seed = options.seed * 1_000_000 + first
  const history = History.make({ seed })
  const contents = new Contents(history)
  const tuning = Engine.anyTuning(Dice.make(seed))
  for (let round = first; round <= last; round++) {
    const opener = engines[round % engines.length] ?? OurEngine.engine
    const dice = Dice.make(options.seed, round, 3)
    const moment = momentOf(dice)
    const where = `round ${round}, killed ${moment.millis} ms after ${moment.after}, reopened by ${opener.name}`
    const acknowledged = yield* Drill.inside(where)(kill(part, seed, contents, tuning, moment))
    const found = yield* Drill.inside(where)(reopen(part, opener, history, contents, acknowledged))
    tally.add("kills")
    tally.add(`reopened by ${opener.name}`)
    tally.add("batches acknowledged before a kill", acknowledged.count)
    tally.add("batches found that were not acknowledged", found - acknowledged.sequence)
    if (round % 10 === 0 || round === last) yield* options.report(`${round} of ${options.rounds}`)
  }
})

/** When a writer is killed. */
interface Moment {
  readonly after: "it began to open" | "it was open"
  readonly millis: number
}

const momentOf = (dice: Dice.Dice): Moment =>
  dice.chance(0.2)
    ? { after: "it began to open", millis: dice.below(100) }
    : { after: "it was open", millis: dice.below(600) }

/** Lets a writer write, and kills it. Answers with what it said before. */
const kill = Effect.fnUntraced(function* (
  { nextWriter, place, tally }: Part,
  seed: number,
  contents: Contents,
  tuning: Engine.Tuning,
  moment: Moment
) {
  const writer = yield* nextWriter
  yield* writer.begin({
    engine: "ours",
    place,
    tuning,
    seed,
    from: contents.sequence + 1,
    inFlightMax: 8,
    awaitedOfTen: 6
  })
  if (moment.after === "it was open") yield* writer.saw("open")
  yield* Effect.sleep(moment.millis)
  yield* writer.signal("SIGKILL")
  yield* writer.ended
  const lines = writer.lines()
  yield* Drill.expectNothing(lines.filter((line) => line.startsWith("refused")))
  if (!lines.includes("open")) tally.add("kills while opening")
  const acknowledged = writer.acknowledged()
  return { sequence: Math.max(contents.sequence, ...acknowledged), count: acknowledged.length }
})

/** What is there now must be right, and stay right when somebody writes on. Answers with what was found. */
const reopen = Effect.fnUntraced(function* (
  { place, tally }: Part,
  opener: Engine.Engine,
  history: History.History,
  contents: Contents,
  acknowledged: { readonly sequence: number }
) {
  const found = yield* Effect.scoped(
    Effect.gen(function* () {
      const session = yield* opener.open(place, openerTuning)
      const found = yield* session.lastSequence
      if (found < acknowledged.sequence) {
        return yield* Drill.fail(`lost: acknowledged sequence=${acknowledged.sequence} found=${found}`)
      }
      contents.advance(found)
      yield* Drill.expectNothing(yield* Referee.compare(opener, session, history, contents))
      for (let i = 1; i <= 3; i++) yield* session.write(history.batch(found + i), { awaitDurable: i === 3 })
      contents.advance(found + 3)
      yield* Drill.expectNothing(yield* Referee.compare(opener, session, history, contents))
      yield* session.close
      return found
    })
  )
  yield* Drill.expectNothing(yield* Referee.compareReaders(engines, place, history, contents))
  yield* Drill.expectNothing(yield* Referee.check(place))
  tally.add("comparisons with the model", 2 + engines.length)
  return found
})

/** Tables so large that the official engine replays into one memtable: with more it loses rows. */
const openerTuning: Engine.Tuning = { ...Engine.tuning, l0SstSizeBytes: 64 * 1024 ** 2 }
