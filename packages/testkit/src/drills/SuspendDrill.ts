/**
 * A writer is suspended in the middle of a PUT, and wakes up in a world that has gone
 * on without it.
 *
 *     writer:     ... PUT wal 7 ──SIGSTOP────────────────────────────────SIGCONT── lands? acknowledges?
 *     successor:                  opens, fences at 7 or 8, writes, flushes
 *     collector:                                                  deletes what is old and covered
 *
 * The fence that should have been in its way is gone, so the PUT lands. It must not be
 * acknowledged all the same: the lease has run out, and the manifest, read again, has
 * another owner. All that the writer says after it woke up must be refusals, for the
 * reason that it was fenced; what the successor wrote must be there, untouched.
 *
 * Each round has its own database. The PUT stops before the store has the object, or
 * before its answer is back; the successor is this engine or the official one.
 */
import * as Admin from "@effect-slatedb/core/Admin"
import { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
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

export interface Options extends Drill.Options {
  /** Default 300. One so long that it never runs out lets the drill fail, which a test makes sure of. */
  readonly leaseMillis?: number | undefined
}

/** The age at which the collector deletes: no less than three leases of a writer that keeps its promise. */
const ageMillisMin = 900

const engines = [OurEngine.engine, OfficialEngine.engine] as const

export const run = (options: Options): Effect.Effect<Drill.Outcome> =>
  Drill.run((tally) =>
    Effect.scoped(
      Effect.gen(function* () {
        const newPlace = yield* Place.maker(options.store, options.keepsFailures)
        const nextWriter = yield* WriterProcess.pool
        for (let number = 1; number <= options.rounds; number++) {
          const dice = Dice.make(options.seed, number, 5)
          const at = number % 2 === 1 ? "before" : "after"
          const successor = engines[Math.floor(number / 2) % 2] ?? OurEngine.engine
          const where = `round ${number}: suspended ${at} the store's answer, succeeded by ${successor.name}`
          yield* options.report(where)
          yield* Effect.scoped(
            Effect.gen(function* () {
              const place = yield* newPlace
              const writer = yield* nextWriter
              yield* round({ options, tally, place, dice, writer, at, successor })
            })
          ).pipe(Drill.inside(where))
          tally.add("writers suspended and continued")
        }
      })
    )
  )

interface Round {
  readonly options: Options
  readonly tally: Drill.Tally
  readonly place: Place.Place
  readonly dice: Dice.Dice
  readonly writer: WriterProcess.WriterProcess
  readonly at: "before" | "after"
  readonly successor: Engine.Engine
}

const round = Effect.fnUntraced(function* (round: Round) {
  const { dice, place, successor, tally, writer } = round
  const seed = dice.below(1e9)
  yield* suspend(round, seed)
  const before = writer.lines().length
  const acknowledged = Math.max(0, ...writer.acknowledged())
  yield* Effect.scoped(
    Effect.gen(function* () {
      const session = yield* successor.open(place, Engine.tuning)
      const found = yield* session.lastSequence
      if (found < acknowledged) return yield* Drill.fail(`lost: acknowledged sequence=${acknowledged} found=${found}`)
      // What the successor writes differs from what the suspended writer had in hand.
      const history = continued(History.make({ seed }), found, History.make({ seed: seed + 1 }))
      const contents = new Contents(history)
      const write = Effect.fnUntraced(function* (batches: number) {
        const end = contents.sequence + batches
        for (let next = contents.sequence + 1; next <= end; next++) {
          yield* session.write(history.batch(next), { awaitDurable: next === end })
        }
        contents.advance(end)
      })
      contents.advance(found)
      yield* write(3)
      yield* session.flush("memtable")
      tally.add("WAL objects collected", yield* collect(place))
      yield* writer.signal("SIGCONT")
      yield* write(3)
      yield* writer.ended
      yield* write(3)
      yield* Drill.expectNothing(yield* Referee.compare(successor, session, history, contents))
      yield* session.close
      yield* Drill.expectNothing(yield* Referee.compareReaders(engines, place, history, contents))
      yield* Drill.expectNothing(yield* Referee.check(place))
    })
  )
  const after = writer.lines().slice(before)
  yield* Drill.expectNothing(after.filter((line) => !/^refused \d+ fenced$/.test(line)))
  tally.add("acknowledged before", writer.acknowledged().length)
  tally.add("refused after", after.length)
  if (after.length === 0) return yield* Drill.fail("the writer was not heard of again")
})

/** Lets the writer write, and suspends it when a PUT of it stands still. It will go on when it can. */
const suspend = Effect.fnUntraced(function* ({ at, dice, options, place, writer }: Round, seed: number) {
  yield* writer.begin({
    engine: "ours",
    place,
    tuning: Engine.tuning,
    seed,
    from: 1,
    inFlightMax: 8,
    awaitedOfTen: 8,
    leaseMillis: options.leaseMillis ?? 300,
    suspension: { afterMillis: dice.below(200), at }
  })
  yield* writer.saw("held")
  yield* writer.signal("SIGSTOP")
  yield* writer.tell("go")
})

const continued = (first: History.History, last: number, then: History.History): History.History => ({
  keys: first.keys,
  batch: (sequence) => (sequence <= last ? first : then).batch(sequence)
})

/**
 * A collector's work on the WAL, once everything is old enough: objects below the one that the manifest covers last,
 * by their age in the store. Answers with how many it deleted.
 */
const collect = Effect.fnUntraced(function* (place: Place.Place) {
  yield* Effect.sleep(ageMillisMin + 200)
  const context = yield* Layer.build(OurEngine.environment(place))
  return yield* Effect.gen(function* () {
    const store = yield* ObjectStore
    const { manifest } = yield* (yield* Admin.make({ path: Place.path })).manifest()
    const now = yield* Clock.currentTimeMillis
    const listed = yield* Stream.runCollect(store.list({ prefix: `${Place.path}/wal/` }))
    const old = listed.filter(
      ({ lastModified, path }) =>
        Number(/(\d+)\.sst$/.exec(path)?.[1]) < manifest.replayAfterWalId && lastModified <= now - ageMillisMin
    )
    yield* Effect.forEach(old, ({ path }) => store.delete(path), { discard: true })
    return old.length
  }).pipe(Effect.provide(context))
})
