/**
 * Both engines own one database in turn, and compact it in turn.
 *
 *     round   writer     compactor
 *     -----   --------   ------------------------------
 *       1     official   its own
 *       2     ours       a standalone one of ours
 *       3     ours       its own
 *       4     official   a standalone one of ours
 *
 * The official binding has no compactor to be had alone, so it compacts only what its
 * own writer writes. In each round half of the batches are written; then a view is
 * held, a snapshot of the official engine or a reader of ours that is not refreshed, and
 * the other half comes. When compaction has settled the view must show what it did at
 * first, session and readers of both engines the contents of the model, and the check
 * of the whole database nothing. The next round finds what this one compacted.
 */
import * as Admin from "@effect-slatedb/core/Admin"
import * as Compactor from "@effect-slatedb/core/Compactor"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Contents, type Entry } from "../interop/Contents.ts"
import * as Dice from "../interop/Dice.ts"
import * as Engine from "../interop/Engine.ts"
import * as History from "../interop/History.ts"
import * as OfficialEngine from "../interop/OfficialEngine.ts"
import * as OurEngine from "../interop/OurEngine.ts"
import * as Place from "../interop/Place.ts"
import * as Referee from "../interop/Referee.ts"
import * as Drill from "./Drill.ts"

const engines = [OurEngine.engine, OfficialEngine.engine] as const

interface Turn {
  readonly writer: Engine.Engine
  readonly compactor: "its own" | "ours, standalone"
}

const turns: ReadonlyArray<Turn> = [
  { writer: OfficialEngine.engine, compactor: "its own" },
  { writer: OurEngine.engine, compactor: "ours, standalone" },
  { writer: OurEngine.engine, compactor: "its own" },
  { writer: OfficialEngine.engine, compactor: "ours, standalone" }
]

/** So many tables of level 0 at least are there to be compacted in each round. */
const flushes = 6
const batchesPerFlush = 8

export const run = (options: Drill.Options): Effect.Effect<Drill.Outcome> =>
  Drill.run((tally) => Effect.scoped(drill(options, tally)))

interface Match {
  readonly tally: Drill.Tally
  readonly place: Place.Place
  readonly admin: Admin.Admin
  readonly history: History.History
  readonly contents: Contents
}

const drill = Effect.fnUntraced(function* (options: Drill.Options, tally: Drill.Tally) {
  const place = yield* yield* Place.maker(options.store, options.keepsFailures)
  const history = History.make({ seed: options.seed })
  const context = yield* Layer.build(OurEngine.environment(place))
  const admin = yield* Effect.provide(Admin.make({ path: Place.path }), context)
  const match: Match = { tally, place, admin, history, contents: new Contents(history) }
  for (let round = 1; round <= options.rounds; round++) {
    const turn = turns[(round - 1) % turns.length] as Turn
    const dice = Dice.make(options.seed, round, 8)
    const tuning = { ...Engine.anyTuning(dice), isCompacting: turn.compactor === "its own" }
    const how = `round ${round}: ${turn.writer.name}, compactor ${turn.compactor}, compression=${tuning.compression} block=${tuning.blockSizeBytes}`
    yield* options.report(how)
    yield* Drill.inside(how)(Effect.scoped(owned(match, turn, tuning, dice)))
    yield* Drill.sabotaged(options, place)
    yield* Drill.inside(`after ${how}`)(judged(match))
    tally.add(`rounds of ${turn.writer.name}, compactor ${turn.compactor}`)
  }
  tally.add("batches written and found", match.contents.sequence)
})

