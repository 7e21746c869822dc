/**
 * The doors of effect-slatedb: ways for a program to call it.
 *
 * - `fiber`: the whole loop is one Effect, and yields every operation. What an
 *   Effect program does.
 * - `resident`: the same, but gets ask `getUnsafe` first, which answers at once what is
 *   in memory.
 * - `promise`: a run of the runtime for every operation. What a program does that
 *   is not written with Effect.
 *
 * All read with `readLevel: "uncommitted"`, which shows writes that are not
 * durable yet, as the reads of all other engines do.
 */
import * as Db from "@effect-slatedb/core/Db"
import type * as DbError from "@effect-slatedb/core/DbError"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as WriteBatch from "@effect-slatedb/core/WriteBatch"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { BatchEntry, Counters, Database, ScanRange } from "../../Engine.ts"
import { promised } from "../../Engine.ts"
import { turn } from "../../Loop.ts"

/** An open database and what it stands on. */
export interface Handle {
  readonly db: Db.Db["Service"]
  readonly runtime: ManagedRuntime.ManagedRuntime<Db.Db, unknown>
  readonly counters: () => Counters
}

/** Ranges of up to so many entries are asked for as one array, as a program would ask for a page. */
const pageEntriesMax = 100

type Answer = Effect.Effect<unknown, DbError.DbError>

const read = { readLevel: "uncommitted" } as const
const durably = { awaitDurable: true }
const lazily = { awaitDurable: false }

/** One fiber around the loop. */
export const fiber = ({ counters, db, runtime }: Handle): Database<Answer> => ({
  put: (key, value, durable) => db.put(key, value, durable ? durably : lazily),
  get: (key) => db.getOption(key, read),
  delete: (key, durable) => db.delete(key, durable ? durably : lazily),
  batch: (entries, durable) => db.write(batchOf(entries), durable ? durably : lazily),
  scan: (range, visit) => scan(db, range, visit),
  flush: () => db.flush("memtable"),
  close: () => Effect.promise(() => runtime.dispose()),
  turn: () => Effect.promise(turn),
  found,
  run: (loop) => Effect.runPromise(Effect.gen(() => loop)),
  counters,
  ...aside(db)
})

/** One fiber around the loop, with synchronous gets of what is in memory. */
export const resident = (handle: Handle): Database<Answer> => ({
  ...fiber(handle),
  get: (key) => {
    const value = handle.db.getUnsafe(key, read)
    return value === Db.notResident ? handle.db.getOption(key, read) : value
  }
})

/** A run of the runtime for every operation. */
export const promise = ({ counters, db, runtime }: Handle): Database<Promise<unknown>> => ({
  ...promised,
  put: (key, value, durable) => runtime.runPromise(db.put(key, value, durable ? durably : lazily)),
  get: (key) => runtime.runPromise(db.getOption(key, read)),
  delete: (key, durable) => runtime.runPromise(db.delete(key, durable ? durably : lazily)),
  batch: (entries, durable) => runtime.runPromise(db.write(batchOf(entries), durable ? durably : lazily)),
  scan: (range, visit) => runtime.runPromise(scan(db, range, visit)),
  flush: () => runtime.runPromise(db.flush("memtable")),
  close: () => runtime.dispose(),
  found,
  counters,
  ...aside(db)
})

/** What is not measured, and so needs no door of its own. */
const aside = (db: Db.Db["Service"]) => ({
  level0Tables: () => Effect.runSync(db.status).l0Tables,
  hold: () => Effect.runPromise(hold(db))
})

const batchOf = (entries: ReadonlyArray<BatchEntry>): WriteBatch.WriteBatch => {
  let batch = WriteBatch.empty
  for (const [key, value] of entries) {
    batch = value === undefined ? WriteBatch.delete(batch, key) : WriteBatch.put(batch, key, value)
  }
  return batch
}

const scan = (
  db: Db.Db["Service"],
  { from, limit, to }: ScanRange,
  visit: (key: Uint8Array, value: Uint8Array) => void
): Effect.Effect<number, DbError.DbError> =>
  Effect.suspend(() => {
    const options = { ...read, limit }
    const keys = KeyRange.make({ from, to })
    if (limit !== undefined && limit <= pageEntriesMax) {
      return Effect.map(db.getRange(keys, options), (entries) => {
        for (let i = 0; i < entries.length; i++) {
          const { key, value } = entries[i] as Db.Entry
          visit(key, value)
        }
        return entries.length
      })
    }
    let count = 0
    return Stream.runForEachArray(db.scan(keys, options), (entries) =>
      Effect.sync(() => {
        for (const { key, value } of entries) visit(key, value)
        count += entries.length
      })
    ).pipe(Effect.map(() => count))
  })

const hold = Effect.fnUntraced(function* (db: Db.Db["Service"]) {
  const scope = yield* Scope.make()
  const pull = yield* Scope.provide(Stream.toPull(db.scan(KeyRange.make({}), read)), scope)
  yield* pull
  return () => Effect.runPromise(Scope.close(scope, Exit.void))
})

/** `get` settles to an option. */
const found = (settled: unknown): Uint8Array | undefined =>
  Option.isOption(settled) && Option.isSome(settled) && settled.value instanceof Uint8Array ? settled.value : undefined
