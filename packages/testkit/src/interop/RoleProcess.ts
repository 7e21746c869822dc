/**
 * Whoever works on a database beside its writer, in a process of its own: this engine's
 * compactor or collector, or a reader of the official engine that follows.
 *
 *     spawn ──> ready ──> begin(assignment) ──> open ──> compacted 2, compacted 1, ...
 *                                                        collected 7, ...
 *                                                        saw 41, saw 44, ...
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as LineProcess from "./LineProcess.ts"
import * as Place from "./Place.ts"

/** What it is to do, until it is killed. */
export const Assignment = Schema.TaggedUnion({
  Compactor: { place: Place.Place },
  Collector: { place: Place.Place, minAgeMillis: Schema.Int, leaseMillis: Schema.Int, intervalMillis: Schema.Int },
  /** Reads again and again, and holds what it sees against the history of a seed. */
  Follower: { place: Place.Place, seed: Schema.Int }
})
export type Assignment = typeof Assignment.Type

export const AssignmentLine = Schema.fromJsonString(Assignment)

export interface RoleProcess extends LineProcess.LineProcess {
  readonly begin: (assignment: Assignment) => Effect.Effect<void>
}

export const make: Effect.Effect<RoleProcess, never, Scope.Scope> = Effect.map(
  LineProcess.make("roles/worker.ts"),
  (process): RoleProcess => ({
    ...process,
    begin: (assignment) => process.tell(Schema.encodeSync(AssignmentLine)(assignment))
  })
)

export type Pool = LineProcess.Pool<RoleProcess>

/** Processes that start while others work. All end with the pool's scope. */
export const pool: Effect.Effect<Pool, never, Scope.Scope> = LineProcess.pool(make)

/** The numbers that were said behind a word, in their order. */
export const numbers = (lines: ReadonlyArray<string>, word: string): ReadonlyArray<number> =>
  lines.flatMap((line) => (line.startsWith(`${word} `) ? [Number(line.slice(word.length + 1))] : []))

/** The sum of them. */
export const total = (lines: ReadonlyArray<string>, word: string): number =>
  numbers(lines, word).reduce((sum, number) => sum + number, 0)

/** What was said that is none of these words: what went wrong. */
export const complaints = (lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.filter((line) => !/^(ready|open|(compacted|collected|saw) \d+)$/.test(line))