const owned = Effect.fnUntraced(function* (match: Match, turn: Turn, tuning: Engine.Tuning, dice: Dice.Dice) {
  const { contents, history, place, tally } = match
  const { compactor, writer } = turn
  const before = new Set(yield* runTables(match))
  // Everything is flushed, so the official engine has nothing to replay into more than one memtable.
  const session = yield* writer.open(place, tuning)
  yield* Drill.expectNothing(yield* Referee.compare(writer, session, history, contents))
  const idle = compactor === "its own" ? looksIdle(match) : yield* standalone(place, tuning)
  yield* writeTables(match, session, dice)
  const held = yield* hold(match, writer, session)
  yield* writeTables(match, session, dice)
  yield* idle
  const wrong = yield* held
  yield* Drill.expectNothing(wrong)
  yield* Drill.expectNothing(yield* Referee.compare(writer, session, history, contents))
  yield* session.close
  const compacted = (yield* runTables(match)).filter((id) => !before.has(id))
  tally.add("comparisons with the model", 3)
  tally.add(`tables compacted by ${compactor === "its own" ? `${writer.name}, embedded` : compactor}`, compacted.length)
  if (compacted.length === 0) return yield* Drill.fail("nothing was compacted")
})

/** Writes batches into several tables of level 0. */
const writeTables = Effect.fnUntraced(function* (
  { contents, history }: Match,
  session: Engine.Session,
  dice: Dice.Dice
) {
  for (let flush = 1; flush <= flushes / 2; flush++) {
    const end = contents.sequence + batchesPerFlush
    for (let sequence = contents.sequence + 1; sequence <= end; sequence++) {
      yield* session.write(history.batch(sequence), { awaitDurable: sequence === end || dice.chance(0.2) })
    }
    contents.advance(end)
    yield* session.flush("memtable")
  }
})

/** Holds what is there; answers with how to find out what it shows of that later. */
const hold = Effect.fnUntraced(function* (
  { contents, history, place }: Match,
  writer: Engine.Engine,
  session: Engine.Session
) {
  const then = new Contents(history)
  then.advance(contents.sequence)
  const difference = (scanned: ReadonlyArray<Entry>) => {
    const values = new Map(scanned.map(({ key, value }) => [Buffer.from(key).toString("latin1"), value]))
    const looked = history.keys.map((key) => values.get(Buffer.from(key).toString("latin1")))
    const what = then.difference({ scanned, looked, mayShowExpired: writer.showsExpired })
    return what === undefined ? [] : [`a view of ${writer.name}, held at ${then.sequence}: ${what}`]
  }
  // A scan of ours would be over before compaction begins: its first chunk is everything.
  if (writer.name === "official") return Effect.map(Stream.runCollect(yield* session.hold), difference)
  const reader = yield* writer.reader(place)
  return Effect.map(reader.scan("ascending"), difference)
})

/** A compactor of ours beside the writer; answers with how to wait for it. */
const standalone = Effect.fnUntraced(function* (place: Place.Place, tuning: Engine.Tuning) {
  const context = yield* Layer.build(OurEngine.environment(place))
  const { blockSizeBytes, compression, minFilterKeys } = tuning
  const compactor = yield* Effect.provide(
    Compactor.make({
      path: Place.path,
      settings: { ...OurEngine.compacting, blockSizeBytes, compression, minFilterKeys }
    }),
    context
  )
  return compactor.untilIdle
})

/** An embedded compactor seen from outside: idle when few tables are left of level 0, and the manifest stands still. */
const looksIdle = Effect.fnUntraced(function* ({ admin }: Match) {
  let { id } = yield* admin.manifest()
  for (let looks = 1; looks <= looksMax; looks++) {
    yield* Effect.sleep("150 millis")
    const found = yield* admin.manifest()
    if (found.id === id && found.manifest.l0.length < 2) return
    id = found.id
  }
  return yield* Drill.fail(`compaction did not settle: manifest=${id}`)
})

const looksMax = 100

const judged = Effect.fnUntraced(function* ({ contents, history, place, tally }: Match) {
  yield* Drill.expectNothing(yield* Referee.compareReaders(engines, place, history, contents))
  yield* Drill.expectNothing(yield* Referee.check(place))
  tally.add("comparisons with the model", engines.length)
})

/** Tables of sorted runs; none while there is no database. */
const runTables = Effect.fnUntraced(function* ({
  admin
}: Match): Effect.fn.Return<ReadonlyArray<string>, unknown, Scope.Scope> {
  if ((yield* admin.manifestIds).length === 0) return []
  const { manifest } = yield* admin.manifest()
  return manifest.runs.flatMap((run) => run.tables.map(({ id }) => id))
})
