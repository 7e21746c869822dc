/**
 * A compaction job as plain data, so that it can be carried out where the store is the
 * same and the event loop another: in a worker thread.
 *
 *     CompactorTask ── Job: path, settings, manifest, the job ──> execute ─> tables
 *       <── Event: bytes merged, outputs so far, all outputs ────────┘
 *
 * Manifest, job and outputs travel as the files that they are in the store, so there is
 * one encoding of them. Only the destination goes beside: version 1 of the compactions
 * file has none.
 *
 * Whoever sent the job stays the compactor: it keeps both registers, and commits. What
 * executes it writes new tables and names them nowhere.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Stream from "effect/Stream"
import { makeMemory } from "../../BlockCache.ts"
import { Compression } from "../../Compression.ts"
import * as DbError from "../../DbError.ts"
import { MergeOperator } from "../../MergeOperator.ts"
import { ObjectStore } from "../../ObjectStore.ts"
import * as Settings from "../../Settings.ts"
import * as CompactionsCodec from "../format/CompactionsCodec.ts"
import * as ManifestCodec from "../format/ManifestCodec.ts"
import { sourcesOf } from "../lsm/CompactionPlan.ts"
import * as CompactionStep from "../lsm/CompactionStep.ts"
import type { Compaction } from "../model/Compactions.ts"
import type { SsTable } from "../model/SsTable.ts"
import * as ObjectPaths from "../store/ObjectPaths.ts"
import * as TableStore from "../store/TableStore.ts"
import * as TableWarming from "../store/TableWarming.ts"
import * as TableWriters from "../store/TableWriters.ts"
import { TurnMeter } from "../store/TurnMeter.ts"
import * as UlidSource from "../store/UlidSource.ts"
import * as CompactionExecutor from "./CompactionExecutor.ts"
import { Lifecycle } from "./Lifecycle.ts"
import * as Retrying from "./Retrying.ts"

/**
 * A compaction job, as it goes to another thread.
 *
 * @stability unstable
 * @category schemas
 * @since 0.1.0
 */
export const Job = Schema.Struct({
  /** Where in the store the database lives. */
  path: Schema.String,
  /** Of these, how tables are written, and how large. */
  settings: Settings.Settings,
  /** A manifest object, where the sources are. */
  manifest: Schema.Uint8Array,
  /** A compactions object of this job alone, with the outputs that it has. */
  compactions: Schema.Uint8Array,
  /** The run that its outputs become. */
  destination: Schema.Number
})

/**
 * A compaction job, as it goes to another thread.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Job extends Schema.Schema.Type<typeof Job> {}

/**
 * How a job comes on: bytes of its sources that are merged, the outputs that are stored by now, and
 * in the end all of them. Outputs are a compactions object.
 *
 * @stability unstable
 * @category schemas
 * @since 0.1.0
 */
export const Event = Schema.Union([
  Schema.TaggedStruct("Merged", { bytes: Schema.Number }),
  Schema.TaggedStruct("Stored", { outputs: Schema.Uint8Array }),
  Schema.TaggedStruct("Done", { outputs: Schema.Uint8Array })
])

/**
 * How a job comes on.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Event = typeof Event.Type

const Reason = Schema.Union([
  Schema.TaggedStruct("Unavailable", { operation: Schema.String, path: Schema.String }),
  Schema.TaggedStruct("Closed", { kind: Schema.Literals(["clean", "fenced", "failed"]), detail: Schema.String }),
  Schema.TaggedStruct("Invalid", { field: Schema.String, detail: Schema.String }),
  Schema.TaggedStruct("Unsupported", { what: Schema.String, detail: Schema.String }),
  Schema.TaggedStruct("Corrupt", {
    object: Schema.String,
    offset: Schema.Number,
    expected: Schema.String,
    found: Schema.String
  })
])

const reasonOf = (fields: typeof Reason.Type): DbError.Reason => {
  switch (fields._tag) {
    case "Unavailable":
      return new DbError.Unavailable(fields)
    case "Closed":
      return new DbError.Closed(fields)
    case "Invalid":
      return new DbError.Invalid(fields)
    case "Unsupported":
      return new DbError.Unsupported(fields)
    case "Corrupt":
      return new DbError.Corrupt(fields)
  }
}

/**
 * Why a job failed, without the causes, which cannot travel.
 *
 * @stability unstable
 * @category schemas
 * @since 0.1.0
 */
export const Failure: Schema.Codec<DbError.DbError, typeof Reason.Encoded> = Reason.pipe(
  Schema.decodeTo(
    Schema.declare(DbError.isDbError),
    SchemaTransformation.transform({
      decode: (fields) => DbError.fail(reasonOf(fields)),
      encode: ({ reason }) => reason
    })
  )
)

/**
 * Carries jobs out elsewhere. When it is interrupted, so is the job; what fails for the moment is to fail as
 * `Unavailable`: then the job goes on later, behind the outputs that were told.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Executor = (job: Job) => Stream.Stream<Event, DbError.DbError>

/**
 * Where the compactors of a process have their jobs carried out; by default on the event loop that they are on.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export const Executor = Context.Reference<Executor | undefined>("@effect-slatedb/core/Compactor/Executor", {
  defaultValue: () => undefined
})

/** The name of a job's requests in errors. */
const operation = "compact in another thread"

