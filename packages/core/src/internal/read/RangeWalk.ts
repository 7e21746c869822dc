/**
 * The rows of one state in a range of keys: the cursors of its sources, merged, and what of them is visible.
 *
 *     generations ─┐
 *     level 0     ─┼─> KWayMerge ─> PacedCursor ─> Visibility ─> rows
 *     sorted runs ─┘
 *
 * To make all of that takes a fifth of the time of a short range, and what is gone with each range V8 forgets
 * (`Shapes`). So a walk that ended stays with its state, and the next one over that begins with it: in a `WeakMap`, which
 * holds it no longer than the state, with the index and a block of the tables that it walked last.
 */
import type * as Effect from "effect/Effect"
import type { ScanOptions } from "../model/ReadOptions.ts"
import type * as DbError from "../../DbError.ts"
import type * as KeyRange from "../../KeyRange.ts"
import type { Cursor } from "../lsm/Cursor.ts"
import type { DbState } from "../lsm/DbState.ts"
import type { Generation } from "../lsm/Generation.ts"
import { KWayMerge } from "../lsm/KWayMerge.ts"
import { PacedCursor } from "../lsm/PacedCursor.ts"
import * as Visibility from "../lsm/Visibility.ts"
import { RunCursor } from "../store/RunCursor.ts"
import { RunTables } from "../store/RunTables.ts"
import { type Options as TableOptions, SsTableCursor } from "../store/SsTableCursor.ts"
import type { TableReader } from "../store/TableReader.ts"
import type { ReadView } from "./ReadView.ts"

/** Rows passed by before whoever walks it may look at the clock. */
export const rowsPerLook = 512
/**
 * Bytes fetched ahead by default: of one table, and of all together. A request takes as long as a MiB does on the way
 * or longer, and stretches grow to that as the scan goes on: so a short scan does not pay for it.
 */
const readAheadBytesMax = 1024 * 1024
const readAheadBytesOfAllMax = 8 * 1024 * 1024
/** Cursors over tables that stay with a walk, besides those of its last sources. */
const tableCursorsMax = 16

/** Sources that may have to be loaded. */
export type Source = Cursor & { readonly load?: Effect.Effect<void, DbError.DbError> | undefined }

export type Order = "ascending" | "descending"

/** What to walk. */
export interface Options {
  readonly view: ReadView
  /** Newest first; those that hold rows which may be seen, all in order. */
  readonly generations: ReadonlyArray<Generation>
  readonly range: KeyRange.KeyRange
  readonly asked: ScanOptions
  readonly visible: Visibility.Options
}

/** For each state and direction the walk to begin with; where that is walked or was given up, the next one that ends takes its place. */
const spares = { ascending: new WeakMap<DbState, RangeWalk>(), descending: new WeakMap<DbState, RangeWalk>() }

/** A walk, before its first row. */
export const start = (options: Options, order: Order): RangeWalk => {
  const { state } = options.view
  const spare = spares[order].get(state)
  const walk = spare === undefined || spare.isWalked ? new RangeWalk(state, order, options.visible) : spare
  walk.start(options)
  return walk
}

/** Gives back a walk that loaded nothing; it is not to be used any more. */
export const end = (walk: RangeWalk): void => {
  walk.isWalked = false
  const spare = spares[walk.order].get(walk.state)
  if (spare === undefined || spare.isWalked) spares[walk.order].set(walk.state, walk)
}

export class RangeWalk {
  readonly state: DbState
  readonly order: Order
  isWalked = false
  /** Whether rows of it were given out. */
  hasGiven = false
  readonly rows: Visibility.Visible
  readonly #merge = new KWayMerge<Source>([], "ascending")
  readonly #tables: Array<SsTableCursor> = []
  #tablesTaken = 0

  constructor(state: DbState, order: Order, visible: Visibility.Options) {
    this.state = state
    this.order = order
    this.rows = Visibility.make(new PacedCursor(this.#merge, rowsPerLook), order, visible)
  }

  /** The sources that have to be loaded before there is a next row. */
  get blocked(): Array<Source> {
    return this.#merge.blocked
  }

  start(options: Options): void {
    this.isWalked = true
    this.hasGiven = false
    this.#tablesTaken = 0
    this.#merge.start(this.#sources(options), this.order)
    this.rows.start(options.visible)
  }

  #sources({ asked, generations, range, view, visible }: Options): ReadonlyArray<Source> {
    const sources: Array<Source> = []
    const bounds = {
      start: range.start,
      end: range.end,
      descending: this.order === "descending",
      maxSequence: visible.maxSequence
    }
    for (const generation of generations) sources.push(generation.cursor(bounds))
    const l0 = view.tables.l0.filter((reader) => reader.overlaps(range))
    const runs = view.tables.runs.map((tables) => new RunTables(tables, range, this.order))
    const share = Math.min(readAheadBytesMax, Math.floor(readAheadBytesOfAllMax / Math.max(1, l0.length + runs.length)))
    const { cacheBlocks, readAheadBytes = share } = asked
    const tables = { range, order: this.order, readAheadBytes, cacheBlocks }
    for (const reader of l0) sources.push(this.#tableCursor(reader, tables))
    for (const run of runs) {
      if (run.isOver) continue
      const following = () => {
        const reader = run.take()
        return reader === undefined ? undefined : this.#tableCursor(reader, tables)
      }
      sources.push(new RunCursor(following))
    }
    return sources
  }

  #tableCursor(reader: TableReader, shared: TableOptions): SsTableCursor {
    const range = reader.visiblePart(shared.range)
    const { cacheBlocks, order, readAheadBytes } = shared
    const options = range === shared.range ? shared : { range, order, readAheadBytes, cacheBlocks }
    const known = this.#tables[this.#tablesTaken++]
    if (known !== undefined) {
      known.start(reader, options)
      return known
    }
    const cursor = new SsTableCursor(reader, options)
    if (this.#tables.length < tableCursorsMax) this.#tables.push(cursor)
    return cursor
  }
}
