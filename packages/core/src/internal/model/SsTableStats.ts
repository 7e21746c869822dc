/**
 * Counts that a compacted table's writer leaves in the object, for tools and
 * schedulers. WAL objects have none, and no read depends on them.
 */
export interface BlockStats {
  readonly puts: number
  readonly deletes: number
  readonly merges: number
}

export interface SsTableStats {
  readonly puts: number
  readonly deletes: number
  readonly merges: number
  /** Bytes of all keys, before prefix sharing and compression. */
  readonly rawKeyBytes: number
  /** Bytes of all values, before compression. */
  readonly rawValueBytes: number
  /** One for each block, in order. A count is 16 bits wide. */
  readonly blocks: ReadonlyArray<BlockStats>
}
