/**
 * Follows a compactor at work: a bar while jobs run, a line for each that ended, and
 * what stays in the database when it is stopped. All of it goes to standard error.
 */
import * as Compactor from "@effect-slatedb/core/Compactor"
import * as Effect from "effect/Effect"
import * as CompactionText from "./CompactionText.ts"
import * as Figures from "./Figures.ts"
import * as Progress from "./Progress.ts"
import * as Screen from "./Screen.ts"

const lookEvery = "100 millis"

/** Waits for work that the compactor does, and shows what it is doing meanwhile. */
export const during = Effect.fnUntraced(function* <A, E, R>(
  compactor: Compactor.Compactor["Service"],
  path: string,
  work: Effect.Effect<A, E, R>
) {
  const { look, stopped } = yield* make(compactor, path)
  return yield* work.pipe(
    Effect.raceFirst(Effect.forever(Effect.delay(look, lookEvery))),
    Effect.onInterrupt(() => stopped),
    Effect.tap(look),
    Effect.tapError(() => look)
  )
})

/** Jobs that run without a pause in between, one after another or at once. */
interface Stretch {
  readonly progress: Progress.Progress
  readonly jobs: Map<string, Seen>
}

interface Seen {
  readonly sourceBytes: number
  readonly mergedBytes: number
  /** What was merged when it was first seen to move: a job that is gone on with does not begin at 0. */
  readonly firstBytes: number
}

const make = Effect.fnUntraced(function* (compactor: Compactor.Compactor["Service"], path: string) {
  let before = yield* compactor.status
  let stretch: Stretch | undefined

  const say = (text: string) => stretch?.progress.say(text) ?? Screen.note(text)

  /** Tells what is new. */
  const look = Effect.gen(function* () {
    const now = yield* compactor.status
    const ended = now.completed + now.failed - before.completed - before.failed
    const line = ended === 0 ? undefined : yield* endedLine(path, ended, before.running)
    before = now
    if (line !== undefined) yield* say(line)
    if (now.running.length === 0) {
      stretch = undefined
      return
    }
    stretch ??= { progress: yield* Progress.make({ label: "compacting", noun: "byte" }), jobs: new Map() }
    const { done, fraction } = advance(stretch.jobs, now.running)
    const what = now.running.map(({ plan }) => CompactionText.destination(plan)).join(", ")
    yield* stretch.progress.at(done, fraction, `into ${what}`)
  })

  const stopped = Effect.gen(function* () {
    const { running } = yield* compactor.status
    const left = running.map(({ id, plan }) => `\n  ${id}  ${CompactionText.merge(plan)}`).join("")
    const text =
      running.length === 0
        ? "stopped; no job was running"
        : `stopped; the next slate compact or slate compactor goes on with ${Figures.counted(running.length, "job")}:${left}`
    yield* stretch?.progress.leave(text) ?? Screen.note(text)
  })

  return { look, stopped }
})

/** Bytes that were merged since these jobs are watched, and how far they are. Those that ended are merged. */
const advance = (
  jobs: Map<string, Seen>,
  running: ReadonlyArray<Compactor.Progress>
): { readonly done: number; readonly fraction: number } => {
  for (const [id, seen] of jobs) jobs.set(id, { ...seen, mergedBytes: seen.sourceBytes })
  for (const { id, mergedBytes, sourceBytes } of running) {
    jobs.set(id, { sourceBytes, mergedBytes, firstBytes: jobs.get(id)?.firstBytes || mergedBytes })
  }
  let merged = 0
  let first = 0
  let all = 0
  for (const { firstBytes, mergedBytes, sourceBytes } of jobs.values()) {
    merged += mergedBytes
    first += firstBytes
    all += sourceBytes
  }
  return { done: merged - first, fraction: all === 0 ? 0 : merged / all }
}

/** The register keeps the last job that ended; others that ended since the last look are counted. */
const endedLine = Effect.fnUntraced(function* (
  path: string,
  ended: number,
  running: ReadonlyArray<Compactor.Progress>
) {
  const found = yield* Effect.orElseSucceed(Compactor.list({ path }), (): ReadonlyArray<Compactor.Compaction> => [])
  const last = found.find((job) => !CompactionText.isActive(job))
  if (last === undefined) return `${Figures.counted(ended, "job")} ended`
  // The file may not say where to.
  const merge = running.find(({ id }) => id === last.id)?.plan ?? CompactionText.mergeOf(last)
  const others = ended === 1 ? "" : `; ${Figures.counted(ended - 1, "job")} ended before`
  const made = last.status === "completed" ? `, ${Figures.bytes(CompactionText.outputBytes(last.outputs))}` : ""
  return `${last.status}: ${CompactionText.merge(merge)}${made}${others}`
})
