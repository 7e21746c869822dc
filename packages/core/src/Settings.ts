/**
 * How a database behaves: data, nothing else.
 *
 * Every field has a default that suits a Node process; most programs set none.
 * What is not data (stores, caches, codecs, merge operators) is a service and
 * comes in through a layer. Settings can be given in code, read from a JSON file,
 * or read from the environment (`SLATEDB_FLUSH_INTERVAL=5ms`).
 *
 * Names and defaults follow SlateDB, except memory, which is smaller here.
 *
 * @stability unstable
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"

/**
 * **What changes behaviour**
 *
 * - `walEnabled`: without a WAL a write is durable when its memtable is in level 0. Default true.
 * - `walFlush`: when a WAL is frozen and stored. `"interval"`: every `flushInterval`. `"eager"`: as soon as
 *   somebody waits for durability and no upload is under way. `"manual"`: only on `flush`. Default `"interval"`.
 * - `flushInterval`: 100 ms, at least 1 ms.
 * - `defaultTtl`: lifetime of values written without a `ttl`; `null`, the default: for ever.
 * - `hideExpired`: whether reads hide expired values before compaction drops them. Default true.
 * - `compression`: how new tables are stored. Default `"none"`.
 * - `leaseDuration`: an acknowledgement needs a manifest read that began less than this ago. 60 s; keep it below a
 *   third of the least age at which any collector deletes.
 *
 * **What changes performance**
 *
 * - `walMaxBytes`: a WAL of this size is frozen at once. 16 MiB.
 * - `l0SstSizeBytes`: a memtable of this size is frozen. 64 MiB.
 * - `walFilesPerMemtableMax`: a memtable is also frozen after this many WAL objects, to keep replay short. 4,096.
 * - `l0MaxSsts`: no memtable is flushed while level 0 has this many tables. 8.
 * - `l0FlushParallelism`: level 0 tables built and uploaded at once. 4.
 * - `maxUnflushedBytes`: writers wait while memory holds this much that is not in level 0. 256 MiB; above `l0SstSizeBytes`.
 * - `blockSizeBytes`: a power of two from 1,024 to 65,536. Default 4,096.
 * - `minFilterKeys`: a table of fewer rows has no filter. 1,000.
 * - `filterBitsPerKey`: 10, from 1 to 64.
 * - `manifestPollInterval`: 1 s. `manifestUpdateTimeout`: how long an open tries to take the writer epoch, 300 s.
 * - `compactorPollInterval`: 5 s.
 * - `replayFetchesMax`: WAL objects fetched ahead while opening. 16.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Settings {
  readonly walEnabled: boolean
  readonly walFlush: "interval" | "eager" | "manual"
  readonly flushInterval: Duration.Duration
  readonly walMaxBytes: number
  readonly l0SstSizeBytes: number
  readonly walFilesPerMemtableMax: number
  readonly l0MaxSsts: number
  readonly l0FlushParallelism: number
  readonly maxUnflushedBytes: number
  readonly blockSizeBytes: number
  readonly minFilterKeys: number
  readonly filterBitsPerKey: number
  readonly compression: "none" | "snappy" | "zlib" | "lz4" | "zstd"
  readonly defaultTtl: Duration.Duration | null
  readonly hideExpired: boolean
  readonly manifestPollInterval: Duration.Duration
  readonly manifestUpdateTimeout: Duration.Duration
  readonly compactorPollInterval: Duration.Duration
  readonly leaseDuration: Duration.Duration
  readonly replayFetchesMax: number
}
