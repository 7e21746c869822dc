/**
 * `slate compactions`: lists the jobs that are active and the last one that ended, or shows one.
 */
import * as Compactor from "@effect-slatedb/core/Compactor"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Argument, Command } from "effect/cli"
import * as ByteText from "../ByteText.ts"
import * as CompactionText from "../CompactionText.ts"
import * as Figures from "../Figures.ts"
import * as GlobalFlags from "../GlobalFlags.ts"
import * as JsonOutput from "../JsonOutput.ts"
import * as Problem from "../Problem.ts"
import * as Screen from "../Screen.ts"
import * as Target from "../Target.ts"
import * as TextTable from "../TextTable.ts"

const jobs = Target.withStore(Effect.flatMap(Target.location, Compactor.list))

const list = Command.make(
  "list",
  {},
  Effect.fnUntraced(function* () {
    const found = yield* jobs
    const now = yield* Clock.currentTimeMillis
    yield* JsonOutput.write(
      found.map((job) => summary(job, now)),
      () =>
        found.length === 0
          ? Screen.note("no jobs: there is none, and there was none before")
          : Screen.lines(...TextTable.render(columns, found.map(row(now)), Infinity))
    )
  }, Problem.catchAll)
).pipe(Command.withDescription("List the jobs that are active, and the last one that ended"))

const show = Command.make(
  "show",
  { id: Argument.String("id").pipe(Argument.withDescription("Its ULID, as list prints it")) },
  Effect.fnUntraced(function* ({ id }) {
    const job = (yield* jobs).find((job) => job.id === id)
    if (job === undefined) {
      return yield* Problem.usage(
        `there is no job ${id}`,
        "run `slate compactions list`; of those that ended one is kept"
      )
    }
    const now = yield* Clock.currentTimeMillis
    const keys = yield* GlobalFlags.KeyFormat
    yield* JsonOutput.write({ ...summary(job, now), tables: job.outputs }, () =>
      Screen.lines(...drawing(job, now, keys))
    )
  }, Problem.catchAll)
).pipe(Command.withDescription("Show a job: its sources, and the tables that it has written"))

export const compactions = Command.make("compactions").pipe(
  Command.withDescription("Look at compaction jobs, whoever runs them"),
  Command.withSubcommands([list, show])
)

const summary = (job: Compactor.Compaction, nowMillis: number) => {
  const { destination, l0, runs } = CompactionText.mergeOf(job)
  return {
    id: job.id,
    status: job.status,
    sources: { l0, runs },
    destination: destination ?? null,
    outputs: job.outputs.length,
    bytes: CompactionText.outputBytes(job.outputs),
    began: new Date(CompactionText.beganMillis(job)).toISOString(),
    ageMillis: ageOf(job, nowMillis)
  }
}

const ageOf = (job: Compactor.Compaction, nowMillis: number): number =>
  Math.max(0, nowMillis - CompactionText.beganMillis(job))

const right = (title: string) => ({ title, align: "right" as const })

const columns = [
  { title: "id" },
  { title: "status" },
  right("outputs"),
  right("bytes"),
  right("age"),
  { title: "destination" },
  { title: "sources" }
]

const row =
  (nowMillis: number) =>
  (job: Compactor.Compaction): ReadonlyArray<string> => {
    const merge = CompactionText.mergeOf(job)
    return [
      job.id,
      job.status,
      Figures.count(job.outputs.length),
      Figures.bytes(CompactionText.outputBytes(job.outputs)),
      Figures.duration(ageOf(job, nowMillis)),
      CompactionText.destination(merge),
      CompactionText.sources(merge)
    ]
  }

const drawing = (job: Compactor.Compaction, nowMillis: number, keys: ByteText.Format): ReadonlyArray<string> => {
  const merge = CompactionText.mergeOf(job)
  const key = (bytes: Uint8Array | undefined) => (bytes === undefined ? "?" : ByteText.print(keys, bytes))
  return [
    `job          ${job.id}, ${job.status}`,
    `began        ${summary(job, nowMillis).began}, ${Figures.duration(ageOf(job, nowMillis))} ago`,
    `level 0      ${merge.l0.length === 0 ? "none" : merge.l0.join("\n             ")}`,
    `runs         ${merge.runs.length === 0 ? "none" : merge.runs.join(" ")}`,
    `destination  ${CompactionText.destination(merge)}`,
    `outputs      ${CompactionText.outputs(job) || "none yet"}`,
    ...job.outputs.map((table) => {
      const { firstEntry, lastEntry } = table.info
      const bytes = Figures.bytes(CompactionText.tableBytes(table)).padStart(9)
      return `  ${table.id}  ${bytes}  ${key(firstEntry)} … ${key(lastEntry)}`
    })
  ]
}
