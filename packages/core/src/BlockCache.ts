/**
 * Keeps the parts of tables that reads come back to: decoded blocks, and the index
 * and filter of each table.
 *
 * One cache serves every database of a process, within one byte budget each for
 * blocks and for metadata. Tables never change, so nothing in it can be stale; what was
 * not used for long makes room. A table that a memtable was flushed to is put in when it is
 * stored, index and filter whole and blocks up to half of their budget; of a table that a compaction wrote,
 * the blocks whose rows were being read. It is a service with a default, so a program
 * provides one only to change the budget.
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type { Block } from "./internal/format/Block.ts"
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
  /** Block `index`, uncompressed; its bytes are never changed by anybody. */
  readonly block: (index: number) => Block | undefined
  readonly keepBlock: (index: number, block: Block) => void
  /** Whether block `index` is kept, and was used since it came or had its last chance. To ask is no use. */
  readonly isBlockUsed: (index: number) => boolean
  /** The table is no longer named: what is kept of it has no second chance, unless it is used again. */
  readonly retire: () => void
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
 * A cache in memory, within bounds of bytes.
 *
 * **Details**
 *
 * First in, first out, with a second chance for what was used since it came or had its
 * last chance (CLOCK, see F. J. Corbato, "A Paging Experiment with the Multics System", 1968): close
 * to least recently used, while a use costs one mark, and no trip to a list.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const makeMemory = (options: { readonly blockBytesMax: number; readonly metaBytesMax: number }): BlockCache => {
  const blocks = new Clock(options.blockBytesMax)
  const metas = new Clock(options.metaBytesMax)
  const tables = new Map<string, Parts>()
  return {
    blockBytesMax: options.blockBytesMax,
    table: (key) => {
      let last: Parts | undefined
      const present = (): Parts | undefined => {
        if (last === undefined || last.count === 0) last = tables.get(key)
        return last
      }
      const presentOrNew = (): Parts => {
        const known = present()
        if (known !== undefined) return known
        const parts = new Parts(() => tables.delete(key))
        tables.set(key, parts)
        return parts
      }
      return {
        meta: () => {
          const parts = present()
          const meta = parts?.meta
          if (parts === undefined || meta === undefined) {
            metas.misses++
            return undefined
          }
          metas.hits++
          parts.isMetaUsed = true
          return meta
        },
        keepMeta: (meta) => {
          if (present()?.meta !== undefined || !metas.canHold(meta.sizeBytes)) return
          const parts = presentOrNew()
          parts.addMeta(meta)
          metas.add(new MetaSlot(parts, meta.sizeBytes))
        },
        block: (index) => {
          const parts = present()
          const block = parts?.blocks[index]
          if (parts === undefined || block === undefined) {
            blocks.misses++
            return undefined
          }
          blocks.hits++
          parts.usedBlocks[index] = 1
          return block
        },
        keepBlock: (index, block) => {
          const sizeBytes = block.sizeBytes
          if (present()?.blocks[index] !== undefined || !blocks.canHold(sizeBytes)) return
          const parts = presentOrNew()
          parts.addBlock(index, block)
          blocks.add(new BlockSlot(parts, index, sizeBytes))
        },
        isBlockUsed: (index) => present()?.usedBlocks[index] === 1,
        retire: () => present()?.forgetUses()
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
  meta: TableMeta | undefined = undefined
  isMetaUsed = false
  readonly blocks: Array<Block | undefined> = []
  /** 1: used since the clock's hand passed. Beside the blocks, so that a use touches nothing that is not at hand. */
  usedBlocks = new Uint8Array(64)
  count = 0
  readonly #onEmpty: () => void

  constructor(onEmpty: () => void) {
    this.#onEmpty = onEmpty
  }

  addMeta(meta: TableMeta): void {
    this.meta = meta
    this.isMetaUsed = false
    this.count++
  }

  addBlock(index: number, block: Block): void {
    if (index >= this.usedBlocks.length) {
      const larger = new Uint8Array(Math.max(index + 1, 2 * this.usedBlocks.length))
      larger.set(this.usedBlocks)
      this.usedBlocks = larger
    }
    this.blocks[index] = block
    this.usedBlocks[index] = 0
    this.count++
  }

  forgetUses(): void {
    this.isMetaUsed = false
    this.usedBlocks.fill(0)
  }

  removedOne(): void {
    if (--this.count === 0) this.#onEmpty()
  }
}

/** What the hand of a clock passes: a part that is kept. */
interface Slot {
  readonly sizeBytes: number
  /** The slot that came after this one. */
  next: Slot | undefined
  /** Whether the part was used since the last time this was asked. */
  readonly takeUse: () => boolean
  readonly evict: () => void
}

class BlockSlot implements Slot {
  next: Slot | undefined = undefined
  readonly sizeBytes: number
  readonly #parts: Parts
  readonly #index: number

  constructor(parts: Parts, index: number, sizeBytes: number) {
    this.#parts = parts
    this.#index = index
    this.sizeBytes = sizeBytes
  }

  takeUse(): boolean {
    const isUsed = this.#parts.usedBlocks[this.#index] === 1
    this.#parts.usedBlocks[this.#index] = 0
    return isUsed
  }

  evict(): void {
    this.#parts.blocks[this.#index] = undefined
    this.#parts.removedOne()
  }
}

class MetaSlot implements Slot {
  next: Slot | undefined = undefined
  readonly sizeBytes: number
  readonly #parts: Parts

  constructor(parts: Parts, sizeBytes: number) {
    this.#parts = parts
    this.sizeBytes = sizeBytes
  }

  takeUse(): boolean {
    const isUsed = this.#parts.isMetaUsed
    this.#parts.isMetaUsed = false
    return isUsed
  }

  evict(): void {
    this.#parts.meta = undefined
    this.#parts.removedOne()
  }
}

/** A queue of what is kept, from the part that the hand reaches next. */
class Clock {
  hits = 0
  misses = 0
  bytes = 0
  readonly #bytesMax: number
  #first: Slot | undefined
  #last: Slot | undefined

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Whether a part is lighter than the whole budget. */
  canHold(sizeBytes: number): boolean {
    return sizeBytes <= this.#bytesMax
  }

  /** Adds a part that can be held, and makes room for it. */
  add(slot: Slot): void {
    this.bytes += slot.sizeBytes
    while (this.bytes > this.#bytesMax && this.#first !== undefined) this.#pass(this.#first)
    this.#push(slot)
  }

  /** The hand passes the first slot: it goes, or waits for its next turn. */
  #pass(slot: Slot): void {
    this.#first = slot.next
    if (this.#first === undefined) this.#last = undefined
    slot.next = undefined
    if (slot.takeUse()) {
      this.#push(slot)
      return
    }
    this.bytes -= slot.sizeBytes
    slot.evict()
  }

  #push(slot: Slot): void {
    if (this.#last === undefined) this.#first = slot
    else this.#last.next = slot
    this.#last = slot
  }
}
