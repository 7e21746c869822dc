/**
 * Finds the versions of one key in one table, newest first.
 *
 *     start(key) ─> newest(table) ─> row ─> older() ─> row ... ─> absent
 *                               └──> a Lack: load it, then ask for the newest again
 *
 * Everything is a plain function over what is in memory: filter, or the key range where
 * there is none, then index, then one block. What is not in memory is named by a `Lack`. One
 * search serves a database: it belongs to nobody between two lookups.
 *
 * In the last table that may hold the key, a filter is asked only where it likely helps. It
 * costs a hash and some trips to memory, a fifth of a lookup that finds its key; so where lookups
 * lately found theirs, the block is looked into at once, if it is in memory.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { TableMeta } from "../../BlockCache.ts"
import type { DbError } from "../../DbError.ts"
import type { Block } from "../format/Block.ts"
import { BlockCursor, BlockStep } from "../format/BlockCursor.ts"
import { SipHash } from "../format/SipHash.ts"
import type { SsTableIndex } from "../format/SsTableIndex.ts"
import { equalsRange } from "../model/ByteOrder.ts"
import type { RowView } from "../model/RowEntry.ts"
import type { Sequence } from "../model/Sequence.ts"
import type { TableReader } from "./TableReader.ts"

/**
 * A part of a table that is not in memory: its index and filter, or blocks of its index: the first that may hold the
 * key, and the one behind it where the key is that one's separator: for then it likely begins there, and a request for
 * both costs less than two.
 */
export class Lack {
  readonly reader: TableReader
  readonly blocks: { readonly index: SsTableIndex; readonly from: number; readonly to: number } | undefined

  constructor(reader: TableReader, blocks: Lack["blocks"]) {
    this.reader = reader
    this.blocks = blocks
  }
}

/** The search stands on a row, or the table has no more. */
export const Found = { row: 0, absent: 1 } as const
export type Found = (typeof Found)[keyof typeof Found]

const noKey = new Uint8Array(0)

/**
 * What is kept of how lookups in last tables ended: a key that is found adds one, one that is not takes two away, as to look
 * in vain costs about three filters, by estimate. So above half of the most, two of three were found.
 */
const findsMax = 16

export class TableSearch {
  readonly #cursor = new BlockCursor()
  readonly #hash = new SipHash()
  #finds = findsMax
  #key: Uint8Array = noKey
  #isHashed = false
  #maxSequence: Sequence = 0
  #reader: TableReader | undefined
  #meta: TableMeta | undefined
  /** Whether the table's filter was asked before its blocks. */
  #isFiltered = false
  #local: LocalParts | undefined
  #block = 0
  /** The key's number in the table that is searched, and whether it is exact. */
  #number = 0
  #isExact = false

  /** The version it stands on. Borrowed until the search moves. */
  get row(): RowView {
    return this.#cursor.row
  }

  /** Begins a lookup: versions above `maxSequence` are passed by. */
  start(key: Uint8Array, maxSequence: Sequence, local: LocalParts | undefined): void {
    this.#key = key
    this.#isHashed = false
    this.#maxSequence = maxSequence
    this.#local = local
  }

  /** Moves to the newest version in a table; `isLast`: no other is asked after it. */
  newest(reader: TableReader, isLast: boolean): Found | Lack | DbError {
    const found = this.#newest(reader, isLast && this.#finds > findsMax / 2)
    if (isLast) {
      if (found === Found.row) this.#finds = Math.min(findsMax, this.#finds + 1)
      else if (found === Found.absent) this.#finds = Math.max(0, this.#finds - 2)
    }
    return found
  }

  #newest(reader: TableReader, isLikelyFound: boolean): Found | Lack | DbError {
    const key = this.#key
    const meta = reader.cached.meta() ?? this.#local?.meta(reader)
    // Where there is a filter, it says no sooner than the range does.
    if ((meta?.filter === undefined && !reader.mayHold(key)) || !reader.shows(key)) return Found.absent
    if (meta === undefined) return new Lack(reader, undefined)
    this.#reader = reader
    this.#meta = meta
    this.#isFiltered = !isLikelyFound
    if (!isLikelyFound && this.#isFilteredOut(meta)) return Found.absent
    const { index } = meta
    const { numbering } = index
    this.#number = numbering.of(key, 0, key.length)
    this.#isExact = numbering.isExact(this.#number, key, 0, key.length)
    return this.#enter(Math.max(0, index.findLastBelowNumber(this.#number, key, 0, key.length)))
  }

