/**
 * A database, open for reading and writing.
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type * as DbError from "./DbError.ts"
import * as Writer from "./internal/task/Writer.ts"
import type * as KeyRange from "./KeyRange.ts"
import type * as ObjectStore from "./ObjectStore.ts"
import type * as Settings from "./Settings.ts"
import type * as WriteBatch from "./WriteBatch.ts"

/**
 * What a read may see.
 *
 * - `"committed"`, the default: only what is durable in the object store.
 * - `"uncommitted"`: also what was accepted and waits for its WAL upload.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type ReadLevel = "committed" | "uncommitted"

/**
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface ReadOptions {
  readonly readLevel?: ReadLevel | undefined
  /** Whether blocks read from the store stay in the block cache. Default true. */
  readonly cacheBlocks?: boolean | undefined
}

/**
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface ScanOptions {
  readonly readLevel?: ReadLevel | undefined
  /** Default `"ascending"`. */
  readonly order?: "ascending" | "descending" | undefined
  /** At most this many entries. Default: all. */
  readonly limit?: number | undefined
  /**
   * Whether blocks read from the store stay in the block cache. By default only those that a scan
   * begins with do, so that short scans are served from memory and long ones do not wash it out.
   */
  readonly cacheBlocks?: boolean | undefined
  /** Bytes to fetch ahead of the reader, per table. Default 64 KiB; 0 fetches block by block. */
  readonly readAheadBytes?: number | undefined
}

/**
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface WriteOptions {
  /** Whether to return only when the write is durable. Default true. */
  readonly awaitDurable?: boolean | undefined
}

/**
 * A key with its value. The arrays are the caller's: the engine never changes them.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Entry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/**
 * What the database is doing.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Status {
  readonly state: "open" | "closing" | "closed"
  /** Why it closed, when it did so by itself. */
  readonly closed: DbError.Closed | undefined
  /** The greatest sequence number that is durable. */
  readonly durableSequence: number
  /** The greatest sequence number that was accepted. */
  readonly visibleSequence: number
  readonly writerEpoch: number
  readonly manifestId: number
  /** The id that the next WAL object gets. */
  readonly nextWalId: number
  /** Bytes allocated for rows that are not in level 0 yet. */
  readonly unflushedBytes: number
  /** Memtables that are frozen and not in level 0 yet. */
  readonly immutableMemtables: number
  readonly l0Tables: number
  readonly sortedRuns: number
  /** Store requests that failed and were tried again by a task, since open. */
  readonly retries: number
  /** The most recent of them. */
  readonly lastRetry: string | undefined
  /** Conditions that need attention, in plain words: stalls, a store that does not answer. */
  readonly warnings: ReadonlyArray<string>
}

/**
 * A database, open for reading and writing. One process writes at a time: opening
 * fences every earlier writer.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export class Db extends Context.Service<
  Db,
  {
    readonly put: (
      key: KeyRange.Bytes,
      value: KeyRange.Bytes,
      options?: WriteOptions & WriteBatch.TtlOptions
    ) => Effect.Effect<void, DbError.DbError>
    readonly delete: (key: KeyRange.Bytes, options?: WriteOptions) => Effect.Effect<void, DbError.DbError>
    readonly merge: (
      key: KeyRange.Bytes,
      operand: KeyRange.Bytes,
      options?: WriteOptions & WriteBatch.TtlOptions
    ) => Effect.Effect<void, DbError.DbError>
    readonly write: (batch: WriteBatch.WriteBatch, options?: WriteOptions) => Effect.Effect<void, DbError.DbError>
    readonly get: (
      key: KeyRange.Bytes,
      options?: ReadOptions
    ) => Effect.Effect<Uint8Array, DbError.KeyNotFound | DbError.DbError>
    readonly getOption: (
      key: KeyRange.Bytes,
      options?: ReadOptions
    ) => Effect.Effect<Option.Option<Uint8Array>, DbError.DbError>
    readonly getMany: (
      keys: ReadonlyArray<KeyRange.Bytes>,
      options?: ReadOptions
    ) => Effect.Effect<ReadonlyArray<Option.Option<Uint8Array>>, DbError.DbError>
    readonly scan: (range: KeyRange.KeyRange, options?: ScanOptions) => Stream.Stream<Entry, DbError.DbError>
    readonly flush: (target?: "wal" | "memtable") => Effect.Effect<void, DbError.DbError>
    readonly status: Effect.Effect<Status>
    readonly close: Effect.Effect<void, DbError.DbError>
  }
>()("@effect-slatedb/core/Db") {}

/**
 * How to open a database.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Where in the store the database lives, for example `"accounts"`. */
  readonly path: string
  /** What differs from the defaults. */
  readonly settings?: Settings.Input | undefined
}

/**
 * Opens a database for writing, and creates it when there is none. It is closed,
 * its WAL stored, when the scope ends.
 *
 * **Details**
 *
 * Opening fences every earlier writer: they acknowledge nothing any more. Acknowledged
 * writes are replayed from the WAL. Fails with `Invalid` for a wrong path or setting,
 * `Unsupported` for newer bytes, a missing codec or a store that cannot create an
 * object once, `Corrupt` for damaged data, and `Unavailable` when the store does not
 * answer.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make: (
  options: Options
) => Effect.Effect<Db["Service"], DbError.DbError, ObjectStore.ObjectStore | Scope.Scope> = Writer.open

/**
 * Provides an open database.
 *
 * @see {@link make} for what opening does and how it fails
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<Db, DbError.DbError, ObjectStore.ObjectStore> =>
  Layer.effect(Db, make(options))

/**
 * Provides an open database whose options come from the configuration.
 *
 * **Details**
 *
 * Settings can be read with `Settings.config`.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  options: Config.Wrap<Options>
): Layer.Layer<Db, DbError.DbError | Config.ConfigError, ObjectStore.ObjectStore> =>
  Layer.effect(Db, Effect.flatMap(Config.unwrap(options), make))
