/**
 * Carries out one compaction job: merges tables into the tables of a run, in a stream.
 *
 *     CompactionInput ─── rows, in slices ───> CompactionOutput ── full ──> store ─> onOutputs
 *       │     ^ blocked: load                        ^                        │
 *       │     └── the store                          └──── the next table ────┘
 *       └─ ahead: the next stretch of each source is fetched while this one is merged
 *
 * Memory holds two stretches of each source, the indexes of the open tables, and one
 * output with copies of its blocks that are for the cache, however large the job is.
 *
 * A job writes nothing but new tables, and names them nowhere: its caller records each
 * as it is stored, and commits them together. So it may be interrupted at any point, and
 * what it leaves is garbage at worst. A job that has outputs goes on behind their last row.
 */
import * as Effect from "effect/Effect"
import * as DbError from "../../DbError.ts"
import type { SsTableWriter } from "../format/SsTableWriter.ts"
import { isBottom, sourcesOf } from "../lsm/CompactionPlan.ts"
import type { Job } from "../lsm/CompactionStep.ts"
import type { Manifest } from "../model/Manifest.ts"
import { noCreateTime } from "../model/RowEntry.ts"
import type { SsTable } from "../model/SsTable.ts"
import type { TurnMeter } from "../store/TurnMeter.ts"
import * as UlidSource from "../store/UlidSource.ts"
import * as Input from "./CompactionInput.ts"
import { CompactionOutput, type Outcome } from "./CompactionOutput.ts"

/** A job of a manifest. */
export interface Work {
  /** Where the sources are. */
  readonly manifest: Manifest
  readonly job: Job
  readonly onOutputs: Options["onOutputs"]
  readonly onProgress: (bytes: number) => void
}

export interface Options extends Input.Options {
  /** Of an earlier try, in order. */
  readonly outputs: ReadonlyArray<SsTable>
  /** An output ends at the first border between keys behind so many bytes. */
  readonly maxSstSizeBytes: number
  readonly newWriter: () => SsTableWriter
  readonly ulids: UlidSource.UlidSource
  readonly turns: TurnMeter
  /** Told all outputs so far after each is stored, and awaited. */
  readonly onOutputs: (outputs: ReadonlyArray<SsTable>) => Effect.Effect<void, DbError.DbError>
  /** Told after each slice how many bytes of the sources' blocks are behind it, those of earlier tries included. */
  readonly onProgress?: ((bytes: number) => void) | undefined
}

/** Carries out a job, by what its manifest says. */
export const runJob = (
  { job, manifest, onOutputs, onProgress }: Work,
  ground: Pick<Options, "merge" | "tables" | "retrying" | "maxSstSizeBytes" | "newWriter" | "ulids" | "turns">
): Effect.Effect<ReadonlyArray<SsTable>, DbError.DbError> =>
  Effect.suspend(() => {
    ground.tables.adopt(manifest)
    return run({
      ...ground,
      sources: sourcesOf(job.plan, manifest),
      isBottom: isBottom(job.plan, manifest),
      minSequence: manifest.recentSnapshotMinSequence,
      now: manifest.lastL0ClockTick ?? noCreateTime,
      outputs: job.outputs,
      // Above the job's own: by it the collector knows that they may still be named.
      ulids: UlidSource.above(ground.ulids, job.id),
      onOutputs,
      onProgress
    })
  })

/** Steps between two yields to the event loop, if time does not end a slice before. */
const stepsPerSlice = 8
// What is done in a step: about 0.1 ms each.
const bytesPerStep = 16 * 1024
/** Keys of the filter, blocks of the index. */
const unitsPerStep = 512

/**
 * The tables of the run that takes the sources' place, in order; none when no row survives. Of the earlier outputs those
 * are among them that the job could build on.
 */
export const run = (options: Options): Effect.Effect<ReadonlyArray<SsTable>, DbError.DbError> =>
  Effect.scoped(runScoped(options))

const runScoped = Effect.fnUntraced(function* (options: Options) {
  const scope = yield* Effect.scope
  const resumed = yield* Input.resume(options.outputs, options)
  const input = new Input.CompactionInput(options, resumed.after)
  const newOutput = () => new CompactionOutput(options.newWriter(), options.maxSstSizeBytes)
  const outputs = Array.from(resumed.outputs)
  let output = newOutput()
  for (;;) {
    const outcome = yield* slice(input, output, options.turns)
    options.onProgress?.(input.position)
    yield* input.ahead(scope)
    // Also where something is waited for: a store in memory answers at once.
    yield* options.turns.giveWay
    if (outcome === "blocked") yield* input.load
    if (outcome === "written" || outcome === "blocked") continue
    if (output.writer.rowCount > 0) {
      outputs.push(yield* store(output.writer, options))
      yield* options.onOutputs(outputs.slice())
    }
    if (outcome === "done") return outputs
    output = newOutput()
    output.begin(input.rows)
    yield* Effect.yieldNow
  }
})

/** Writes rows for a slice of time, or until they end, block or fill the table. */
const slice = (
  input: Input.CompactionInput,
  output: CompactionOutput,
  turns: TurnMeter
): Effect.Effect<Outcome, DbError.DbError> =>
  Effect.flatten(
    turns.whole("compaction rows", (began) => {
      for (let steps = 1; ; steps++) {
        output.writer.keepsBlocks = input.isWarm
        const outcome = attempt(() => output.write(input.rows, bytesPerStep))
        if (DbError.isDbError(outcome)) return Effect.fail(outcome)
        const goesOn = outcome === "written" || (outcome === "blocked" && input.isPause)
        if (!goesOn) return Effect.succeed(outcome)
        if (steps >= stepsPerSlice || turns.isOver(began)) return Effect.succeed<Outcome>("written")
      }
    })
  )

/** What the merge function throws is an outcome; what else is thrown is a bug. */
const attempt = (write: () => Outcome): Outcome | DbError.DbError => {
  try {
    return write()
  } catch (error) {
    if (DbError.isDbError(error)) return error
    throw error
  }
}

/**
 * Completes a table and stores it.
 *
 * Its index and filter go into the cache at once: the first lookups after the commit need them, and to hold them until
 * then would be memory that grows with the job. Of its blocks those go there that take the place of blocks which were
 * being read: a compaction rewrites far more than is read, and would drive out what is.
 */
const store = Effect.fnUntraced(function* (writer: SsTableWriter, options: Options) {
  const { retrying, tables, turns, ulids } = options
  yield* turns.slices("compaction end", stepsPerSlice, () => writer.prepare(unitsPerStep), turns.giveWay)
  const { body, info } = writer.finish()
  const id = ulids.next()
  const table = yield* retrying(tables.create(id, body, info, ulids.next()))
  writer.release()
  yield* tables.keep(id, writer.parts(), true)
  return table
})