  #isFilteredOut({ filter }: TableMeta): boolean {
    if (filter === undefined) return false
    if (!this.#isHashed) {
      this.#hash.hash(this.#key, 0, this.#key.length)
      this.#isHashed = true
    }
    return !filter.mightContain(this.#hash.low, this.#hash.high)
  }

  /** Moves to the next older version in the same table. */
  older(): Found | Lack | DbError {
    return this.#settle(this.#cursor.next(), false)
  }

  /** Moves to the first version in a block. */
  #enter(number: number): Found | Lack | DbError {
    const reader = this.#reader as TableReader
    const meta = this.#meta as TableMeta
    const { index } = meta
    if (number >= index.blockCount) return Found.absent
    const block = reader.cached.block(number) ?? this.#local?.block(reader, number)
    if (block === undefined) {
      return !this.#isFiltered && this.#isFilteredOut(meta) ? Found.absent : this.#lackFrom(number)
    }
    this.#block = number
    const cursor = this.#cursor
    const directory = cursor.enterWithDirectory(block, index.numbering)
    const key = this.#key
    return directory === null
      ? this.#settle(cursor.seek(key, 0, key.length), false)
      : this.#settle(cursor.find(key, this.#number, this.#isExact, directory), true)
  }

  #lackFrom(from: number): Lack {
    const reader = this.#reader as TableReader
    const { index } = this.#meta as TableMeta
    const next = from + 1
    const isNextWanted = this.#mayHold(next) && reader.cached.block(next) === undefined
    return new Lack(reader, { index, from, to: isNextWanted ? next + 1 : next })
  }

  /** Whether a block behind one that may hold the key may do so, too. */
  #mayHold(block: number): boolean {
    const { index } = this.#meta as TableMeta
    return block < index.blockCount && index.compareSeparator(block, this.#key) <= 0
  }

  /** Passes by what the reader must not see; versions may go on in the next block. */
  #settle(first: BlockStep, isOfKey: boolean): Found | Lack | DbError {
    const cursor = this.#cursor
    const key = this.#key
    let step = first
    for (let isKnown = isOfKey; step === BlockStep.row; step = cursor.next(), isKnown = false) {
      const row = cursor.row
      if (!isKnown && !equalsRange(row.key, row.keyStart, row.keyEnd, key, 0, key.length)) return Found.absent
      if (row.sequence <= this.#maxSequence) return Found.row
    }
    const { index } = this.#meta as TableMeta
    if (step === BlockStep.corrupt) {
      return (this.#reader as TableReader).corruptBlock(index.blockOffset(this.#block), cursor.error)
    }
    const next = this.#block + 1
    return this.#mayHold(next) ? this.#enter(next) : Found.absent
  }
}

/** Parts loaded for one lookup, so that it ends also where no cache keeps them. */
export class LocalParts {
  readonly #metas = new Map<TableReader, TableMeta>()
  readonly #blocks = new Map<TableReader, Map<number, Block>>()

  meta(reader: TableReader): TableMeta | undefined {
    return this.#metas.get(reader)
  }

  block(reader: TableReader, block: number): Block | undefined {
    return this.#blocks.get(reader)?.get(block)
  }

  /** Loads what a lookup lacked. */
  load(lack: Lack, cacheBlocks: boolean): Effect.Effect<void, DbError> {
    const { blocks: wanted, reader } = lack
    if (wanted === undefined) {
      return Effect.map(reader.loadMeta, (meta) => {
        this.#metas.set(reader, meta)
      })
    }
    return Effect.flatMap(reader.loadBlocks(wanted.index, wanted.from, wanted.to, cacheBlocks), (stretch) => {
      const blocks = this.#blocks.get(reader) ?? new Map<number, Block>()
      this.#blocks.set(reader, blocks)
      for (let number = stretch.from; number < stretch.to; number++) {
        const block = stretch.block(number)
        if (Result.isFailure(block)) return Effect.fail(block.failure)
        blocks.set(number, block.success)
      }
      return Effect.void
    })
  }
}
