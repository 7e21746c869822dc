/**
 * Both engines own one database in turn.
 *
 * Each round an owner opens it, finds everything, writes random batches, and closes
 * it or is killed; then readers of both engines must show exactly the contents of the
 * model, and the check of the whole database must find nothing. Each round has its own
 * codec, block size, filters and table sizes, and in some of the official engine's
 * rounds its compactor runs.
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

const engines = [OurEngine.engine, OfficialEngine.engine] as const

export const run = (options: Drill.Options): Effect.Effect<Drill.Outcome> =>
  Drill.run((tally) => Effect.scoped(drill(options, tally)))

/** One database and what it must hold. */
interface Match {
  readonly options: Drill.Options
  readonly tally: Drill.Tally
  readonly place: Place.Place
  readonly history: History.History
  readonly contents: Contents
}

const drill = Effect.fnUntraced(function* (options: Drill.Options, tally: Drill.Tally) {
  const place = yield* yield* Place.maker(options.store, options.keepsFailures)
  const history = History.make({ seed: options.seed })
  const match: Match = { options, tally, place, history, contents: new Contents(history) }
  const nextWriter = yield* WriterProcess.pool
  let isFlushed = true
  for (let round = 1; round <= options.rounds; round++) {
    const owner = engines[round % 2] ?? OurEngine.engine
    const dice = Dice.make(options.seed, round, 2)
    const tuning = tuningOf(owner, isFlushed, dice)
    const isKilled = dice.chance(0.35)
    isFlushed = !isKilled && dice.chance(0.6)
    const how = `round ${round}: ${owner.name}, ${isKilled ? "killed" : "closed"}, ${describe(tuning)}`
    yield* options.report(how)
    const acknowledged = yield* (
      isKilled
        ? killedOwner(match, owner, tuning, dice, nextWriter)
        : closingOwner(match, owner, tuning, dice, isFlushed)
    ).pipe(Drill.inside(how))
    yield* Drill.inside(`after ${how}`)(judge(match, acknowledged, isKilled))
    tally.add(`rounds of ${owner.name}, ${isKilled ? "killed" : "closed"}`)
    if (tuning.isCompacting) tally.add("rounds with a compactor")
  }
  tally.add("batches written and found", match.contents.sequence)
})

/**
 * An owner's tuning.
 *
 * The official engine of this version loses rows when it replays more than one memtable's worth of the WAL: its
 * manifest then covers WAL objects whose rows are in memory only. So its memtables are large, unless nothing is
 * left to be replayed.
 */
const tuningOf = (owner: Engine.Engine, isFlushed: boolean, dice: Dice.Dice): Engine.Tuning => {
  const tuning = { ...Engine.anyTuning(dice), isCompacting: dice.chance(0.5) }
  return owner.name === "official" && !isFlushed ? { ...tuning, l0SstSizeBytes: 64 * 1024 ** 2 } : tuning
}

/** Both engines' readers, and the check. What was acknowledged must be there; after a clean close, nothing else. */
const judge = Effect.fnUntraced(function* (match: Match, acknowledged: number, isKilled: boolean) {
  const { contents, history, place, tally } = match
  const last = yield* Effect.scoped(Effect.flatMap(OurEngine.engine.reader(place), (reader) => reader.lastSequence))
  if (last < acknowledged || (last > acknowledged && !isKilled)) {
    return yield* Drill.fail(`the last sequence is ${last}, acknowledged was ${acknowledged}`)
  }
  contents.advance(last)
  yield* Drill.expectNothing(yield* Referee.compareReaders(engines, place, history, contents))
  yield* Drill.expectNothing(yield* Referee.check(place))
  tally.add("comparisons with the model", engines.length)
  tally.add("unacknowledged batches found after kills", last - acknowledged)
})

/** An owner in this process; answers with the sequence number it ended at. */
const closingOwner = (match: Match, owner: Engine.Engine, tuning: Engine.Tuning, dice: Dice.Dice, isFlushed: boolean) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { contents, history, place, tally } = match
      const session = yield* owner.open(place, tuning)
      yield* Drill.expectNothing(yield* Referee.compare(owner, session, history, contents))
      const end = contents.sequence + 10 + dice.below(60)
      for (let sequence = contents.sequence + 1; sequence <= end; sequence++) {
        yield* session.write(history.batch(sequence), { awaitDurable: dice.chance(0.2) })
        if (dice.chance(0.05)) yield* session.flush(dice.pick(["wal", "memtable"]))
      }
      yield* session.flush(isFlushed ? "memtable" : "wal")
      if (tuning.isCompacting) yield* Effect.sleep("150 millis")
      contents.advance(end)
      yield* Drill.expectNothing(yield* Referee.compare(owner, session, history, contents))
      tally.add("comparisons with the model", 2)
      yield* session.close
      return end
    })
  )

/** An owner in another process; answers with what it acknowledged before it was killed. */
const killedOwner = Effect.fnUntraced(function* (
  match: Match,
  owner: Engine.Engine,
  tuning: Engine.Tuning,
  dice: Dice.Dice,
  nextWriter: WriterProcess.Pool
) {
  const writer = yield* nextWriter
  yield* writer.begin({
    engine: owner.name,
    place: match.place,
    tuning,
    seed: match.options.seed,
    from: match.contents.sequence + 1,
    inFlightMax: owner.name === "ours" ? 8 : 1,
    awaitedOfTen: 5
  })
  yield* writer.saw("open")
  yield* Effect.sleep(dice.below(300))
  yield* writer.signal("SIGKILL")
  yield* writer.ended
  yield* Drill.expectNothing(writer.lines().filter((line) => line.startsWith("refused")))
  return Math.max(...writer.acknowledged(), match.contents.sequence)
})

const describe = ({
  blockSizeBytes,
  compression,
  isCompacting,
  l0SstSizeBytes,
  minFilterKeys
}: Engine.Tuning): string =>
  `compression=${compression} block=${blockSizeBytes} l0=${l0SstSizeBytes} minFilterKeys=${minFilterKeys}` +
  (isCompacting ? " compacting" : "")
