/**
 * Three processes work on one database, and are killed at random moments, each in its
 * own time: the writer, a compactor, a collector. A reader of the official engine
 * follows in a fourth.
 *
 *     writer     ──╳ ─────╳ ──────╳        killed, its acknowledgements held against
 *     compactor  ────╳ ──╳ ─────╳          what is there, and started again
 *     collector  ───────╳ ───╳ ──╳
 *     follower   ───────────────────────   never killed
 *                 a round        │ judged
 *
 * When a round is over all three are dead. Then the follower must catch up, readers of
 * both engines must show the contents of the model, and the check of the whole
 * database must find nothing; every few rounds `slate verify` says so, too. What
 * compactions took away is let go then, so that the collectors of the next round have
 * something to do.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Contents } from "../interop/Contents.ts"
import * as Dice from "../interop/Dice.ts"
import * as Engine from "../interop/Engine.ts"
import * as History from "../interop/History.ts"
import type * as LineProcess from "../interop/LineProcess.ts"
import * as OfficialEngine from "../interop/OfficialEngine.ts"
import * as OurEngine from "../interop/OurEngine.ts"
import * as Place from "../interop/Place.ts"
import * as Referee from "../interop/Referee.ts"
import * as RoleProcess from "../interop/RoleProcess.ts"
import * as WriterProcess from "../interop/WriterProcess.ts"
import * as Collecting from "./Collecting.ts"
import * as Drill from "./Drill.ts"
import * as SlateVerify from "./SlateVerify.ts"

export const processes = ["writer", "compactor", "gc"] as const
export type Process = (typeof processes)[number]

export interface Options extends Drill.Options {
  /** Those that are killed during a round; the others live until its end. Default: all. */
  readonly processes?: ReadonlyArray<Process> | undefined
  /** The lease of the writer; the least age of what is collected is three of it. Default 2 s. */
  readonly leaseMillis?: number | undefined
}

const engines = [OurEngine.engine, OfficialEngine.engine] as const
const roundMillis = 5000
/** The longest that a process works before it is killed. */
const lifeMillisMax = 1500
/** What is left of a round when somebody is late. */
const lifeMillisMin = 300
const roundsPerVerify = 5
/** A run of so many rounds must have had work for everybody. */
const roundsThatMustWork = 20

/** Small tables, and often. */
const tuning: Engine.Tuning = { ...Engine.tuning, l0SstSizeBytes: 20_000 }

export const run = (options: Options): Effect.Effect<Drill.Outcome> =>
  Drill.run((tally) => Effect.scoped(drill(options, tally)))

interface Match {
  readonly options: Options
  readonly tally: Drill.Tally
  readonly place: Place.Place
  readonly ages: Collecting.Ages
  readonly history: History.History
  readonly contents: Contents
  readonly follower: RoleProcess.RoleProcess
  readonly nextWriter: WriterProcess.Pool
  readonly nextCompactor: RoleProcess.Pool
  readonly nextCollector: RoleProcess.Pool
}

const drill = Effect.fnUntraced(function* (options: Options, tally: Drill.Tally) {
  const { leaseMillis = 2000, seed } = options
  const place = yield* yield* Place.maker(options.store, options.keepsFailures)
  const history = History.make({ seed })
  // Compactors, collectors and readers do not create a database.
  yield* Effect.scoped(Effect.flatMap(OurEngine.engine.open(place, tuning), (session) => session.close))
  const follower = yield* RoleProcess.make
  yield* follower.begin({ _tag: "Follower", place, seed })
  yield* follower.saw("open")
  const match: Match = {
    options,
    tally,
    place,
    ages: { leaseMillis, minAgeMillis: 3 * leaseMillis },
    history,
    contents: new Contents(history),
    follower,
    nextWriter: yield* WriterProcess.pool,
    nextCompactor: yield* RoleProcess.pool,
    nextCollector: yield* RoleProcess.pool
  }
  for (let number = 1; number <= options.rounds; number++) {
    const where = `round ${number}`
    yield* Drill.inside(where)(round(match, number))
    yield* Drill.inside(`after ${where}`)(judge(match, number))
    if (number % 10 === 0 || number === options.rounds) yield* options.report(`${number} of ${options.rounds}`)
  }
  tally.add("looks of the official reader", RoleProcess.numbers(follower.lines(), "saw").length)
  tally.add("batches written and found", match.contents.sequence)
  yield* Drill.expectNothing(idle(tally.figures, options.rounds))
})

/** What a run of many rounds should have done, and did not: one that had nothing to do shows nothing. */
export const idle = (figures: Drill.Outcome["figures"], rounds: number): ReadonlyArray<string> =>
  rounds < roundsThatMustWork
    ? []
    : ["compactions finished", "objects collected", "batches acknowledged"]
        .filter((what) => (figures[what] ?? 0) === 0)
        .map((what) => `in ${rounds} rounds: no ${what}`)

