/**
 * The program of a `RoleProcess`: reads one line, its assignment, and works until it is
 * killed. All that it prints beside the lines that `RoleProcess` names is a complaint:
 * `failed ...` and `wrong ...`.
 */
import * as Compactor from "@effect-slatedb/core/Compactor"
import * as GarbageCollector from "@effect-slatedb/core/GarbageCollector"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import { createInterface } from "node:readline"
import { Follower } from "../Follower.ts"
import * as History from "../History.ts"
import * as OurEngine from "../OurEngine.ts"
import * as Place from "../Place.ts"
import { type Assignment, AssignmentLine } from "../RoleProcess.ts"

const say = (line: string) => Effect.sync(() => void process.stdout.write(`${line}\n`))

/** Says by how much a count has grown, again and again. */
const sayGrowth = Effect.fnUntraced(function* <E>(word: string, count: Effect.Effect<number, E>) {
  let said = 0
  for (;;) {
    const now = yield* count
    if (now > said) yield* say(`${word} ${now - said}`)
    said = now
    yield* Effect.sleep("10 millis")
  }
})

const compact = Effect.fnUntraced(function* ({ place }: Assignment) {
  const context = yield* Layer.build(OurEngine.environment(place))
  const compactor = yield* Effect.provide(Compactor.make({ path: Place.path, settings: OurEngine.compacting }), context)
  yield* say("open")
  const completed = Effect.flatMap(compactor.status, ({ completed, failed, warnings }) =>
    failed > 0 || warnings.length > 0
      ? Effect.die(new Error(`${failed} compactions failed; ${warnings.join("; ")}`))
      : Effect.succeed(completed)
  )
  return yield* Effect.raceFirst(compactor.closed, sayGrowth("compacted", completed))
})

const collect = Effect.fnUntraced(function* (assignment: Assignment & { readonly _tag: "Collector" }) {
  const { intervalMillis, leaseMillis, minAgeMillis, place } = assignment
  const context = yield* Layer.build(OurEngine.environment(place))
  const collector = yield* Effect.provide(
    GarbageCollector.make({ path: Place.path, minAge: minAgeMillis, leaseDuration: leaseMillis }),
    context
  )
  yield* say("open")
  for (;;) {
    const { objects } = yield* collector.collect()
    if (objects.length > 0) yield* say(`collected ${objects.length}`)
    yield* Effect.sleep(intervalMillis)
  }
})

const follow = Effect.fnUntraced(function* (assignment: Assignment & { readonly _tag: "Follower" }) {
  const { engine } = yield* Effect.promise(() => import("../OfficialEngine.ts"))
  const reader = yield* engine.reader(assignment.place)
  yield* say("open")
  const follower = new Follower(History.make({ seed: assignment.seed }), engine)
  for (;;) {
    const seen = yield* follower.look(reader)
    yield* say(seen._tag === "Right" ? `saw ${seen.sequence}` : `wrong ${seen.detail}`)
    yield* Effect.sleep("20 millis")
  }
})

const work = (assignment: Assignment) => {
  switch (assignment._tag) {
    case "Compactor":
      return compact(assignment)
    case "Collector":
      return collect(assignment)
    case "Follower":
      return follow(assignment)
  }
}

const firstLine = Effect.promise(async () =>
  String((await createInterface({ input: process.stdin })[Symbol.asyncIterator]().next()).value)
)

const main = Effect.gen(function* () {
  yield* say("ready")
  return yield* work(yield* Schema.decodeEffect(AssignmentLine)(yield* firstLine))
}).pipe(
  Effect.catchCause((cause) => say(`failed ${String(Cause.squash(cause)).replaceAll("\n", " ")}`)),
  Effect.scoped
)

// Standard output is for the lines above: no logger.
await Effect.runPromise(Effect.provide(main, Logger.layer([])))
process.exit(0)
