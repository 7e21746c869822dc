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
import { EntryChunk } from "../lsm/EntryChunk.ts"
import type { Generation } from "../lsm/Generation.ts"
import { KWayMerge } from "../lsm/KWayMerge.ts"
import type { MergeFunction } from "../lsm/MergeFold.ts"
import { PacedCursor } from "../lsm/PacedCursor.ts"
import * as Visibility from "../lsm/Visibility.ts"
import type { Sequence } from "../model/Sequence.ts"
import { RunCursor } from "../store/RunCursor.ts"
import { RunTables } from "../store/RunTables.ts"
import { SsTableCursor } from "../store/SsTableCursor.ts"
import type { TableReader } from "../store/TableReader.ts"
import type { TurnMeter } from "../store/TurnMeter.ts"
import type { ReadView } from "./ReadView.ts"

/** Entries of one chunk at most: enough to make the price of a chunk vanish, few enough to share the event loop. */
const chunkEntriesMax = 512
/** A chunk ends with the entry that takes it past so many bytes. */
const chunkBytesMax = 256 * 1024
/** Entries between two looks at the clock. */
const entriesPerLook = 64
/** Rows passed by before a look at the clock, and before others have a turn, where few or none are visible. */
const rowsPerLook = 512
const rowsPerTurn = 4096
/** Chunks between two yields, where memory has everything and time stands still. */
const chunksPerTurn = 4
/** Work on the order of memtables between two looks at the clock, in units of ten nanoseconds, and looks between two yields. */
const orderUnitsPerLook = 12_500
const orderLooksPerTurn = 8
/** What a row that was appended meanwhile adds to it: more than it takes, so that an end comes near. */
const orderUnitsPerNewRow = 400
/** Tables that fetch at the same time. */
const fetchesMax = 32
/**
 * Bytes fetched ahead by default: of one table, and of all together. A request takes as long as a MiB does on the way
 * or longer, and stretches grow to that as the scan goes on: so a short scan does not pay for it.
 */
const readAheadBytesMax = 1024 * 1024
const readAheadBytesOfAllMax = 8 * 1024 * 1024

