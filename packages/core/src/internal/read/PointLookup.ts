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
 * Sources come newest first; in each the versions of the key come newest first.
 * The first put or tombstone decides; merge operands met before it are gathered.
 * What becomes of the value's bytes, a copy or a view, is the caller's choice.
 */
import type { DbError } from "../../DbError.ts"
import { copyOf } from "../model/ByteCopy.ts"
import type { SealedGeneration } from "../lsm/DbState.ts"
import type { Generation } from "../lsm/Generation.ts"
import { MergeFold, type MergeFunction } from "../lsm/MergeFold.ts"
import { Kind, neverExpires, RowView } from "../model/RowEntry.ts"
import type { Sequence } from "../model/Sequence.ts"
import type { TableReader } from "../store/TableReader.ts"
import { Found, type Lack, type LocalParts, TableSearch } from "../store/TableSearch.ts"
import type { ReadView } from "./ReadView.ts"

/** The key has no value. */
export const missing = Symbol("missing")

export type Answer = Uint8Array | typeof missing | Lack | DbError

export interface Options {
  /** Called for a merge operand; throws when the database has no merge operator. */
  readonly merge: MergeFunction
  /** The time at which values count as expired; `-Infinity` where expiry is not to be seen. */
  readonly now: () => number
  /** The value `bytes[start, end)` as it is given out. */
  readonly take: (bytes: Uint8Array, start: number, end: number) => Uint8Array
}

export class PointLookup {
  readonly #options: Options
  readonly #search = new TableSearch()
  readonly #operands = new MergeFold()
  readonly #row = new RowView()
  #key: Uint8Array = new Uint8Array(0)
  /** One moment for the whole lookup, taken when a row asks for it. */
  #now: number | undefined

  constructor(options: Options) {
    this.#options = options
  }

  /** The value of a key as of `view`. `local` holds parts that were loaded for this lookup. */
  find(view: ReadView, key: Uint8Array, local: LocalParts | undefined): Answer {
    if (!this.#operands.isEmpty) this.#operands.clear()
    this.#key = key
    this.#now = undefined
    return (
      this.#findInMemory(view) ??
      this.#findInTables(view, local) ??
      (this.#operands.isEmpty ? missing : this.#operands.fold(this.#options.merge, key, undefined))
    )
  }

  #findInMemory(view: ReadView): Answer | undefined {
    const { open, sealed } = view.state
    const answer = this.#findInGeneration(open, view.maxSequence)
    if (answer !== undefined) return answer
    for (let i = 0; i < sealed.length; i++) {
      const answer = this.#findInGeneration((sealed[i] as SealedGeneration).generation, view.maxSequence)
      if (answer !== undefined) return answer
    }
    return undefined
  }

  #findInGeneration(generation: Generation, maxSequence: Sequence): Answer | undefined {
    if (generation.rowCount === 0) return undefined
    const key = this.#key
    for (let row = generation.find(key, 0, key.length, maxSequence); row >= 0; row = generation.older(row)) {
      generation.view(row, this.#row)
      const answer = this.#meet(this.#row)
      if (answer !== undefined) return answer
    }
    return undefined
  }

  #findInTables(view: ReadView, local: LocalParts | undefined): Answer | undefined {
    const { l0, runs } = view.tables
    this.#search.start(this.#key, view.maxSequence, local)
    for (let i = 0; i < l0.length; i++) {
      const answer = this.#findInTable(l0[i] as TableReader, runs.length === 0 && i === l0.length - 1)
      if (answer !== undefined) return answer
    }
    for (let i = 0; i < runs.length; i++) {
      const answer = this.#findInRun(runs[i] as ReadonlyArray<TableReader>, i === runs.length - 1)
      if (answer !== undefined) return answer
    }
    return undefined
  }

  /** The first table of a run that does not end before the key; more only where its versions cross a border. */
  #findInRun(tables: ReadonlyArray<TableReader>, isLast: boolean): Answer | undefined {
    const key = this.#key
    for (let i = firstEndingAtOrAfter(tables, key); i < tables.length; i++) {
      const reader = tables[i] as TableReader
      if (!reader.mayBeginBefore(key)) return undefined
      const answer = this.#findInTable(reader, isLast)
      if (answer !== undefined) return answer
    }
    return undefined
  }

  #findInTable(reader: TableReader, isLast: boolean): Answer | undefined {
    const search = this.#search
    let found = search.newest(reader, isLast)
    for (; found === Found.row; found = search.older()) {
      const answer = this.#meet(search.row)
      if (answer !== undefined) return answer
    }
    return found === Found.absent ? undefined : found
  }

  /** The next older version of the key: it decides, or is an operand. */
  #meet(row: RowView): Answer | undefined {
    const isAlive = row.expireTime === neverExpires || row.expireTime > (this.#now ??= this.#options.now())
    if (row.kind === Kind.merge) {
      if (isAlive) this.#operands.addOlder(row)
      return undefined
    }
    const { merge, take } = this.#options
    const isValue = row.kind === Kind.put && isAlive
    if (this.#operands.isEmpty) return isValue ? take(row.value, row.valueStart, row.valueEnd) : missing
    // A merge function may do what it likes with the bytes that it is given.
    return this.#operands.fold(merge, this.#key, isValue ? copyOf(row.value, row.valueStart, row.valueEnd) : undefined)
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
