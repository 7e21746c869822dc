/**
 * Walks a range of one table's rows, either way, fetching blocks ahead.
 *
 *     blocks     [ 3 ][ 4 ][ 5 ][ 6 ] [ 7 ] ...
 *                  ^ row   └ window ┘   ^ blocked: one request for the next stretch
 *
 * Inside loaded blocks a move is a plain call. At the end of what is loaded `next`
 * answers `blocked`, and `load` fetches the next stretch: at least one block, and
 * as many as fit into the read-ahead (`BlockWindow`). Who walks a whole table forks
 * `ahead` now and then, and is blocked only where the store is slower than the walk.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as DbError from "../../DbError.ts"
import type { Block } from "../format/Block.ts"
import { BlockCursor, BlockStep } from "../format/BlockCursor.ts"
import type { SsTableIndex } from "../format/SsTableIndex.ts"
import { type Cursor, Step } from "../lsm/Cursor.ts"
import { compareRange } from "../model/ByteOrder.ts"
import type { RowView } from "../model/RowEntry.ts"
import * as BlockWindow from "./BlockWindow.ts"
import type { TableReader } from "./TableReader.ts"
import type { Warmth } from "./Warmth.ts"

export interface Options extends BlockWindow.Options {
  /** Told of each block whether it was being read. */
  readonly warmth?: Warmth | undefined
}

export class SsTableCursor implements Cursor {
  #reader: TableReader
  #options: Options
  readonly #rows = new BlockCursor()
  #window: BlockWindow.BlockWindow
  #index: SsTableIndex | undefined
  /** The block that `#rows` walks, or shall walk next. */
  #block = -1
  /** The block that it is in. */
  #entered: Block | undefined
  #isEntered = false
  #hasStarted = false
  /** It is in a block, and no row ahead in it is past the range's far end. */
  #isWholeBlock = false
  #isDone = false
  /** Something is fetched ahead, or could not be: then it is for `load` to ask again. */
  #isAheadTaken = false
  /** Why the table cannot be walked further. */
  error: DbError.DbError | undefined = undefined

  constructor(reader: TableReader, options: Options) {
    this.#reader = reader
    this.#options = options
    this.#window = new BlockWindow.BlockWindow(reader, options)
  }

  /** Begins anew, with a range of whatever table. Nothing of the walk before may still be loading. */
  start(reader: TableReader, options: Options): void {
    this.#reader = reader
    this.#options = options
    this.#window = new BlockWindow.BlockWindow(reader, options)
    this.#index = undefined
    this.#block = -1
    this.#entered = undefined
    this.#isEntered = false
    this.#hasStarted = false
    this.#isWholeBlock = false
    this.#isDone = false
    this.#isAheadTaken = false
    this.error = undefined
  }

  get row(): RowView {
    return this.#rows.row
  }

  next(): Step {
    if (this.#isWholeBlock) {
      const step = this.#move()
      if (step === BlockStep.row) return step
      if (step === BlockStep.corrupt) return this.#fail()
      this.#leaveBlock()
    }
    return this.#nextInRange()
  }

