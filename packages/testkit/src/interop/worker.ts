/**
 * The program of a writer's process: opens a database and writes the batches of a
 * history, one after another, until it is killed.
 *
 * It reads one line, its assignment, and prints lines: `ready`, `open`, and `ack N`
 * when batch N was acknowledged as durable. A printed line is in the pipe, so it
 * outlives the process. Where a write is refused it prints `refused N fenced` or
 * `refused N other`, goes on for a while, so that one sees whether anything is
 * acknowledged after that, and ends. If it is to be suspended it prints `held` when its
 * PUT stands still, and goes on when it is told `go`.
 */
import { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import { createInterface } from "node:readline"
import * as FaultyObjectStore from "../FaultyObjectStore.ts"
import * as Dice from "./Dice.ts"
import type { EngineError, Session } from "./Engine.ts"
import * as History from "./History.ts"
import * as OurEngine from "./OurEngine.ts"
import * as Place from "./Place.ts"
import { type Assignment, AssignmentLine } from "./WriterProcess.ts"

const refusalsMax = 20

const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const nextLine = Effect.promise(async () => String((await input.next()).value))

const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

/** The engine that is asked for, and what goes on beside its writes. */
const engineOf = Effect.fnUntraced(function* ({ engine, leaseMillis, place, suspension }: Assignment) {
  if (engine === "official") {
    const { engine } = yield* Effect.promise(() => import("./OfficialEngine.ts"))
    return { engine, beside: Effect.void }
  }
  const lease = leaseMillis === undefined ? {} : { leaseDuration: leaseMillis }
  if (suspension === undefined) return { engine: OurEngine.make({ settings: lease }), beside: Effect.void }
  const { afterMillis, at } = suspension
  const faults = yield* FaultyObjectStore.make(Context.get(yield* Layer.build(Place.layer(place)), ObjectStore))
  const holdAPut = Effect.gen(function* () {
    yield* Effect.sleep(afterMillis)
    const gate = yield* faults.hold({ operation: "putIfAbsent", path: "wal/", at })
    yield* gate.reached()
    say("held")
    yield* nextLine
    yield* faults.clear
  })
  const engineHere = OurEngine.make({
    settings: { ...lease, manifestPollInterval: "1 hour" },
    store: Layer.succeed(ObjectStore, faults.store)
  })
  return { engine: engineHere, beside: holdAPut }
})

const writeForEver = Effect.fnUntraced(function* (session: Session, assignment: Assignment) {
  const history = History.make({ seed: assignment.seed })
  const permits = yield* Semaphore.make(assignment.inFlightMax)
  const refusals: Array<EngineError> = []
  const refused = (sequence: number) => (error: EngineError) => {
    say(`refused ${sequence} ${error.isFenced ? "fenced" : `other ${error.message}`}`)
    refusals.push(error)
    return Effect.sleep("10 millis")
  }
  for (let sequence = assignment.from; refusals.length < refusalsMax; sequence++) {
    const dice = Dice.make(assignment.seed, sequence, 1)
    const awaitDurable = dice.below(10) < assignment.awaitedOfTen
    const write = session.write(history.batch(sequence), { awaitDurable }).pipe(
      Effect.tap(() => Effect.sync(() => awaitDurable && say(`ack ${sequence}`))),
      Effect.catch(refused(sequence)),
      Effect.ensuring(permits.release(1))
    )
    yield* permits.take(1)
    // Started at once: the order of the writes is the order of the history.
    yield* Effect.forkChild(write, { startImmediately: true })
    if (dice.below(60) === 0) yield* Effect.forkChild(Effect.ignore(session.flush("memtable")))
  }
})

const main = Effect.gen(function* () {
  say("ready")
  const assignment = yield* Schema.decodeEffect(AssignmentLine)(yield* nextLine)
  const { beside, engine } = yield* engineOf(assignment)
  const session = yield* engine.open(assignment.place, assignment.tuning)
  say("open")
  yield* Effect.forkChild(beside)
  yield* writeForEver(session, assignment)
})

// Standard output is for the lines above: no logger.
await Effect.runPromise(main.pipe(Effect.scoped, Effect.provide(Logger.layer([]))))
process.exit(0)