export interface Options {
  readonly range: KeyRange
  readonly asked: ScanOptions
  /** The present state, below the scan's pin. */
  readonly view: () => ReadView
  /** Values that expire at or before this time are not seen. */
  readonly now: number
  readonly merge: MergeFunction
  /** Where the bytes of entries come from: apart, so that a key that is kept pins no values. */
  readonly keyCopies: ByteCopies
  readonly valueCopies: ByteCopies
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
export const pull = (options: Options, turns: TurnMeter) => {
  const scan = new RangeScan(options)
  // Since others had a turn.
  let chunks = 0
  let nanos = 0
  const next = turns.whole("scan", (began) => {
    const isDue = () => turns.isOver(began - nanos)
    const chunk = scan.chunk(isDue)
    const isTurnOver = ++chunks === chunksPerTurn || isDue()
    nanos += turns.now - began
    return { chunk, isTurnOver }
  })
  const yielded = Effect.suspend(() => {
    chunks = 0
    nanos = 0
    return Effect.yieldNow
  })
  const step: Effect.Effect<readonly [Entry, ...Array<Entry>], DbError.DbError | Cause.Done> = Effect.flatMap(
    next,
    ({ chunk, isTurnOver }) => {
      if (isNonEmpty(chunk)) return isTurnOver ? Effect.as(yielded, chunk) : Effect.succeed(chunk)
      return scan.isDone ? Cause.done() : Effect.andThen(scan.load ?? yielded, step)
    }
  )
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
  #hasLoaded = false
  /** Of the walk that it is at. */
  #sourceCount = 0

  constructor(options: Options) {
    this.#options = options
    this.#isAscending = options.asked.order !== "descending"
    this.#range = options.range
    this.#remaining = options.asked.limit ?? Infinity
    this.isDone = this.#remaining <= 0
  }

  /**
   * The next entries; none when the scan is done, has to load, or should let others have a turn: when it passed by
   * many rows, or when that is due, which it asks now and then.
   */
  chunk(isDue: () => boolean = never): ReadonlyArray<Entry> {
    if (this.isDone) return []
    const walk = this.#current(isDue)
    if (walk === undefined) return []
    const { rows } = walk
    const chunk = new EntryChunk(this.#options.keyCopies, this.#options.valueCopies)
    const entriesMax = Math.min(chunkEntriesMax, this.#remaining)
    for (let bytes = 0, passed = 0; chunk.length < entriesMax && bytes < chunkBytesMax;) {
      const step = rows.next()
      if (step === Step.blocked && this.#isPause && (passed += rowsPerLook) < rowsPerTurn && !isDue()) continue
      if (step !== Step.row) {
        this.isDone = step === Step.done
        break
      }
      bytes += chunk.add(rows.row)
      if (chunk.length % entriesPerLook === 0 && isDue()) break
    }
    const entries = chunk.end()
    this.#remaining -= entries.length
    this.isDone ||= this.#remaining === 0
    const last = entries[entries.length - 1]
    if (last !== undefined && !this.isDone) {
      this.#continueBehind(last.key)
      this.#pause(walk)
    } else if (this.isDone && !this.#hasLoaded) this.#stay(walk.state)
    return entries
  }

  /** Loads everything that the merge waits for, at once; absent where it waits for nothing. */
  get load(): Effect.Effect<void, DbError.DbError> | undefined {
    const blocked = this.#walk?.merge.blocked ?? []
    if (blocked.length === 0) return undefined
    this.#hasLoaded = true
    const loads = Effect.forEach(blocked, (source) => source.load ?? Effect.void, {
      concurrency: fetchesMax,
      discard: true
    })
    return Effect.map(loads, () => {
      // A merge that goes on keeps the list: at the next pause the same would be fetched again.
      blocked.length = 0
    })
  }

  /** Whether the rows are blocked only so that somebody looks at the clock. */
  get #isPause(): boolean {
    return this.#walk?.merge.blocked.length === 0
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
  #current(isDue: () => boolean): Walk | undefined {
    const view = this.#options.view()
    if (this.#walk !== undefined && (view.state === this.#walk.state || !this.#walk.hasGiven)) return this.#walk
    this.#walk = this.#paused?.get(view.state)
    if (this.#walk !== undefined) return this.#walk
    const inMemory = generationsOf(view)
    if (!this.#isOrdered(inMemory, isDue)) return undefined
    const sources = this.#sources(view, inMemory)
    const merge = new KWayMerge(sources, this.#order)
    const rows = Visibility.make(new PacedCursor(merge, rowsPerLook), this.#order, {
      maxSequence: view.maxSequence,
      now: this.#options.now,
      merge: this.#options.merge
    })
    this.#sourceCount = sources.length
    this.#walk = { state: view.state, merge, rows, hasGiven: false }
    return this.#walk
  }

  #pause(walk: Walk): void {
    if (!walk.hasGiven) this.#paused = new WeakMap([[walk.state, walk]])
    walk.hasGiven = true
    this.#walk = undefined
  }

  /** Stays with the state that it walked, unless a scan does that had as many sources. */
  #stay(state: DbState): void {
    const there = ended[this.#order].get(state)
    if (there === undefined || there.#sourceCount < this.#sourceCount) ended[this.#order].set(state, this)
  }

  /** Orders what is not in order yet, a slice at a time; whether it is now. */
  #isOrdered(inMemory: ReadonlyArray<Generation>, isDue: () => boolean): boolean {
    if (inMemory.length === 0) return true
    const rows = inMemory.reduce((sum, { rowCount }) => sum + rowCount, 0)
    const newRows = Math.max(0, rows - (this.#rowsToOrder ?? rows))
    this.#rowsToOrder = rows
    // What was appended is made up for in any time: else writers could keep ahead for ever.
    let units = orderUnitsPerLook + newRows * orderUnitsPerNewRow
    for (let looks = 1; ; looks++) {
      if (inMemory.every((generation) => generation.prepareOrder(units))) return true
      if (looks === orderLooksPerTurn || isDue()) return false
      units = orderUnitsPerLook
    }
  }

  #sources(view: ReadView, inMemory: ReadonlyArray<Generation>): ReadonlyArray<Source> {
    const { end, start } = this.#range
    const l0 = view.tables.l0.filter((reader) => reader.overlaps(this.#range))
    const runs = view.tables.runs.map((tables) => new RunTables(tables, this.#range, this.#order))
    const cursor = this.#tableCursors(l0.length + runs.length)
    const sources: Array<Source> = inMemory.map((generation) =>
      generation.cursor({ start, end, descending: !this.#isAscending, maxSequence: view.maxSequence })
    )
    for (const reader of l0) sources.push(cursor(reader))
    for (const tables of runs) {
      if (tables.isOver) continue
      const following = () => {
        const reader = tables.take()
        return reader === undefined ? undefined : cursor(reader)
      }
      sources.push(new RunCursor(following))
    }
    return sources
  }

  /** How to walk a table where so many are walked at the same time. */
  #tableCursors(count: number): (reader: TableReader) => SsTableCursor {
    const range = this.#range
    const share = Math.min(readAheadBytesMax, Math.floor(readAheadBytesOfAllMax / Math.max(1, count)))
    const { cacheBlocks, readAheadBytes = share } = this.#options.asked
    const options = { range, order: this.#order, readAheadBytes, cacheBlocks }
    return (reader) => {
      const visible = reader.visiblePart(range)
      return new SsTableCursor(reader, visible === range ? options : { ...options, range: visible })
    }
  }

  get #order(): "ascending" | "descending" {
    return this.#isAscending ? "ascending" : "descending"
  }
}

/** Newest first; those whose rows the scan may see. */
const generationsOf = ({ maxSequence, state }: ReadView): ReadonlyArray<Generation> => {
  const { open, sealed } = state
  if (sealed.length === 0 && !isSeen(open, maxSequence)) return noGenerations
  return [open, ...sealed.map(({ generation }) => generation)].filter((generation) => isSeen(generation, maxSequence))
}

const noGenerations: ReadonlyArray<Generation> = []

const isSeen = ({ firstSequence, rowCount }: Generation, maxSequence: Sequence): boolean =>
  rowCount > 0 && firstSequence <= maxSequence

/**
 * For each state a scan that memory answered. What scans are made of goes with them, so one of each shape is to be kept
 * (`Shapes`), and this one holds nothing but what its state does, and a block of each table.
 */
const ended = { ascending: new WeakMap<DbState, RangeScan>(), descending: new WeakMap<DbState, RangeScan>() }

const never = (): boolean => false

const isNonEmpty = <A>(values: ReadonlyArray<A>): values is readonly [A, ...Array<A>] => values.length > 0
