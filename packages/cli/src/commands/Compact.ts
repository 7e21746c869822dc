/**
 * `slate compact`: merges everything, or what is named, into one run, by itself or by asking the compactor.
 */
import * as Admin from "@effect-slatedb/core/Admin"
import * as CompactionPolicy from "@effect-slatedb/core/CompactionPolicy"
import * as Compactor from "@effect-slatedb/core/Compactor"
import * as Effect from "effect/Effect"
import { Command, Flag } from "effect/cli"
import * as CompactionChoice from "../CompactionChoice.ts"
import * as CompactionText from "../CompactionText.ts"
import * as CompactorWatch from "../CompactorWatch.ts"
import * as JsonOutput from "../JsonOutput.ts"
import * as Problem from "../Problem.ts"
import * as Screen from "../Screen.ts"
import * as Target from "../Target.ts"

/** Merges what is named. Jobs that were left by others are finished first. */
export const compact = Command.make(
  "compact",
  {
    full: Flag.Boolean("full").pipe(
      Flag.withDefault(false),
      Flag.withDescription("All of level 0 and all runs; the default where no source is named")
    ),
    l0: Flag.String("l0").pipe(
      Flag.withMetavar("ID"),
      Flag.withDescription("A table of level 0; may be repeated. They must be the oldest"),
      Flag.atLeast(0)
    ),
    runs: Flag.Int("run").pipe(
      Flag.withMetavar("ID"),
      Flag.withDescription("A run; may be repeated. They must be neighbours"),
      Flag.atLeast(0)
    ),
    submit: Flag.Boolean("submit").pipe(
      Flag.withDefault(false),
      Flag.withDescription("Leave it to the running compactor, and print the id of the job")
    )
  },
  Effect.fnUntraced(function* ({ full, l0, runs, ...flags }) {
    if (full && l0.length + runs.length > 0) {
      return yield* Problem.usage("--full takes everything", "leave out --full, or --l0 and --run")
    }
    yield* Target.withStore(flags.submit ? ask({ l0, runs }) : carryOut({ l0, runs }))
  }, Problem.catchAll)
).pipe(
  Command.withDescription("Merge everything, or what is named, into one run; a running compactor stops, see --submit"),
  Command.withExamples([
    { command: "slate compact", description: "Everything into one run" },
    { command: "slate compact --run 4 --run 3", description: "Two runs into one" },
    { command: "slate compact --submit", description: "Have the database's own compactor do it" }
  ])
)

const ask = Effect.fnUntraced(function* (named: CompactionChoice.Named) {
  const { path } = yield* Target.location
  const plan = yield* planNow(named, path)
  const id = yield* submit(path, plan)
  if (id === undefined) return yield* nothing({ id: null, plan: null })
  yield* JsonOutput.write({ id, plan }, () => Screen.lines(id))
})

const planNow = Effect.fnUntraced(function* (named: CompactionChoice.Named, path: string) {
  const admin = yield* Admin.make({ path })
  const { manifest } = yield* admin.manifest()
  return yield* Effect.fromResult(CompactionChoice.planOf(named, manifest))
})

const submit = (path: string, plan: Compactor.CompactionPlan | undefined) =>
  plan === undefined ? Effect.undefined : Compactor.submit({ path, plan })

/**
 * Takes the role of compactor, with no policy: what is asked for is done, and before that what others left. When one of
 * them left just that, it is all: what was stopped half-way is not done twice.
 */
const carryOut = Effect.fnUntraced(function* (named: CompactionChoice.Named) {
  const { path } = yield* Target.location
  const left = (yield* Compactor.list({ path })).filter(CompactionText.isActive)
  const asked = yield* planNow(named, path)
  if (asked === undefined && left.length === 0) return yield* nothing({ plan: null, completed: 0, bytesCompacted: 0 })
  const isLeft = left.some((job) => CompactionChoice.isSame(CompactionText.mergeOf(job), asked))
  // What is refused is so before anybody was stopped for it.
  if (left.length === 0) yield* submit(path, asked)
  yield* Target.asCompactor(
    CompactionPolicy.none,
    Effect.fnUntraced(function* (compactor) {
      const finish = CompactorWatch.during(compactor, path, compactor.untilIdle)
      for (const job of left) yield* Screen.note(goingOn(job))
      yield* finish
      const next = left.length === 0 || isLeft ? undefined : yield* planNow(named, path)
      if (next !== undefined) yield* Effect.andThen(submit(path, next), finish)
      const { bytesCompacted, completed } = yield* compactor.status
      yield* JsonOutput.write({ plan: next ?? asked ?? null, completed, bytesCompacted }, () =>
        Screen.lines(`compacted: ${CompactionText.sum({ bytesCompacted, completed })}`)
      )
    })
  )
})

const goingOn = (job: Compactor.Compaction): string => {
  const there = job.outputs.length === 0 ? "" : `, of which ${CompactionText.outputs(job)} are there`
  return `going on with ${job.id}: ${CompactionText.merge(CompactionText.mergeOf(job))}${there}`
}

const nothing = (data: unknown) =>
  JsonOutput.write(data, () => Screen.note("nothing to compact: there is no more than one run"))
