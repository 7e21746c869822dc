/**
 * The visible entries of a range of keys, in either order, chunk by chunk.
 *
 *     RangeWalk ─> rows that are visible ─> chunk of entries
 *         └─ blocked: load the blocks that are missing, go on
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
import * as KeyRange from "../../KeyRange.ts"
import * as Shapes from "../model/Shapes.ts"
import { ByteCopies } from "../lsm/ByteCopies.ts"
import { Step } from "../lsm/Cursor.ts"
import type { DbState } from "../lsm/DbState.ts"
import { EntryChunk } from "../lsm/EntryChunk.ts"
import type { Generation } from "../lsm/Generation.ts"
import type { MergeFunction } from "../lsm/MergeFold.ts"
import type { Sequence } from "../model/Sequence.ts"
import type { TurnMeter } from "../store/TurnMeter.ts"
import * as RangeWalk from "./RangeWalk.ts"
import type { ReadView } from "./ReadView.ts"

/** Entries of one chunk at most: enough to make the price of a chunk vanish, few enough to share the event loop. */
const chunkEntriesMax = 512
/** A chunk ends with the entry that takes it past so many bytes. */
const chunkBytesMax = 256 * 1024
/** Entries between two looks at the clock. */
const entriesPerLook = 64
/** Rows passed by before others have a turn, where few or none are visible. */
const rowsPerTurn = 8 * RangeWalk.rowsPerLook
/** Chunks between two yields, where memory has everything and time stands still. */
const chunksPerTurn = 4
/** Work on the order of memtables between two looks at the clock, in units of ten nanoseconds, and looks between two yields. */
const orderUnitsPerLook = 12_500
const orderLooksPerTurn = 8
/** What a row that was appended meanwhile adds to it: more than it takes, so that an end comes near. */
const orderUnitsPerNewRow = 400
/** Tables that fetch at the same time. */
const fetchesMax = 32

export interface Options {
  readonly range: KeyRange.KeyRange
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
  #range: KeyRange.KeyRange
  /** Infinity where there is no limit. */
  #remaining: number
  /** Held while it is at work. */
  #walk: RangeWalk.RangeWalk | undefined
  /** Holds it between two chunks. */
  #paused: WeakMap<DbState, RangeWalk.RangeWalk> | undefined
  #rowsToOrder: number | undefined
  #hasLoaded = false

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
      if (step === Step.blocked && this.#isPause && (passed += RangeWalk.rowsPerLook) < rowsPerTurn && !isDue())
        continue
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
    } else if (this.isDone) this.#leave(walk)
    return entries
  }

  /** Loads everything that the merge waits for, at once; absent where it waits for nothing. */
  get load(): Effect.Effect<void, DbError.DbError> | undefined {
    const blocked = this.#walk?.blocked ?? []
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
    return this.#walk?.blocked.length === 0
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
  #current(isDue: () => boolean): RangeWalk.RangeWalk | undefined {
    const view = this.#options.view()
    if (this.#walk !== undefined && (view.state === this.#walk.state || !this.#walk.hasGiven)) return this.#walk
    this.#walk = this.#paused?.get(view.state)
    if (this.#walk !== undefined) return this.#walk
    const inMemory = generationsOf(view)
    if (!this.#isOrdered(inMemory, isDue)) return undefined
    const { asked, merge, now } = this.#options
    const visible = { maxSequence: view.maxSequence, now, merge }
    const walk = { view, generations: inMemory, range: this.#range, asked, visible }
    this.#walk = RangeWalk.start(walk, this.#isAscending ? "ascending" : "descending")
    return this.#walk
  }

  #leave(walk: RangeWalk.RangeWalk): void {
    this.#walk = undefined
    // One that loaded holds stretches of its tables.
    if (!this.#hasLoaded) RangeWalk.end(walk)
  }

  #pause(walk: RangeWalk.RangeWalk): void {
    if (!walk.hasGiven) this.#paused = new WeakMap([[walk.state, walk]])
    walk.hasGiven = true
    this.#walk = undefined
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

const never = (): boolean => false

const isNonEmpty = <A>(values: ReadonlyArray<A>): values is readonly [A, ...Array<A>] => values.length > 0

Shapes.keep(
  new RangeScan({
    range: KeyRange.all,
    asked: {},
    view: () => {
      throw new Error("this scan is there to be kept")
    },
    now: -Infinity,
    merge: (_key, _existing, operand) => operand,
    keyCopies: new ByteCopies(),
    valueCopies: new ByteCopies()
  })
)
