/**
 * The visible entries of a range of keys, in either order, chunk by chunk.
 *
 *     generations ─┐
 *     level 0     ─┼─> KWayMerge ─> Visibility ─> chunk of entries
 *     sorted runs ─┘      └─ blocked: load the blocks that are missing, go on
 *
 * A scan pins a sequence number, not a state: what it shows is that moment's, while
 * memtables are flushed and tables merged under it. When the state has changed
 * between two chunks, it starts anew behind the last key it gave, on the present
 * tables and below its pin; so it holds neither memory nor tables that the
 * database is done with (L15). It does so only after it gave something: else a
 * database that changes faster than the store gives blocks would let it give nothing.
 *
 * Between two chunks its cursors belong to the state that they walk: once that is
 * replaced, they go with its memtables, however long the consumer takes.
 */
import { copyOf } from "../model/ByteCopy.ts"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type { Entry, ScanOptions } from "../model/ReadOptions.ts"
import type * as DbError from "../../DbError.ts"
import type { KeyRange } from "../../KeyRange.ts"
import type { ByteCopies } from "../lsm/ByteCopies.ts"
import { type Cursor, Step } from "../lsm/Cursor.ts"
import type { DbState } from "../lsm/DbState.ts"
import type { Generation } from "../lsm/Generation.ts"
import { KWayMerge } from "../lsm/KWayMerge.ts"
import type { MergeFunction } from "../lsm/MergeFold.ts"
import { PacedCursor } from "../lsm/PacedCursor.ts"
import * as Visibility from "../lsm/Visibility.ts"
import type { RowView } from "../model/RowEntry.ts"
import { RunCursor } from "../store/RunCursor.ts"
import { SsTableCursor } from "../store/SsTableCursor.ts"
import type { TableReader } from "../store/TableReader.ts"
import type { ReadView } from "./ReadView.ts"

/** Entries of one chunk at most: enough to make the price of a chunk vanish, few enough to share the event loop. */
const chunkEntriesMax = 512
/** A chunk ends with the entry that takes it past so many bytes. */
const chunkBytesMax = 256 * 1024
/** Rows passed by between two yields to the event loop, where few or none are visible: about 1 ms. */
const rowsPerTurn = 4096
/** Chunks between two yields, where memory has everything. */
const chunksPerTurn = 4
/** Work on the order of memtables between two yields, in units of ten nanoseconds. */
const orderUnitsPerTurn = 100_000
/** What a row that was appended meanwhile adds to it: more than it takes, so that an end comes near. */
const orderUnitsPerNewRow = 400
/** Tables that fetch at the same time. */
const fetchesMax = 32

export interface Options extends ScanOptions {
  readonly range: KeyRange
  /** The present state, below the scan's pin. */
  readonly view: () => ReadView
  /** Values that expire at or before this time are not seen. */
  readonly now: number
  readonly merge: MergeFunction
  /** Where the bytes of entries come from. */
  readonly copies: ByteCopies
}

/** Sources that may have to be loaded. */
type Source = Cursor & { readonly load?: Effect.Effect<void, DbError.DbError> | undefined }

/** A walk over the rows of one state. */
interface Walk {
  readonly state: DbState
  readonly merge: KWayMerge<Source>
  readonly rows: Cursor
  hasGiven: boolean
}

/** Pulls chunks until the range or the limit ends; then fails with `Done`. */
export const pull = (options: Options) => {
  const scan = new RangeScan(options)
  let chunks = 0
  const step: Effect.Effect<readonly [Entry, ...Array<Entry>], DbError.DbError | Cause.Done> = Effect.suspend(() => {
    const chunk = scan.chunk()
    if (isNonEmpty(chunk)) {
      return ++chunks % chunksPerTurn === 0 ? Effect.as(Effect.yieldNow, chunk) : Effect.succeed(chunk)
    }
    return scan.isDone ? Cause.done() : Effect.andThen(scan.load, step)
  })
  return step
}

/** All entries, if they fit into one chunk and memory has them at once. */
export const resident = (options: Options): ReadonlyArray<Entry> | undefined => {
  const scan = new RangeScan(options)
  const entries = scan.chunk()
  return scan.isDone ? entries : undefined
}

class RangeScan {
  isDone = false
  readonly #options: Options
  readonly #isAscending: boolean
  #range: KeyRange
  #remaining: number
  /** Held while it is at work. */
  #walk: Walk | undefined
  /** Holds it between two chunks. */
  #paused: WeakMap<DbState, Walk> | undefined
  #rowsToOrder: number | undefined

  constructor(options: Options) {
    this.#options = options
    this.#isAscending = options.order !== "descending"
    this.#range = options.range
    this.#remaining = options.limit ?? Infinity
    this.isDone = this.#remaining <= 0
  }

