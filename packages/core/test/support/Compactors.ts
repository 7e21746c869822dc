/** Compactors beside a database, for tests: each a process of its own, and what it leaves in the bucket. */
import * as CompactionPolicy from "@effect-slatedb/core/CompactionPolicy"
import * as Compactor from "@effect-slatedb/core/Compactor"
import * as Admin from "@effect-slatedb/core/Admin"
import type * as Db from "@effect-slatedb/core/Db"
import type * as DbError from "@effect-slatedb/core/DbError"
import { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import type * as Settings from "@effect-slatedb/core/Settings"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as FaultyObjectStore from "@effect-slatedb/testkit/FaultyObjectStore"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as CompactionsCodec from "../../src/internal/format/CompactionsCodec.ts"
import { type Compactions, isActive } from "../../src/internal/model/Compactions.ts"
import * as OtherProcess from "./OtherProcess.ts"
import * as TestDb from "./TestDb.ts"

type Bucket = MemoryObjectStore.State

export interface Process {
  readonly faults: FaultyObjectStore.Faults["Service"]
  readonly make: (
    settings?: Settings.Input,
    policy?: CompactionPolicy.CompactionPolicy
  ) => Effect.Effect<Compactor.Compactor["Service"], DbError.DbError, Scope.Scope>
}

/** Where jobs are carried out: on the compactor's event loop, or as if in another thread. */
export type Where = "here" | "elsewhere"

/** A process with a compactor, and a way to the bucket of its own. */
export const process = Effect.fnUntraced(function* (bucket: Bucket, where: Where = "here") {
  const faults = yield* FaultyObjectStore.make(MemoryObjectStore.fromState(bucket))
  const made: Process = {
    faults,
    make: (settings, policy = CompactionPolicy.sizeTiered({ minSources: 2 })) =>
      Compactor.make({ path: "db", settings }).pipe(
        Effect.provideService(ObjectStore, faults.store),
        Effect.provideService(CompactionPolicy.CompactionPolicy, policy),
        Effect.provideService(Compactor.Executor, where === "here" ? undefined : elsewhere(faults.store))
      )
  }
  return made
})

/** Carries jobs out with nothing of the compactor but its store: all that goes between them is text. */
export const elsewhere =
  (store: ObjectStore["Service"]): Compactor.Executor =>
  (job) =>
    Compactor.execute(throughText(Compactor.Job)(job)).pipe(
      Stream.provideService(ObjectStore, store),
      Stream.map(throughText(Compactor.Event)),
      Stream.mapError(throughText(Compactor.Failure))
    )

const throughText = <A, I>(schema: Schema.Codec<A, I>) => {
  const json = Schema.fromJsonString(Schema.toCodecJson(schema))
  return (value: A): A => Schema.decodeSync(json)(Schema.encodeSync(json)(value))
}

/** All versions of the compactions file, oldest first. */
export const history = (bucket: Bucket): ReadonlyArray<Compactions> =>
  TestDb.paths(bucket, "db/compactions/").map((path) =>
    Result.getOrThrow(CompactionsCodec.decode(bucket.objects.get(path)?.bytes ?? new Uint8Array(0)))
  )

/** Writes the next version of the compactions file, as another process does. */
export const write = Effect.fnUntraced(function* (bucket: Bucket, bytes: Uint8Array) {
  const next = TestDb.paths(bucket, "db/compactions/").length + 1
  yield* MemoryObjectStore.fromState(bucket).put(OtherProcess.paths.compactions.path(next), bytes)
})

/** Writes what a change makes of the latest version, if there is one. */
export const edit = Effect.fnUntraced(function* (bucket: Bucket, change: (compactions: Compactions) => Compactions) {
  const latest = history(bucket).at(-1)
  if (latest !== undefined) yield* write(bucket, CompactionsCodec.encode(change(latest)))
})

/** Asks for a compaction, as another process does. */
export const submit = (bucket: Bucket, plan: CompactionPolicy.CompactionPlan) =>
  Compactor.submit({ path: "db", plan }).pipe(Effect.provideService(ObjectStore, MemoryObjectStore.fromState(bucket)))

/** Jobs that are not over. */
export const active = (bucket: Bucket) => (history(bucket).at(-1)?.compactions ?? []).filter(isActive)

/** What `Admin` finds to be wrong. */
export const faults = Effect.fnUntraced(function* (bucket: Bucket) {
  const admin = yield* Admin.make({ path: "db" }).pipe(
    Effect.provideService(ObjectStore, MemoryObjectStore.fromState(bucket))
  )
  const checked = yield* Stream.runCollect(admin.check)
  return Array.from(checked).flatMap(({ faults, object }) =>
    faults.map(({ detail, rule }) => `${object}: ${rule}: ${detail}`)
  )
})

/** Fills level 0 with tables of the same keys, each with values of its own and a deletion. */
export const fill = Effect.fnUntraced(function* (
  db: Db.Db["Service"],
  tables: { readonly from: number; readonly to: number; readonly keys: number }
) {
  for (let table = tables.from; table < tables.to; table++) {
    for (let key = 0; key < tables.keys; key++) {
      const name = `k${String(key).padStart(3, "0")}`
      yield* key % 7 === table % 7
        ? db.delete(name, { awaitDurable: false })
        : db.put(name, `${table} `.repeat(20), { awaitDurable: false })
    }
    yield* TestDb.awaitWithTime(db.flush("memtable"))
  }
})
