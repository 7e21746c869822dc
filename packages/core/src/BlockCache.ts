/**
 * Keeps the parts of tables that reads come back to: decoded blocks, and the index
 * and filter of each table.
 *
 * One cache serves every database of a process, within one byte budget each for
 * blocks and for metadata. Tables never change, so nothing in it can be stale; the
 * least recently used part makes room. A table that a memtable was flushed to is put
 * in when it is stored, index and filter whole and blocks up to half of their budget. It is a service with a default, so a program
 * provides one only to change the budget.
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type { BloomFilter } from "./internal/format/BloomFilter.ts"
import type { SsTableIndex } from "./internal/format/SsTableIndex.ts"

/**
 * The index of a table and its filter, if it has one.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface TableMeta {
  readonly index: SsTableIndex
  readonly filter: BloomFilter | undefined
  /** What it weighs in the cache. */
  readonly sizeBytes: number
}

/**
 * The cached parts of one table. A lookup counts as a use.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface CachedTable {
  readonly meta: () => TableMeta | undefined
  readonly keepMeta: (meta: TableMeta) => void
  /** The uncompressed bytes of block `index`; never changed by anybody. */
  readonly block: (index: number) => Uint8Array | undefined
  readonly keepBlock: (index: number, block: Uint8Array) => void
}

/**
 * How often the cache answered, and what it holds.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface CacheStats {
  readonly blockHits: number
  readonly blockMisses: number
  readonly blockBytes: number
  readonly metaHits: number
  readonly metaMisses: number
  readonly metaBytes: number
}

/**
 * A cache of table parts.
 *
 * **Details**
 *
 * `table` gives the cached parts of the table with this key, which names it among
 * all tables of all stores of the process.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface BlockCache {
  /** Bytes of blocks that it keeps at most. */
  readonly blockBytesMax: number
  readonly table: (key: string) => CachedTable
  readonly stats: () => CacheStats
}

/**
 * A cache in memory: least recently used first out, by bytes.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const makeMemory = (options: { readonly blockBytesMax: number; readonly metaBytesMax: number }): BlockCache => {
  const blocks = new LeastRecentlyUsed<Uint8Array>(options.blockBytesMax)
  const metas = new LeastRecentlyUsed<TableMeta>(options.metaBytesMax)
  const tables = new Map<string, Parts>()
  return {
    blockBytesMax: options.blockBytesMax,
    table: (key) => {
      let last: Parts | undefined
      const present = (): Parts | undefined => {
        if (last === undefined || last.count === 0) last = tables.get(key)
        return last
      }
      const oneMore = (): Parts => {
        const parts = present() ?? new Parts()
        if (parts.count++ === 0) tables.set(key, parts)
        return parts
      }
      const oneLess = (parts: Parts): void => {
        if (--parts.count === 0) tables.delete(key)
      }
      return {
        meta: () => metas.use(present()?.meta),
        keepMeta: (meta) => {
          if (present()?.meta !== undefined) return
          const parts = oneMore()
          parts.meta = metas.add(meta, meta.sizeBytes, () => {
            parts.meta = undefined
            oneLess(parts)
          })
        },
        block: (index) => blocks.use(present()?.blocks[index]),
        keepBlock: (index, block) => {
          if (present()?.blocks[index] !== undefined) return
          const parts = oneMore()
          parts.blocks[index] = blocks.add(block, block.length, () => {
            parts.blocks[index] = undefined
            oneLess(parts)
          })
        }
      }
    },
    stats: () => ({
      blockHits: blocks.hits,
      blockMisses: blocks.misses,
      blockBytes: blocks.bytes,
      metaHits: metas.hits,
      metaMisses: metas.misses,
      metaBytes: metas.bytes
    })
  }
}

/**
 * The cache of a process; 64 MiB of blocks and 32 MiB of metadata by default.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export const BlockCache = Context.Reference<BlockCache>("@effect-slatedb/core/BlockCache", {
  defaultValue: () => makeMemory({ blockBytesMax: 64 * 1024 * 1024, metaBytesMax: 32 * 1024 * 1024 })
})

/**
 * Provides a cache in memory with a budget of its own.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layerMemory = (options: {
  readonly blockBytesMax: number
  readonly metaBytesMax: number
}): Layer.Layer<never> => Layer.sync(BlockCache, () => makeMemory(options))

/**
 * Provides a cache that keeps nothing.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layerNoop: Layer.Layer<never> = layerMemory({ blockBytesMax: 0, metaBytesMax: 0 })

/** The cached parts of one table, however many use it. Known to the cache while there are any. */
class Parts {
  meta: Slot<TableMeta> | undefined = undefined
  readonly blocks: Array<Slot<Uint8Array> | undefined> = []
  count = 0
}

interface Slot<A> {
  value: A
  sizeBytes: number
  evicted: () => void
  newer: Slot<A> | undefined
  older: Slot<A> | undefined
}

/** A byte-weighted list from the most to the least recently used value. */
class LeastRecentlyUsed<A> {
  hits = 0
  misses = 0
  bytes = 0
  readonly #bytesMax: number
  #newest: Slot<A> | undefined
  #oldest: Slot<A> | undefined

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  use(slot: Slot<A> | undefined): A | undefined {
    if (slot === undefined) {
      this.misses++
      return undefined
    }
    this.hits++
    if (slot !== this.#newest) {
      this.#unlink(slot)
      this.#pushNewest(slot)
    }
    return slot.value
  }

  /** Adds a value, unless it is heavier than the whole budget. */
  add(value: A, sizeBytes: number, evicted: () => void): Slot<A> | undefined {
    if (sizeBytes > this.#bytesMax) {
      evicted()
      return undefined
    }
    const slot: Slot<A> = { value, sizeBytes, evicted, newer: undefined, older: undefined }
    this.bytes += sizeBytes
    this.#pushNewest(slot)
    while (this.bytes > this.#bytesMax && this.#oldest !== undefined) this.#evict(this.#oldest)
    return slot
  }

  #evict(slot: Slot<A>): void {
    this.#unlink(slot)
    this.bytes -= slot.sizeBytes
    slot.evicted()
  }

  #pushNewest(slot: Slot<A>): void {
    slot.older = this.#newest
    slot.newer = undefined
    if (this.#newest === undefined) this.#oldest = slot
    else this.#newest.newer = slot
    this.#newest = slot
  }

  #unlink(slot: Slot<A>): void {
    if (slot.newer === undefined) this.#newest = slot.older
    else slot.newer.older = slot.older
    if (slot.older === undefined) this.#oldest = slot.newer
    else slot.older.newer = slot.newer
  }
}
