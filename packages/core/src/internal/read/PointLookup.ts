/**
 * The newest visible value of one key.
 *
 * `find` is one plain function over memory. When it meets a part of a table that
 * is not in memory it stops and says which; the caller loads it and calls again.
 * So a lookup that memory can answer costs no Effect, and there is one way to
 * search, not a synchronous and an asynchronous one.
 *
 *     find ──> value | missing
 *      ^  └──> Lack(part) ──> load it ──┐
 *      └────────────────────────────────┘
 *
 * In a table: key range, then filter, then index, then one block.
 */
import * as Effect from "effect/Effect"
import type { TableMeta } from "../../BlockCache.ts"
import type { DbError } from "../../DbError.ts"
import { BlockCursor, BlockStep } from "../format/BlockCursor.ts"
import { SipHash } from "../format/SipHash.ts"
import type { SealedGeneration } from "../lsm/DbState.ts"
import { ByteCopies } from "../lsm/ByteCopies.ts"
import type { Generation } from "../lsm/Generation.ts"
import { MergeFold, type MergeFunction } from "../lsm/MergeFold.ts"
import { compareRange } from "../model/ByteOrder.ts"
import { Kind } from "../model/RowEntry.ts"
import type { Sequence } from "../model/Sequence.ts"
import type { TableReader } from "../store/TableReader.ts"
import type { ReadView } from "./ReadView.ts"

/** A part of a table that is not in memory: its index and filter, or one block. */
export class Lack {
  readonly reader: TableReader
  readonly block: number | undefined

  constructor(reader: TableReader, block: number | undefined) {
    this.reader = reader
    this.block = block
  }
}

/** The key has no value. */
export const missing = Symbol("missing")

export type Answer = Uint8Array | typeof missing | Lack | DbError

export interface Options {
  /** Called for a merge operand; throws when the database has no merge operator. */
  readonly merge: MergeFunction
  /** The time at which values count as expired; `-Infinity` where expiry is not to be seen. */
  readonly now: () => number
}

export class PointLookup {
  readonly #options: Options
  readonly #cursor = new BlockCursor()
  readonly #hash = new SipHash()
  readonly #operands = new MergeFold()
  readonly #copies = new ByteCopies()

  constructor(options: Options) {
    this.#options = options
  }

  /**
   * The value of a key as of `view`, in bytes of the caller's own. `local` holds parts
   * that were loaded for this lookup, so that it ends also where no cache keeps them.
   */
  find(view: ReadView, key: Uint8Array, local: LocalParts | undefined): Answer {
    this.#operands.clear()
    const now = this.#options.now()
    const inMemory = this.#findInMemory(view, key, now)
    if (inMemory !== undefined) return inMemory
    const { l0, runs } = view.tables
    if (l0.length > 0 || runs.length > 0) {
      this.#hash.hash(key, 0, key.length)
      for (let i = 0; i < l0.length; i++) {
        const answer = this.#findInTable(l0[i] as TableReader, view.maxSequence, key, now, local)
        if (answer !== undefined) return answer
      }
      for (let i = 0; i < runs.length; i++) {
        const answer = this.#findInRun(runs[i] as ReadonlyArray<TableReader>, view.maxSequence, key, now, local)
        if (answer !== undefined) return answer
      }
    }
    return this.#operands.isEmpty ? missing : this.#operands.fold(this.#options.merge, key, undefined)
  }

