/**
 * SlateDB's engine as an Effect library: an ordered, durable key-value store whose
 * only storage is an object store.
 *
 * @stability unstable
 * @since 0.1.0
 */
export * as Admin from "./Admin.ts"
export * as BlockCache from "./BlockCache.ts"
export * as Checkpoint from "./Checkpoint.ts"
export * as CompactionPolicy from "./CompactionPolicy.ts"
export * as Compactor from "./Compactor.ts"
export * as Compression from "./Compression.ts"
export * as Db from "./Db.ts"
export * as DbError from "./DbError.ts"
export * as DbReader from "./DbReader.ts"
export * as GarbageCollector from "./GarbageCollector.ts"
export * as KeyRange from "./KeyRange.ts"
export * as MergeOperator from "./MergeOperator.ts"
export * as ObjectStore from "./ObjectStore.ts"
export * as Settings from "./Settings.ts"
export * as WriteBatch from "./WriteBatch.ts"
