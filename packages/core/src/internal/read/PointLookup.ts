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
 */
import type { DbError } from "../../DbError.ts"
import { ByteCopies } from "../lsm/ByteCopies.ts"
import type { SealedGeneration } from "../lsm/DbState.ts"
import type { Generation } from "../lsm/Generation.ts"
import { MergeFold, type MergeFunction } from "../lsm/MergeFold.ts"
import { Kind } from "../model/RowEntry.ts"
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
}

export class PointLookup {
  readonly #options: Options
  readonly #search = new TableSearch()
  readonly #operands = new MergeFold()
  readonly #copies = new ByteCopies()

  constructor(options: Options) {
    this.#options = options
  }

  /**
   * The value of a key as of `view`, in bytes of the caller's own. `local` holds parts
   * that were loaded for this lookup.
   */
  find(view: ReadView, key: Uint8Array, local: LocalParts | undefined): Answer {
    this.#operands.clear()
    const now = this.#options.now()
    return (
      this.#findInMemory(view, key, now) ??
      this.#findInTables(view, key, now, local) ??
      (this.#operands.isEmpty ? missing : this.#operands.fold(this.#options.merge, key, undefined))
    )
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

  #findInGeneration(generation: Generation, maxSequence: Sequence, key: Uint8Array, now: number): Answer | undefined {
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

  #findInTables(view: ReadView, key: Uint8Array, now: number, local: LocalParts | undefined): Answer | undefined {
    const { l0, runs } = view.tables
    this.#search.start(key, view.maxSequence, local)
    for (let i = 0; i < l0.length; i++) {
      const answer = this.#findInTable(l0[i] as TableReader, key, now)
      if (answer !== undefined) return answer
    }
    for (let i = 0; i < runs.length; i++) {
      const answer = this.#findInRun(runs[i] as ReadonlyArray<TableReader>, key, now)
      if (answer !== undefined) return answer
    }
    return undefined
  }

  /** The first table of a run that does not end before the key; more only where its versions cross a border. */
  #findInRun(tables: ReadonlyArray<TableReader>, key: Uint8Array, now: number): Answer | undefined {
    for (let i = firstEndingAtOrAfter(tables, key); i < tables.length; i++) {
      const reader = tables[i] as TableReader
      if (!reader.mayBeginBefore(key)) return undefined
      const answer = this.#findInTable(reader, key, now)
      if (answer !== undefined) return answer
    }
    return undefined
  }

  #findInTable(reader: TableReader, key: Uint8Array, now: number): Answer | undefined {
    const search = this.#search
    let found = search.newest(reader)
    for (; found === Found.row; found = search.older()) {
      const row = search.row
      const isAlive = row.expireTime > now
      if (row.kind === Kind.merge) {
        if (isAlive) this.#operands.addOlder(row)
      } else {
        const isValue = row.kind === Kind.put && isAlive
        return this.#finish(key, isValue ? this.#copies.copy(row.value, row.valueStart, row.valueEnd) : undefined)
      }
    }
    return found === Found.absent ? undefined : found
  }

  /** The value or tombstone on which the operands met so far rest. */
  #finish(key: Uint8Array, base: Uint8Array | undefined): Answer {
    if (!this.#operands.isEmpty) return this.#operands.fold(this.#options.merge, key, base)
    return base ?? missing
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
