/**
 * `slate gc`: deletes what nobody needs any more; for ever, once, or not at all.
 */
import * as GarbageCollector from "@effect-slatedb/core/GarbageCollector"
import * as Settings from "@effect-slatedb/core/Settings"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { Command, Flag } from "effect/cli"
import * as DurationFlag from "../DurationFlag.ts"
import * as Figures from "../Figures.ts"
import * as GlobalFlags from "../GlobalFlags.ts"
import * as JsonOutput from "../JsonOutput.ts"
import * as Problem from "../Problem.ts"
import * as Screen from "../Screen.ts"
import * as Target from "../Target.ts"
import * as TextTable from "../TextTable.ts"

/** Deletes the database's garbage until it is stopped, or once. */
export const gc = Command.make(
  "gc",
  {
    once: Flag.Boolean("once").pipe(
      Flag.withDescription("One pass, instead of one after another until Ctrl-C"),
      Flag.withDefault(false)
    ),
    every: DurationFlag.make("every", "Time between two passes; default: collectorInterval of the settings"),
    minAge: DurationFlag.make("min-age", "Spare what is younger; default: collectorMinAge of the settings"),
    kind: Flag.Literals("kind", GarbageCollector.kinds).pipe(
      Flag.withDescription(
        "Only this kind; may be repeated. Default: all but fence, which only our own writers can miss"
      ),
      Flag.atLeast(0)
    ),
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withDescription("Say what would be deleted, and why, and delete nothing"),
      Flag.withDefault(false)
    ),
    json: Flag.Boolean("json").pipe(Flag.withDescription("The same as --format json"), Flag.withDefault(false))
  },
  Effect.fnUntraced(function* ({ dryRun, every, json, kind, minAge, once }) {
    if (once && every._tag === "Some") return yield* Problem.usage("--once and --every exclude each other")
    const given = {
      every: yield* DurationFlag.parse("every", every),
      minAge: yield* DurationFlag.parse("min-age", minAge)
    }
    const { collectorInterval, collectorMinAge, leaseDuration } = yield* configured
    const { path } = yield* Target.location
    const collecting = Effect.gen(function* () {
      const collector = yield* GarbageCollector.make({
        path,
        leaseDuration,
        minAge: given.minAge ?? collectorMinAge,
        kinds: kind.length === 0 ? undefined : kind
      })
      const pass = Effect.flatMap(collector.collect({ dryRun }), (report) => show(report, dryRun))
      if (once) return yield* pass
      yield* pass.pipe(
        // A store that does not answer now may do so later.
        Effect.catchReason("DbError", "Unavailable", (reason) =>
          Screen.note(`slate: ${Problem.from(reason).message} The next pass will come.`)
        ),
        Effect.repeat(Schedule.spaced(given.every ?? collectorInterval))
      )
    })
    yield* Target.withStore(json ? Effect.provideService(collecting, GlobalFlags.Output, "json") : collecting)
  }, Problem.catchAll)
).pipe(
  Command.withDescription("Delete what nobody needs any more"),
  Command.withExamples([
    { command: "slate gc --once --dry-run", description: "See what there is to delete" },
    { command: "slate gc --every 10m", description: "Collect until stopped" }
  ])
)

/** The settings of the file and the environment; the collector inside a writer is not meant, so it may be off there. */
const configured = Effect.flatMap(Target.settings, (given) =>
  Effect.fromResult(Settings.fromInput({ ...given, collectorEnabled: false }))
)

const show = Effect.fnUntraced(function* (report: GarbageCollector.Report, isDryRun: boolean) {
  const { checkpoints, objects } = report
  const bytes = objects.reduce((sum, object) => sum + object.bytes, 0)
  const rows = objects.map(({ bytes, kind, path, why }) => [kind, Figures.bytes(bytes), path, why])
  const titles = [{ title: "kind" }, { title: "bytes", align: "right" as const }, { title: "object" }, { title: "why" }]
  const done = isDryRun ? "would delete" : "deleted"
  const expired = checkpoints.length === 0 ? "" : `, and ${Figures.counted(checkpoints.length, "expired checkpoint")}`
  yield* JsonOutput.write({ isDryRun, bytes, ...report }, () =>
    Screen.lines(
      ...(rows.length === 0 ? [] : TextTable.render(titles, rows, Infinity)),
      `${done} ${Figures.counted(objects.length, "object")}, ${Figures.bytes(bytes)}${expired}`
    )
  )
})