  /** The next row where a block may end, or the range. */
  #nextInRange(): Step {
    if (this.#isDone || !this.#prepare()) return this.#isDone ? Step.done : Step.blocked
    for (;;) {
      if (this.#entered === undefined && !this.#enterBlock()) return this.#isDone ? Step.done : Step.blocked
      const step = this.#isEntered ? this.#move() : this.#enterRange()
      if (step === BlockStep.row) return this.#isInRange() ? Step.row : this.#finish()
      if (step === BlockStep.corrupt) return this.#fail()
      this.#leaveBlock()
    }
  }

  /** Fetches what `next` said it lacks. */
  get load(): Effect.Effect<void, DbError.DbError> {
    return Effect.suspend(() => {
      this.#isAheadTaken = false
      if (this.error !== undefined) return Effect.fail(this.error)
      return this.#index === undefined ? this.#open : this.#window.load(this.#index, this.#block)
    })
  }

  /** Fetches what a walk to the end will lack next; absent while that is in memory or on its way. Its failure is `load`'s. */
  get ahead(): Effect.Effect<void, DbError.DbError> | undefined {
    if (this.#isAheadTaken || this.#isDone || this.error !== undefined) return undefined
    const index = this.#index
    const fetch = index === undefined ? this.#open : this.#window.ahead(index, this.#block, this.#isEntered)
    if (fetch === undefined) return undefined
    return Effect.suspend(() => {
      this.#isAheadTaken = true
      return Effect.map(fetch, () => {
        this.#isAheadTaken = false
      })
    })
  }

  /** Whether all that is left of the table is in memory, in one stretch. */
  get isInLastStretch(): boolean {
    return this.#index !== undefined && this.#window.isInLast(this.#index)
  }

  /** Bytes of the table's blocks in front of the one that it is in. */
  get position(): number {
    const index = this.#index
    if (index === undefined) return 0
    return this.#isDone || this.#block >= index.blockCount ? index.dataEnd : index.blockOffset(this.#block)
  }

  /** Index and filter are kept for who reads next; a walk to the end, the last one, takes the index alone and keeps it not. */
  get #open(): Effect.Effect<void, DbError.DbError> {
    return this.#options.isWhole === true
      ? Effect.map(this.#reader.loadIndex, (index) => this.#begin(index))
      : Effect.map(this.#reader.loadMeta, (meta) => this.#begin(meta.index))
  }

  get #isAscending(): boolean {
    return this.#options.order === "ascending"
  }

  #prepare(): boolean {
    if (this.error !== undefined) return false
    if (this.#index !== undefined) return true
    const meta = this.#reader.cached.meta()
    if (meta === undefined) return false
    this.#begin(meta.index)
    return !this.#isDone
  }

  #begin(index: SsTableIndex): void {
    if (this.#index !== undefined) return
    this.#index = index
    const { end, start } = this.#options.range
    if (this.#isAscending) {
      this.#block = start === undefined ? 0 : index.findFirst(start, 0, start.length)
    } else {
      this.#block = end === undefined ? index.blockCount - 1 : index.findLastBelow(end, 0, end.length)
    }
    this.#isDone = this.#block < 0 || this.#block >= index.blockCount
  }

  #enterBlock(): boolean {
    const index = this.#index
    if (index === undefined || this.#block < 0 || this.#block >= index.blockCount) {
      this.#isDone = true
      return false
    }
    const { warmth } = this.#options
    // Before it is taken: that may be a use.
    const isUsed = warmth !== undefined && this.#reader.cached.isBlockUsed(this.#block)
    const taken = this.#window.take(this.#block)
    if (taken === undefined) return false
    if (Result.isFailure(taken)) {
      this.error = taken.failure
      return false
    }
    this.#entered = taken.success
    warmth?.entered(isUsed)
    return true
  }

  #leaveBlock(): void {
    this.#isEntered = false
    this.#isWholeBlock = false
    this.#entered = undefined
    this.#block += this.#isAscending ? 1 : -1
  }

  #move(): BlockStep {
    return this.#isAscending ? this.#rows.next() : this.#rows.previous()
  }

  /** The first move in a block: to its near end, in the first block to that of the range. */
  #enterRange(): BlockStep {
    const isFirst = !this.#hasStarted
    this.#hasStarted = true
    this.#isEntered = true
    this.#isWholeBlock = this.#isFarEndBeyond()
    const { end, start } = this.#options.range
    const rows = this.#rows
    const block = this.#entered as Block
    if (this.#isAscending && isFirst && start !== undefined) {
      const { numbering } = this.#index as SsTableIndex
      const directory = rows.enterWithDirectory(block, numbering)
      if (directory === null) return rows.seek(start, 0, start.length)
      const number = numbering.of(start, 0, start.length)
      return rows.seekWith(start, number, numbering.isExact(number, start, 0, start.length), directory)
    }
    rows.enter(block)
    if (this.#isAscending) return rows.seekToFirst()
    return isFirst && end !== undefined ? rows.seekDescending(end, 0, end.length, false) : rows.seekToLast()
  }

  /** Whether the block ends before the range does. */
  #isFarEndBeyond(): boolean {
    const { end, start } = this.#options.range
    const block = this.#block
    const index = this.#index as SsTableIndex
    if (!this.#isAscending) return start === undefined || index.compareSeparator(block, start) >= 0
    // Versions of a key that is the next separator may begin in this block.
    return end === undefined || (block + 1 < index.blockCount && index.compareSeparator(block + 1, end) < 0)
  }

  /** Whether the row is before the range's far end. */
  #isInRange(): boolean {
    const row = this.#rows.row
    const { end, start } = this.#options.range
    return this.#isAscending
      ? end === undefined || compareRange(row.key, row.keyStart, row.keyEnd, end, 0, end.length) < 0
      : start === undefined || compareRange(row.key, row.keyStart, row.keyEnd, start, 0, start.length) >= 0
  }

  #finish(): Step {
    this.#isDone = true
    this.#window.clear()
    return Step.done
  }

  #fail(): Step {
    this.#isWholeBlock = false
    const offset = this.#index?.blockOffset(this.#block) ?? 0
    this.error = this.#reader.corruptBlock(offset, this.#rows.error)
    return Step.blocked
  }
}
