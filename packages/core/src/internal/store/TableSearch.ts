/**
 * Finds the versions of one key in one table, newest first.
 *
 *     start(key) ─> newest(table) ─> row ─> older() ─> row ... ─> absent
 *                               └──> a Lack: load it, then ask for the newest again
 *
 * Everything is a plain function over what is in memory: filter, or the key range where
 * there is none, then index, then one block. What is not in memory is named by a `Lack`. One
 * search serves a database: it belongs to nobody between two lookups.
 */
import * as Effect from "effect/Effect"
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

/** A part of a table that is not in memory: its index and filter, or one block of its index. */
export class Lack {
  readonly reader: TableReader
  readonly block: { readonly index: SsTableIndex; readonly number: number } | undefined

  constructor(reader: TableReader, block: Lack["block"]) {
    this.reader = reader
    this.block = block
  }
}

/** The search stands on a row, or the table has no more. */
export const Found = { row: 0, absent: 1 } as const
export type Found = (typeof Found)[keyof typeof Found]

const noKey = new Uint8Array(0)

export class TableSearch {
  readonly #cursor = new BlockCursor()
  readonly #hash = new SipHash()
  #key: Uint8Array = noKey
  #isHashed = false
  #maxSequence: Sequence = 0
  #reader: TableReader | undefined
  #meta: TableMeta | undefined
  #local: LocalParts | undefined
  #block = 0
  /** The key's number in the table that is searched. */
  #number = 0

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

  /** Moves to the newest version in a table. */
  newest(reader: TableReader): Found | Lack | DbError {
    const key = this.#key
    const meta = reader.cached.meta() ?? this.#local?.meta(reader)
    // Where there is a filter, it says no sooner than the range does.
    if ((meta?.filter === undefined && !reader.mayHold(key)) || !reader.shows(key)) return Found.absent
    if (meta === undefined) return new Lack(reader, undefined)
    if (meta.filter !== undefined) {
      if (!this.#isHashed) {
        this.#hash.hash(key, 0, key.length)
        this.#isHashed = true
      }
      if (!meta.filter.mightContain(this.#hash.low, this.#hash.high)) return Found.absent
    }
    this.#reader = reader
    this.#meta = meta
    const { index } = meta
    this.#number = index.numbering.of(key, 0, key.length)
    return this.#enter(Math.max(0, index.findLastBelowNumber(this.#number, key, 0, key.length)))
  }

  /** Moves to the next older version in the same table. */
  older(): Found | Lack | DbError {
    return this.#settle(this.#cursor.next(), false)
  }

  /** Moves to the first version in a block. */
  #enter(number: number): Found | Lack | DbError {
    const reader = this.#reader as TableReader
    const { index } = this.#meta as TableMeta
    if (number >= index.blockCount) return Found.absent
    const block = reader.cached.block(number) ?? this.#local?.block(reader, number)
    if (block === undefined) return new Lack(reader, { index, number })
    this.#block = number
    const cursor = this.#cursor
    const directory = cursor.enterWithDirectory(block, index.numbering)
    const key = this.#key
    return directory === null
      ? this.#settle(cursor.seek(key, 0, key.length), false)
      : this.#settle(cursor.find(key, this.#number, directory), true)
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
    return next < index.blockCount && index.compareSeparator(next, key) <= 0 ? this.#enter(next) : Found.absent
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
    const { block, reader } = lack
    if (block === undefined) {
      return Effect.map(reader.loadMeta, (meta) => {
        this.#metas.set(reader, meta)
      })
    }
    return Effect.map(reader.loadBlock(block.index, block.number, cacheBlocks), (loaded) => {
      const blocks = this.#blocks.get(reader) ?? new Map<number, Block>()
      this.#blocks.set(reader, blocks.set(block.number, loaded))
    })
  }
}
