/**
 * What writes take: re-exported by the public `Db` module.
 */

/**
 * How to write.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface WriteOptions {
  /** Whether to return only when the write is durable. Default true. */
  readonly awaitDurable?: boolean | undefined
}
