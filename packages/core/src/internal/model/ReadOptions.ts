/**
 * What reads take and give: re-exported by the public `Db` module.
 */

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
 * What `getUnsafe` answers when a part of a table would have to be fetched first.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export const notResident: unique symbol = Symbol.for("@effect-slatedb/core/Db/notResident")

/**
 * How to read one key, or several.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface ReadOptions {
  /** Default `"committed"`. */
  readonly readLevel?: ReadLevel | undefined
  /** Whether blocks read from the store stay in the block cache. Default true. */
  readonly cacheBlocks?: boolean | undefined
}

/**
 * How to read a range of keys.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface ScanOptions {
  /** Default `"committed"`. */
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
  /**
   * Bytes to fetch ahead of the reader at most, per table; as the scan goes on it comes to that. 0 fetches block by
   * block. Default 1 MiB, or less where more than eight tables are read at once: 8 MiB together.
   */
  readonly readAheadBytes?: number | undefined
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
