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
 */
import { copyOf } from "../model/ByteCopy.ts"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type { Entry, ScanOptions } from "../model/ReadOptions.ts"
import type * as DbError from "../../DbError.ts"
import type { KeyRange } from "../../KeyRange.ts"
import { ByteCopies } from "../lsm/ByteCopies.ts"
import { type Cursor, Step } from "../lsm/Cursor.ts"
import { KWayMerge } from "../lsm/KWayMerge.ts"
import type { MergeFunction } from "../lsm/MergeFold.ts"
import * as Visibility from "../lsm/Visibility.ts"
import type { RowView } from "../model/RowEntry.ts"
import { RunCursor } from "../store/RunCursor.ts"
import { SsTableCursor } from "../store/SsTableCursor.ts"
import type { TableReader } from "../store/TableReader.ts"
import type { ReadView } from "./ReadView.ts"

/** Entries of one chunk at most: enough to make the price of a chunk vanish, few enough to share the event loop. */
const chunkEntriesMax = 512

export interface Options extends ScanOptions {
  readonly range: KeyRange
  /** The present state, below the scan's pin. */
  readonly view: () => ReadView
  /** Values that expire at or before this time are not seen. */
  readonly now: number
  readonly merge: MergeFunction
}

/** Sources that may have to be loaded. */
type Source = Cursor & { readonly load?: Effect.Effect<void, DbError.DbError> | undefined }

/** Pulls chunks until the range or the limit ends; then fails with `Done`. */
export const pull = (options: Options) => {
  const scan = new RangeScan(options)
  const step: Effect.Effect<readonly [Entry, ...Array<Entry>], DbError.DbError | Cause.Done> = Effect.suspend(() => {
    const chunk = scan.chunk()
    if (isNonEmpty(chunk)) return Effect.succeed(chunk)
    return scan.isDone ? Cause.done() : Effect.andThen(scan.load, step)
  })
  return step
}

class RangeScan {
  isDone = false
  readonly #options: Options
  readonly #isAscending: boolean
  readonly #copies = new ByteCopies()
  #range: KeyRange
  #remaining: number
  #view: ReadView | undefined
  #merge: KWayMerge<Source> | undefined
  #rows: Cursor | undefined
  /** Whether entries were given since `#rows` began. */
  #hasGiven = false

  constructor(options: Options) {
    this.#options = options
    this.#isAscending = options.order !== "descending"
    this.#range = options.range
    this.#remaining = options.limit ?? Infinity
    this.isDone = this.#remaining <= 0
  }

  /** The next entries; none when the scan is done or has to load. */
  chunk(): ReadonlyArray<Entry> {
    const entries: Array<Entry> = []
    if (this.isDone) return entries
    const rows = this.#current()
    const entriesMax = Math.min(chunkEntriesMax, this.#remaining)
    while (entries.length < entriesMax) {
      const step = rows.next()
      if (step === Step.row) entries.push(this.#entry(rows.row))
      else {
        this.isDone = step === Step.done
        break
      }
    }
    this.#remaining -= entries.length
    this.isDone ||= this.#remaining === 0
    const last = entries[entries.length - 1]
    if (last !== undefined) {
      this.#hasGiven = true
      this.#continueBehind(last.key)
    }
    return entries
  }

  /** A row as the caller's own. */
  #entry(row: RowView): Entry {
    return {
      key: this.#copies.copy(row.key, row.keyStart, row.keyEnd),
      value: this.#copies.copy(row.value, row.valueStart, row.valueEnd)
    }
  }

  /** Loads everything that the merge waits for, at once. */
  get load(): Effect.Effect<void, DbError.DbError> {
    return Effect.forEach(this.#merge?.blocked ?? [], (source) => source.load ?? Effect.void, {
      concurrency: "unbounded",
      discard: true
    })
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

  /** The rows of the present state; from the start of what is left, when it has changed. */
  #current(): Cursor {
    const view = this.#options.view()
    if (this.#rows !== undefined && (view.state === this.#view?.state || !this.#hasGiven)) return this.#rows
    this.#view = view
    this.#hasGiven = false
    this.#merge = new KWayMerge(this.#sources(view), this.#isAscending ? "ascending" : "descending")
    this.#rows = Visibility.make(this.#merge, this.#isAscending ? "ascending" : "descending", {
      maxSequence: view.maxSequence,
      now: this.#options.now,
      merge: this.#options.merge
    })
    return this.#rows
  }

  #sources(view: ReadView): ReadonlyArray<Source> {
    const { end, start } = this.#range
    const { open, sealed } = view.state
    const inMemory = [open, ...sealed.map(({ generation }) => generation)].filter(
      (generation) => generation.rowCount > 0 && generation.firstSequence <= view.maxSequence
    )
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

const isNonEmpty = <A>(values: ReadonlyArray<A>): values is readonly [A, ...Array<A>] => values.length > 0