  #findInMemory(view: ReadView, key: Uint8Array, now: number): Answer | undefined {
    const { open, sealed } = view.state
    const answer = this.#findInGeneration(open, view.maxSequence, key, now)
    if (answer !== undefined) return answer
    for (let i = 0; i < sealed.length; i++) {
      const { generation } = sealed[i] as SealedGeneration
      const answer = this.#findInGeneration(generation, view.maxSequence, key, now)
      if (answer !== undefined) return answer
    }
    return undefined
  }

  #findInGeneration(
    generation: Generation,
    maxSequence: Sequence,
    key: Uint8Array,
    now: number
  ): Uint8Array | typeof missing | undefined {
    for (let row = generation.find(key, 0, key.length, maxSequence); row >= 0; row = generation.older(row)) {
      const kind = generation.kindOf(row)
      const isAlive = generation.expireTimeOf(row) > now
      if (kind === Kind.merge) {
        if (isAlive) this.#operands.addOlderBytes(generation.copyValue(row))
      } else {
        return this.#finish(key, kind === Kind.put && isAlive ? generation.copyValue(row) : undefined)
      }
    }
    return undefined
  }

  /** The last table that begins at or below the key, and neighbours that end with it. */
  #findInRun(
    tables: ReadonlyArray<TableReader>,
    maxSequence: Sequence,
    key: Uint8Array,
    now: number,
    local: LocalParts | undefined
  ): Answer | undefined {
    for (let i = firstEndingAtOrAfter(tables, key); i < tables.length; i++) {
      const reader = tables[i] as TableReader
      if (!reader.mayBeginBefore(key)) return undefined
      const answer = this.#findInTable(reader, maxSequence, key, now, local)
      if (answer !== undefined) return answer
    }
    return undefined
  }

  #findInTable(
    reader: TableReader,
    maxSequence: Sequence,
    key: Uint8Array,
    now: number,
    local: LocalParts | undefined
  ): Answer | undefined {
    if (!reader.mayHold(key)) return undefined
    const meta = reader.cached.meta() ?? local?.meta(reader)
    if (meta === undefined) return new Lack(reader, undefined)
    const { filter, index } = meta
    if (filter !== undefined && !filter.mightContain(this.#hash.low, this.#hash.high)) return undefined
    for (let block = index.findFirst(key, 0, key.length); block < index.blockCount; block++) {
      const payload = reader.cached.block(block) ?? local?.block(reader, block)
      if (payload === undefined) return new Lack(reader, block)
      const cursor = this.#cursor
      cursor.load(payload, reader.table.formatVersion)
      let step = cursor.seek(key, 0, key.length)
      for (; step === BlockStep.row; step = cursor.next()) {
        const row = cursor.row
        if (compareRange(row.key, row.keyStart, row.keyEnd, key, 0, key.length) !== 0) return undefined
        if (row.sequence > maxSequence) continue
        const isAlive = row.expireTime > now
        if (row.kind === Kind.merge) {
          if (isAlive) this.#operands.addOlder(row)
        } else {
          const value =
            row.kind === Kind.put && isAlive ? this.#copies.copy(row.value, row.valueStart, row.valueEnd) : undefined
          return this.#finish(key, value)
        }
      }
      if (step === BlockStep.corrupt) return reader.corruptBlock(index.blockOffset(block), cursor.error)
    }
    return undefined
  }

  /** The value or tombstone on which the operands met so far rest. */
  #finish(key: Uint8Array, base: Uint8Array | undefined): Uint8Array | typeof missing {
    if (!this.#operands.isEmpty) return this.#operands.fold(this.#options.merge, key, base)
    return base ?? missing
  }
}

/** Parts loaded for one lookup. */
export class LocalParts {
  readonly #metas = new Map<TableReader, TableMeta>()
  readonly #blocks = new Map<TableReader, Map<number, Uint8Array>>()

  meta(reader: TableReader): TableMeta | undefined {
    return this.#metas.get(reader)
  }

  block(reader: TableReader, block: number): Uint8Array | undefined {
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
    return Effect.map(reader.loadBlock(block, cacheBlocks), (payload) => {
      const blocks = this.#blocks.get(reader) ?? new Map<number, Uint8Array>()
      this.#blocks.set(reader, blocks.set(block, payload))
    })
  }
}

/** Index of the first table of a run whose last key is not below `key`. */
const firstEndingAtOrAfter = (tables: ReadonlyArray<TableReader>, key: Uint8Array): number => {
  let low = 0
  let high = tables.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((tables[middle] as TableReader).endsBefore(key)) low = middle + 1
    else high = middle
  }
  return low
}
