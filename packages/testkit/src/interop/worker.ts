/**
 * The program of a writer's process: opens a database and writes the batches of a
 * history, one after another, until it is killed.
 *
 * It reads one line, its assignment, and prints lines: `ready`, `open`, and `ack N`
 * when batch N was acknowledged as durable. A printed line is in the pipe, so it
 * outlives the process. Where a write is refused it prints `refused N fenced` or
 * `refused N other`, goes on for a while, so that one sees whether anything is
 * acknowledged after that, and ends. With `hold` it prints `held` when its PUT stands
 * still, and goes on when it is told `go`.
 */
import { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import { createInterface } from "node:readline"
import * as FaultyObjectStore from "../FaultyObjectStore.ts"
import * as Dice from "./Dice.ts"
import type { Engine, EngineError, Session } from "./Engine.ts"
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

/** The engine that is asked for, and what is to be done when it is open. */
const engineOf = Effect.fnUntraced(function* (assignment: Assignment) {
  const { engine, hold, leaseMillis, place } = assignment
  if (engine === "official") {
    const { engine } = yield* Effect.promise(() => import("./OfficialEngine.ts"))
    return { engine, afterOpen: Effect.void } satisfies { engine: Engine; afterOpen: Effect.Effect<void> }
  }
  const faults = yield* FaultyObjectStore.make(Context.get(yield* Layer.build(Place.layer(place)), ObjectStore))
  const engineHere = OurEngine.make({
    settings: leaseMillis === undefined ? {} : { leaseDuration: leaseMillis },
    store: Layer.succeed(ObjectStore, faults.store)
  })
  if (hold === undefined) return { engine: engineHere, afterOpen: Effect.void }
  const afterOpen = Effect.gen(function* () {
    const gate = yield* faults.hold({ operation: "putIfAbsent", path: "wal/", at: hold })
    const release = Effect.gen(function* () {
      yield* gate.reached()
      say("held")
      yield* nextLine
      yield* faults.clear
    })
    yield* Effect.forkChild(release)
  })
  return { engine: engineHere, afterOpen }
})

const writeForEver = Effect.fnUntraced(function* (session: Session, assignment: Assignment) {
  const history = History.make({ seed: assignment.seed })
  const permits = yield* Semaphore.make(assignment.inFlightMax)
  let refusals = 0
  const refused = (sequence: number) => (error: EngineError) => {
    say(`refused ${sequence} ${error.isFenced ? "fenced" : `other ${error.message}`}`)
    refusals++
    return Effect.sleep("10 millis")
  }
  for (let sequence = assignment.from; refusals < refusalsMax; sequence++) {
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
  const { afterOpen, engine } = yield* engineOf(assignment)
  const session = yield* engine.open(assignment.place, assignment.tuning)
  say("open")
  yield* afterOpen
  yield* writeForEver(session, assignment)
})

await Effect.runPromise(Effect.scoped(main))
process.exit(0)
