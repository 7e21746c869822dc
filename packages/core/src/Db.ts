/**
 * A database, open for reading and writing.
 *
 * A write is accepted into memory, where `"uncommitted"` reads see it at once. Every
 * flush interval, 100 ms by default, what was accepted is stored as one WAL object;
 * then the write is durable, `"committed"` reads see it, and a `put` that waits for it
 * returns. When enough has gathered in memory it is stored as a table of level 0, and
 * the manifest that names it takes the place of its WAL objects.
 *
 *     put ──> WAL buffer ──> WAL object ──> memtable ──> level 0 ──> sorted runs
 *             uncommitted    durable, committed from here on
 *
 * One process writes to a database at a time: whoever opens it fences all earlier
 * writers, who then acknowledge nothing any more. Any number of `DbReader`s may read.
 *
 * **Example** (Putting and getting)
 *
 * ```ts
 * import * as Db from "@effect-slatedb/core/Db"
 * import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function* () {
 *   const db = yield* Db.Db
 *   yield* db.put("greeting", "hello") // returns when it is durable
 *   return new TextDecoder().decode(yield* db.get("greeting"))
 * })
 *
 * const runnable = program.pipe(
 *   Effect.provide(Db.layer({ path: "greetings" })),
 *   Effect.provide(MemoryObjectStore.layer)
 * )
 * ```
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
import type { Entry, notResident, ReadOptions, ScanOptions } from "./internal/model/ReadOptions.ts"
import type { WriteOptions } from "./internal/model/WriteOptions.ts"
import type { Status } from "./internal/task/Status.ts"
import * as Writer from "./internal/task/Writer.ts"
import type * as KeyRange from "./KeyRange.ts"
import type * as ObjectStore from "./ObjectStore.ts"
import type * as Settings from "./Settings.ts"
import type * as WriteBatch from "./WriteBatch.ts"

export {
  type Entry,
  notResident,
  type ReadLevel,
  type ReadOptions,
  type ScanOptions
} from "./internal/model/ReadOptions.ts"
export type { WriteOptions } from "./internal/model/WriteOptions.ts"
export type { Status } from "./internal/task/Status.ts"

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
    /**
     * Sets the value of a key.
     *
     * Returns when the write is durable, or with `awaitDurable: false` when it is accepted. Key and value are
     * copied before that. A key has 1 to 65,535 bytes; key and value together fit into
     * `settings.maxUnflushedBytes`. Fails with `Invalid` where they do not, and with `Closed` when the database
     * has closed or was fenced: then the write may or may not have become durable. The same holds for a
     * write that was interrupted.
     */
    readonly put: (
      key: KeyRange.Bytes,
      value: KeyRange.Bytes,
      options?: WriteOptions & WriteBatch.TtlOptions
    ) => Effect.Effect<void, DbError.DbError>
    /** Removes the value of a key, whether it has one or not. Durability and failures are those of `put`. */
    readonly delete: (key: KeyRange.Bytes, options?: WriteOptions) => Effect.Effect<void, DbError.DbError>
    /**
     * Adds an operand to a key, to be folded onto its value by the database's merge operator when it is
     * read. Fails with `Invalid` when there is none; otherwise as `put`.
     */
    readonly merge: (
      key: KeyRange.Bytes,
      operand: KeyRange.Bytes,
      options?: WriteOptions & WriteBatch.TtlOptions
    ) => Effect.Effect<void, DbError.DbError>
    /**
     * Makes all writes of a batch, or none: they share one sequence number and one WAL object, and readers see
     * them at one moment. An empty batch does nothing. Durability and failures are those of `put`.
     */
    readonly write: (batch: WriteBatch.WriteBatch, options?: WriteOptions) => Effect.Effect<void, DbError.DbError>
    /**
     * The value of a key. The bytes are the caller's own; small ones lie beside others in one `buffer`, which is
     * therefore not to be transferred to a worker.
     *
     * Fails with `KeyNotFound` when it has none; `getOption` is the cheaper question. Fails with `Unavailable`
     * when a part of a table has to be fetched and the store does not answer, with `Corrupt` when what it
     * answers is damaged.
     */
    readonly get: (
      key: KeyRange.Bytes,
      options?: ReadOptions
    ) => Effect.Effect<Uint8Array, DbError.KeyNotFound | DbError.DbError>
    /** The value of a key, if it has one. The bytes are the caller's own. Fails as `get`, but never with `KeyNotFound`. */
    readonly getOption: (
      key: KeyRange.Bytes,
      options?: ReadOptions
    ) => Effect.Effect<Option.Option<Uint8Array>, DbError.DbError>
    /** The values of several keys as of one moment, in the order of the keys. What has to be fetched is fetched concurrently. */
    readonly getMany: (
      keys: ReadonlyArray<KeyRange.Bytes>,
      options?: ReadOptions
    ) => Effect.Effect<ReadonlyArray<Option.Option<Uint8Array>>, DbError.DbError>
    /**
     * The value of a key, at once, when memory can answer: `undefined` when the key has none, `Db.notResident` when a
     * part of a table would have to be fetched; then ask `getOption`.
     *
     * **Gotchas**
     *
     * The bytes are the engine's: they must not be changed, and are valid until the next `await` or `yield*`. Throws the
     * `DbError` that the other reads fail with.
     */
    readonly getUnsafe: (key: KeyRange.Bytes, options?: ReadOptions) => Uint8Array | undefined | typeof notResident
    /**
     * The entries of a range as of one moment, as one array: for pages and short ranges, with a `limit`. Their bytes
     * are the caller's own. When memory has them it costs a fraction of a `scan`, whose failures are its own.
     */
    readonly getRange: (
      range: KeyRange.KeyRange,
      options?: ScanOptions
    ) => Effect.Effect<ReadonlyArray<Entry>, DbError.DbError>
    /**
     * The entries of a range, as of the moment the stream starts, in chunks. Their bytes are the caller's own.
     *
     * However long it takes, the stream shows that moment, and holds a few blocks of each table it reads.
     * Fails with `Invalid` for a range whose end sorts before its start; otherwise as `get`.
     */
    readonly scan: (range: KeyRange.KeyRange, options?: ScanOptions) => Stream.Stream<Entry, DbError.DbError>
    /**
     * Stores what was accepted before. `"wal"`, the default: as a WAL object, so that it is durable. `"memtable"`:
     * as tables of level 0, too. Without a WAL only the latter is possible, and the default.
     */
    readonly flush: (target?: "wal" | "memtable") => Effect.Effect<void, DbError.DbError>
    /** What the database is doing. Costs nothing; works also after it has closed. */
    readonly status: Effect.Effect<Status>
    /**
     * Takes no new calls, stores what was accepted, and ends all tasks. The end of the scope does the same.
     *
     * May be called again, and concurrently: all calls get one answer. Fails with `Closed` when accepted
     * writes could not be stored, because the database had failed or been fenced before, or because the store
     * did not answer for `settings.closeTimeout`.
     */
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
