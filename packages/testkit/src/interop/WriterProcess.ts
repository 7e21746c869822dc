/**
 * A writer in a process of its own.
 *
 *     spawn ──> ready ──> begin(assignment) ──> open ──> ack 1, ack 2, ...
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Engine from "./Engine.ts"
import * as LineProcess from "./LineProcess.ts"
import * as Place from "./Place.ts"

/** What a writer is to do. */
export const Assignment = Schema.Struct({
  engine: Schema.Literals(Engine.names),
  place: Place.Place,
  tuning: Engine.Tuning,
  /** Of the history that it writes. */
  seed: Schema.Int,
  /** The sequence number of its first batch: one above the database's last. */
  from: Schema.Int,
  /** Writes under way at once. */
  inFlightMax: Schema.Int,
  /** Of ten batches, so many are awaited until they are durable. */
  awaitedOfTen: Schema.Int,
  /** The acknowledgement lease, where it is not the default. Only this engine has one. */
  leaseMillis: Schema.optionalKey(Schema.Int),
  /** For a writer that is to be suspended in the middle of a PUT. Its manifest is read for the lease alone. */
  suspension: Schema.optionalKey(
    Schema.Struct({
      /** When its next PUT of a WAL object stops, after the open. It goes on when it is told `go`. */
      afterMillis: Schema.Int,
      /** Whether the PUT stops before the store has the object, or before the answer is back. */
      at: Schema.Literals(["before", "after"])
    })
  )
})
export type Assignment = typeof Assignment.Type

export const AssignmentLine = Schema.fromJsonString(Assignment)

export interface WriterProcess extends LineProcess.LineProcess {
  readonly begin: (assignment: Assignment) => Effect.Effect<void>
  /** The sequence numbers that were acknowledged, in the order in which they were. */
  readonly acknowledged: () => ReadonlyArray<number>
}

export const make: Effect.Effect<WriterProcess, never, Scope.Scope> = Effect.map(
  LineProcess.make("worker.ts"),
  (process): WriterProcess => ({
    ...process,
    begin: (assignment) => process.tell(Schema.encodeSync(AssignmentLine)(assignment)),
    acknowledged: () => process.lines().flatMap((line) => (line.startsWith("ack ") ? [Number(line.slice(4))] : []))
  })
)

/** Gives a writer that is ready; the next one is started at once. */
export type Pool = LineProcess.Pool<WriterProcess>

/** Writers that start while others work. All end with the pool's scope. */
export const pool: Effect.Effect<Pool, never, Scope.Scope> = LineProcess.pool(make)