  /** The next entries; none when the scan is done, has to load, or should let others have a turn. */
  chunk(): ReadonlyArray<Entry> {
    const entries: Array<Entry> = []
    if (this.isDone) return entries
    const walk = this.#current()
    if (walk === undefined) return entries
    const { rows } = walk
    const entriesMax = Math.min(chunkEntriesMax, this.#remaining)
    for (let bytes = 0; entries.length < entriesMax && bytes < chunkBytesMax;) {
      const step = rows.next()
      if (step !== Step.row) {
        this.isDone = step === Step.done
        break
      }
      const entry = this.#entry(rows.row)
      entries.push(entry)
      bytes += entry.key.length + entry.value.length
    }
    this.#remaining -= entries.length
    this.isDone ||= this.#remaining === 0
    const last = entries[entries.length - 1]
    if (last !== undefined && !this.isDone) {
      this.#continueBehind(last.key)
      this.#pause(walk)
    }
    return entries
  }

  /** A row as the caller's own. */
  #entry(row: RowView): Entry {
    const { copies } = this.#options
    return {
      key: copies.copy(row.key, row.keyStart, row.keyEnd),
      value: copies.copy(row.value, row.valueStart, row.valueEnd)
    }
  }

  /** Loads everything that the merge waits for, at once; where it waits for nothing, others have a turn. */
  get load(): Effect.Effect<void, DbError.DbError> {
    const blocked = this.#walk?.merge.blocked ?? []
    if (blocked.length === 0) return Effect.yieldNow
    return Effect.forEach(blocked, (source) => source.load ?? Effect.void, { concurrency: fetchesMax, discard: true })
  }

  /** What is left of the range, should the scan have to start anew. */
  #continueBehind(key: Uint8Array): void {
    const { end, start } = this.#options.range
    if (!this.#isAscending) {
      this.#range = { start, end: copyOf(key) }
      return
    }
    const successor = new Uint8Array(key.length + 1)
    successor.set(key)
    this.#range = { start: successor, end }
  }

  /** The walk over the present state; from the start of what is left, when it has changed. Absent while memory is ordered. */
  #current(): Walk | undefined {
    const view = this.#options.view()
    if (this.#walk !== undefined && (view.state === this.#walk.state || !this.#walk.hasGiven)) return this.#walk
    this.#walk = this.#paused?.get(view.state)
    if (this.#walk !== undefined) return this.#walk
    const inMemory = generationsOf(view)
    if (!this.#isOrdered(inMemory)) return undefined
    const order = this.#isAscending ? "ascending" : "descending"
    const merge = new KWayMerge(this.#sources(view, inMemory), order)
    const rows = Visibility.make(new PacedCursor(merge, rowsPerTurn), order, {
      maxSequence: view.maxSequence,
      now: this.#options.now,
      merge: this.#options.merge
    })
    this.#walk = { state: view.state, merge, rows, hasGiven: false }
    return this.#walk
  }

  #pause(walk: Walk): void {
    if (!walk.hasGiven) this.#paused = new WeakMap([[walk.state, walk]])
    walk.hasGiven = true
    this.#walk = undefined
  }

  /** Orders what is not in order yet, a slice at a time; whether it is now. */
  #isOrdered(inMemory: ReadonlyArray<Generation>): boolean {
    const rows = inMemory.reduce((sum, { rowCount }) => sum + rowCount, 0)
    const newRows = Math.max(0, rows - (this.#rowsToOrder ?? rows))
    this.#rowsToOrder = rows
    const units = orderUnitsPerTurn + newRows * orderUnitsPerNewRow
    return inMemory.every((generation) => generation.prepareOrder(units))
  }

  #sources(view: ReadView, inMemory: ReadonlyArray<Generation>): ReadonlyArray<Source> {
    const { end, start } = this.#range
    return [
      ...inMemory.map((generation) =>
        generation.cursor({ start, end, descending: !this.#isAscending, maxSequence: view.maxSequence })
      ),
      ...view.tables.l0.filter((reader) => reader.overlaps(this.#range)).map((reader) => this.#tableCursor(reader)),
      ...view.tables.runs.map((tables) => this.#runCursor(tables))
    ]
  }

  #runCursor(tables: ReadonlyArray<TableReader>): RunCursor {
    const overlapping = tables.filter((reader) => reader.overlaps(this.#range))
    if (!this.#isAscending) overlapping.reverse()
    return new RunCursor(overlapping.map((reader) => () => this.#tableCursor(reader)))
  }

  #tableCursor(reader: TableReader): SsTableCursor {
    return new SsTableCursor(reader, {
      range: reader.visiblePart(this.#range),
      order: this.#isAscending ? "ascending" : "descending",
      readAheadBytes: this.#options.readAheadBytes ?? 64 * 1024,
      cacheBlocks: this.#options.cacheBlocks
    })
  }
}

/** Newest first; those whose rows the scan may see. */
const generationsOf = ({ maxSequence, state }: ReadView): ReadonlyArray<Generation> =>
  [state.open, ...state.sealed.map(({ generation }) => generation)].filter(
    ({ firstSequence, rowCount }) => rowCount > 0 && firstSequence <= maxSequence
  )

const isNonEmpty = <A>(values: ReadonlyArray<A>): values is readonly [A, ...Array<A>] => values.length > 0
