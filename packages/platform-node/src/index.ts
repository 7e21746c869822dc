/**
 * What Node.js adds to effect-slatedb.
 *
 * @stability unstable
 * @since 0.1.0
 */

/**
 * Compaction in worker threads.
 *
 * @stability unstable
 * @since 0.1.0
 */
export * as CompactionWorker from "./CompactionWorker.ts"

/**
 * zlib, zstd and native checksums.
 *
 * @stability unstable
 * @since 0.1.0
 */
export * as NodeCompression from "./NodeCompression.ts"