interface Ground {
  readonly paths: ObjectPaths.ObjectPaths
  readonly settings: Settings.Settings
  readonly tables: TableStore.TableStore
  readonly turns: TurnMeter
}

/** Has a job carried out, and answers with its outputs; each is in the cache before it is told. */
export const send = (
  executor: Executor,
  work: CompactionExecutor.Work,
  ground: Ground
): Effect.Effect<ReadonlyArray<SsTable>, DbError.DbError> =>
  Effect.suspend(() => {
    const { job, manifest, onOutputs, onProgress } = work
    const warm = warming(work, ground)
    return executor({
      path: ground.paths.root,
      settings: ground.settings,
      manifest: ManifestCodec.encode(manifest),
      compactions: CompactionsCodec.encode(CompactionStep.begin([job])(CompactionStep.none(manifest.compactorEpoch))),
      destination: job.plan.destination
    }).pipe(
      Stream.runFoldEffect(
        (): ReadonlyArray<SsTable> | undefined => undefined,
        (done, event) => {
          switch (event._tag) {
            case "Merged":
              return Effect.sync(() => {
                onProgress(event.bytes)
                return done
              })
            case "Stored": {
              const { outputs } = jobIn(event.outputs)
              return Effect.as(Effect.andThen(warm(outputs), onOutputs(outputs)), done)
            }
            case "Done":
              return Effect.succeed(jobIn(event.outputs).outputs)
          }
        }
      ),
      Effect.flatMap((outputs) =>
        outputs === undefined
          ? Effect.fail(DbError.fail(new DbError.Unavailable({ operation, path: ground.paths.root })))
          : Effect.succeed(outputs)
      )
    )
  })

/** Puts those outputs into the cache that came since it was asked last. */
const warming = ({ job, manifest }: CompactionExecutor.Work, { tables, turns }: Ground) => {
  tables.adopt(manifest)
  const { l0, runs } = sourcesOf(job.plan, manifest)
  const inputs = [...l0, ...runs.flatMap((run) => run.tables)].map(tables.reader)
  const known = new Set(job.outputs.map(({ id }) => id))
  return (outputs: ReadonlyArray<SsTable>): Effect.Effect<void> =>
    Effect.forEach(
      outputs.filter(({ id }) => !known.has(id)),
      (table) => {
        known.add(table.id)
        const blockBytesMax = TableWarming.areRead(inputs) ? tables.newBlockBytesMax : 0
        return Effect.ignore(TableWarming.warm(tables.reader(table), { blockBytesMax, turns }))
      },
      { discard: true }
    )
}

/** Bytes merged between two events that say so. */
const mergedBytesPerEvent = 1024 * 1024
/** Events that wait to be told. */
const eventsMax = 16

/**
 * Carries out a job that was sent, with the store, the codecs and the merge operator of this context.
 *
 * **Details**
 *
 * Fails as a compactor does, but while the store does not answer it tries again, until it is interrupted.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const execute = (job: Job): Stream.Stream<Event, DbError.DbError, ObjectStore> =>
  Stream.callback<Event, DbError.DbError, ObjectStore>(
    Effect.fnUntraced(function* (events) {
      const { id, outputs, spec } = jobIn(job.compactions)
      const compression = yield* Compression
      const newWriter = yield* Effect.fromResult(TableWriters.make(job.settings, compression))
      const turns = new TurnMeter(yield* Clock.Clock)
      const tables = TableStore.make({
        store: yield* ObjectStore,
        paths: yield* Effect.fromResult(ObjectPaths.checked(job.path)),
        compression,
        // Nobody reads here.
        cache: makeMemory({ blockBytesMax: 0, metaBytesMax: 0 }),
        turns
      })
      const file = (stored: ReadonlyArray<SsTable>) =>
        CompactionsCodec.encode(CompactionStep.begin([{ id, plan, outputs: stored }])(CompactionStep.none(0)))
      const plan = {
        l0: spec.l0ViewIds,
        runs: spec._tag === "Tiered" ? spec.runIds : [],
        destination: job.destination
      }
      let mergedBytes = 0
      const all = yield* CompactionExecutor.runJob(
        {
          manifest: Result.getOrThrow(ManifestCodec.decode(job.manifest)),
          job: { id, plan, outputs },
          onOutputs: (stored) => Queue.offer(events, { _tag: "Stored", outputs: file(stored) }),
          onProgress: (bytes) => {
            if (bytes - mergedBytes < mergedBytesPerEvent) return
            mergedBytes = bytes
            Queue.offerUnsafe(events, { _tag: "Merged", bytes })
          }
        },
        {
          merge: yield* MergeOperator,
          tables,
          maxSstSizeBytes: job.settings.maxSstSizeBytes,
          newWriter: () => newWriter("compacted", 0),
          ulids: yield* UlidSource.make,
          turns,
          retrying: Retrying.make(new Lifecycle(), "CompactionWorker")
        }
      )
      yield* Queue.offer(events, { _tag: "Done", outputs: file(all) })
      yield* Queue.end(events)
    }),
    { bufferSize: eventsMax, strategy: "suspend" }
  )

/** The one job of a compactions object that was made here. */
const jobIn = (bytes: Uint8Array): Compaction => {
  const { compactions } = Result.getOrThrow(CompactionsCodec.decode(bytes))
  const [job] = compactions
  if (job === undefined || compactions.length !== 1) throw new Error(`a job that is sent is one: ${compactions.length}`)
  return job
}