/** All three live and die, until the time is over. */
const round = Effect.fnUntraced(function* (match: Match, number: number) {
  const { ages, nextCollector, nextCompactor, options, place, tally } = match
  const end = (yield* Clock.currentTimeMillis) + roundMillis
  const lives = (index: number, name: Process, life: (kill: Kill) => Effect.Effect<void, unknown, Scope.Scope>) =>
    livesUntil(end, Dice.make(options.seed, number, 7, index), isKilled(options, name), life)
  yield* Effect.all(
    [
      lives(0, "writer", (kill) => writerLife(match, kill)),
      lives(1, "compactor", (kill) => roleLife(tally, "compactor", nextCompactor, { _tag: "Compactor", place }, kill)),
      lives(2, "gc", (kill) =>
        roleLife(tally, "gc", nextCollector, { _tag: "Collector", place, ...ages, intervalMillis: 100 }, kill)
      )
    ],
    { concurrency: "unbounded", discard: true }
  )
})

const isKilled = ({ processes: killed = processes }: Options, name: Process): boolean => killed.includes(name)

/** Ends a life. */
type Kill = (process: LineProcess.LineProcess) => Effect.Effect<void, unknown>

/** One life after another. At the end nobody is left. */
const livesUntil = Effect.fnUntraced(function* (
  end: number,
  dice: Dice.Dice,
  isKilledMeanwhile: boolean,
  life: (kill: Kill) => Effect.Effect<void, unknown, Scope.Scope>
) {
  for (let now = yield* Clock.currentTimeMillis; now < end; now = yield* Clock.currentTimeMillis) {
    const isKilledOpening = isKilledMeanwhile && dice.chance(0.3)
    const millis = isKilledMeanwhile ? dice.below(lifeMillisMax) : roundMillis
    const kill: Kill = Effect.fnUntraced(function* (process) {
      // However busy the machine is: who is to be killed at work gets there.
      if (!isKilledOpening) yield* process.saw("open")
      yield* Effect.sleep(Math.min(millis, Math.max(lifeMillisMin, end - (yield* Clock.currentTimeMillis))))
      yield* process.signal("SIGKILL")
      yield* process.ended
    })
    yield* Effect.scoped(life(kill))
  }
})

/** A writer goes on where the last one was cut off. All that it acknowledged must be there when it is dead. */
const writerLife = Effect.fnUntraced(function* (match: Match, kill: Kill) {
  const { ages, contents, nextWriter, options, place, tally } = match
  const writer = yield* nextWriter
  yield* writer.begin({
    engine: "ours",
    place,
    tuning,
    seed: options.seed,
    from: contents.sequence + 1,
    inFlightMax: 8,
    awaitedOfTen: 6,
    leaseMillis: ages.leaseMillis
  })
  yield* kill(writer)
  yield* Drill.expectNothing(writer.lines().filter((line) => line.startsWith("refused")))
  const acknowledged = writer.acknowledged()
  yield* Drill.sabotaged(options, place)
  const found = yield* lastSequence(place)
  const expected = Math.max(contents.sequence, ...acknowledged)
  if (found < expected) return yield* Drill.fail(`lost: acknowledged sequence=${expected} found=${found}`)
  contents.advance(found)
  tally.add("kills of the writer")
  tally.add("batches acknowledged", acknowledged.length)
})

const lastSequence = (place: Place.Place) =>
  Effect.scoped(Effect.flatMap(OurEngine.engine.reader(place), (reader) => reader.lastSequence))

const roleLife = Effect.fnUntraced(function* (
  tally: Drill.Tally,
  name: "compactor" | "gc",
  next: RoleProcess.Pool,
  assignment: RoleProcess.Assignment,
  kill: Kill
) {
  const role = yield* next
  yield* role.begin(assignment)
  yield* kill(role)
  const lines = role.lines()
  yield* Drill.expectNothing(RoleProcess.complaints(lines).map((line) => `the ${name}: ${line}`))
  tally.add(`kills of the ${name}`)
  tally.add("compactions finished", RoleProcess.total(lines, "compacted"))
  tally.add("objects collected", RoleProcess.total(lines, "collected"))
})

/** Nobody works but the follower. */
const judge = Effect.fnUntraced(function* (match: Match, number: number) {
  const { contents, follower, history, options, place, tally } = match
  yield* caughtUp(follower, contents.sequence)
  yield* Drill.expectNothing(yield* Referee.compareReaders(engines, place, history, contents))
  yield* Drill.expectNothing(yield* Referee.check(place))
  if (place._tag === "File" && (number % roundsPerVerify === 0 || number === options.rounds)) {
    const code = yield* SlateVerify.exitCode(place.root)
    if (code !== 0) return yield* Drill.fail(`slate verify ended with ${code}`)
    tally.add("clean ends of slate verify")
  }
  tally.add("comparisons with the model", engines.length)
  tally.add("checkpoints of compactions let go", yield* Collecting.expireCheckpoints(place, 0))
})

/** The follower shows what is there, and complained about nothing so far. */
const caughtUp = Effect.fnUntraced(function* (follower: RoleProcess.RoleProcess, sequence: number) {
  const isThere = (lines: ReadonlyArray<string>) =>
    (RoleProcess.numbers(lines, "saw").at(-1) ?? -1) >= sequence || RoleProcess.complaints(lines).length > 0
  yield* follower.until(isThere).pipe(
    Effect.timeoutOrElse({
      duration: "20 seconds",
      orElse: () => {
        const last = RoleProcess.numbers(follower.lines(), "saw").at(-1)
        return Drill.fail(`the official reader does not catch up: it shows ${last}, and ${sequence} is there`)
      }
    })
  )
  yield* Drill.expectNothing(RoleProcess.complaints(follower.lines()).map((line) => `the official reader: ${line}`))
})
