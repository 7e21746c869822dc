/** This project's engine, as tests and drills drive it. */
import * as CompactionPolicy from "@effect-slatedb/core/CompactionPolicy"
import * as Db from "@effect-slatedb/core/Db"
import * as DbError from "@effect-slatedb/core/DbError"
import * as DbReader from "@effect-slatedb/core/DbReader"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as MergeOperator from "@effect-slatedb/core/MergeOperator"
import type { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import type * as Settings from "@effect-slatedb/core/Settings"
import * as WriteBatch from "@effect-slatedb/core/WriteBatch"
import * as NodeCompression from "@effect-slatedb/platform-node/NodeCompression"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import { type Engine, EngineError, type Session, type Tuning, type View } from "./Engine.ts"
import type { Batch, Lifetime } from "./History.ts"
import * as Place from "./Place.ts"

/** Every codec, concatenation for merges, and compaction of the little that a test writes. */
export const services = Layer.mergeAll(
  NodeCompression.layer,
  MergeOperator.layer(MergeOperator.append),
  Layer.succeed(CompactionPolicy.CompactionPolicy, CompactionPolicy.sizeTiered({ minSources: 2 }))
)

/** What opening something at a place needs. */
export const environment = (place: Place.Place) => Layer.mergeAll(Place.layer(place), services)

/** How quickly compactors look for work, and how small their tables are. */
export const compacting = {
  compactorPollInterval: 20,
  maxConcurrentCompactions: 2,
  maxSstSizeBytes: 20_000
} satisfies Settings.Input

/** The engine with settings of one's own over the tuning, or on a store of one's own in front of the place. */
export const make = ({
  settings,
  store
}: {
  readonly settings?: Settings.Input | undefined
  readonly store?: Layer.Layer<ObjectStore> | undefined
} = {}): Engine => ({
  name: "ours",
  showsExpired: false,
  scansDown: true,
  lookupsMax: 16,
  open: (place, tuning) =>
    Effect.gen(function* () {
      const context = yield* Layer.build(store === undefined ? environment(place) : Layer.mergeAll(store, services))
      const db = yield* Effect.provide(
        Db.make({ path: Place.path, settings: { ...settingsOf(tuning), ...settings } }),
        context
      )
      return session(db)
    }).pipe(Effect.mapError(refused)),
  reader: (place) =>
    Effect.gen(function* () {
      const context = yield* Layer.build(environment(place))
      const reader = yield* Effect.provide(DbReader.make({ path: Place.path }), context)
      return {
        ...view(
          reader,
          Effect.map(reader.status, ({ lastSequence }) => lastSequence)
        ),
        refresh: Effect.mapError(reader.refresh, refused)
      }
    }).pipe(Effect.mapError(refused))
})

export const engine: Engine = make()

const settingsOf = (tuning: Tuning): Settings.Input => ({
  compression: tuning.compression,
  blockSizeBytes: tuning.blockSizeBytes,
  minFilterKeys: tuning.minFilterKeys,
  l0SstSizeBytes: tuning.l0SstSizeBytes,
  flushInterval: tuning.flushMillis,
  // Without compaction level 0 would fill up, and writers wait.
  l0MaxSsts: 100_000,
  compactorEnabled: tuning.isCompacting,
  collectorEnabled: false,
  ...compacting
})

/** A database as a session. */
export const session = (db: Db.Db["Service"]): Session => ({
  ...view(
    db,
    Effect.map(db.status, ({ durableSequence }) => durableSequence)
  ),
  write: (batch, options) => Effect.mapError(write(db, batch, options), refused),
  flush: (target) => Effect.mapError(db.flush(target), refused),
  hold: Effect.gen(function* () {
    const pull = yield* Stream.toPull(Stream.mapError(db.scan(KeyRange.all), refused))
    const begun = yield* Pull.catchDone(pull, () => Effect.succeed([]))
    return Stream.concat(Stream.fromIterable(begun), Stream.fromPull(Effect.succeed(pull)))
  }),
  close: Effect.mapError(db.close, refused)
})

const view = (reads: Pick<Db.Db["Service"], "getOption" | "scan">, lastSequence: Effect.Effect<number>): View => ({
  get: (key) => Effect.mapBoth(reads.getOption(key), { onFailure: refused, onSuccess: Option.getOrUndefined }),
  scan: (order) => Effect.mapError(Stream.runCollect(reads.scan(KeyRange.all, { order })), refused),
  lastSequence
})

/** A batch of one write goes through the call that is there for it. */
const write = (db: Db.Db["Service"], batch: Batch, options: Db.WriteOptions) => {
  const [first, ...rest] = batch
  if (first === undefined || rest.length > 0) return db.write(toBatch(batch), options)
  switch (first._tag) {
    case "Put":
      return db.put(first.key, first.value, { ...options, ttl: ttl(first.lifetime) })
    case "Delete":
      return db.delete(first.key, options)
    case "Merge":
      return db.merge(first.key, first.operand, { ...options, ttl: ttl(first.lifetime) })
  }
}

const toBatch = (batch: Batch): WriteBatch.WriteBatch =>
  batch.reduce((all, write) => {
    switch (write._tag) {
      case "Put":
        return WriteBatch.put(all, write.key, write.value, { ttl: ttl(write.lifetime) })
      case "Delete":
        return WriteBatch.delete(all, write.key)
      case "Merge":
        return WriteBatch.merge(all, write.key, write.operand, { ttl: ttl(write.lifetime) })
    }
  }, WriteBatch.empty)

const ttl = (lifetime: Lifetime): WriteBatch.TtlOptions["ttl"] =>
  lifetime === "forever" ? "none" : lifetime === "long" ? "3650 days" : "1 millis"

const refused = (cause: unknown): EngineError =>
  new EngineError({
    engine: "ours",
    isFenced: DbError.isDbError(cause) && cause.reason._tag === "Closed" && cause.reason.kind === "fenced",
    message: cause instanceof Error ? cause.message : String(cause),
    cause
  })
