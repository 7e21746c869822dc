/**
 * What a reader at a sequence number sees: of each key the newest row it may see,
 * with merge operands folded and tombstones and expired values gone (law L6).
 *
 *     rows of all sources, in order ─> KWayMerge ─> Visibility ─> key and value
 *
 * Rows above the bound are skipped before a version is chosen, so a newer write
 * never hides the older one that this reader is entitled to. An expired value
 * hides what is older, as the tombstone that it will become does; an expired
 * operand counts for nothing.
 *
 * Ascending, the first version of a key decides, and the rest are skipped.
 * Descending, versions come oldest first, so the answer stands when the key ends.
 */
import { copyOf } from "../model/ByteCopy.ts"
import { equalsRange } from "../model/ByteOrder.ts"
import { Kind, RowView } from "../model/RowEntry.ts"
import { type Cursor, Step } from "./Cursor.ts"
import { MergeFold, type MergeFunction } from "./MergeFold.ts"

export interface Options {
  /** Rows above it are not seen. */
  readonly maxSequence: number
  /** Values that expire at or before this time are not seen; `-Infinity` shows all. */
  readonly now: number
  /** Called for a merge operand; throws when the database has no merge operator. */
  readonly merge: MergeFunction
}

/** Cursor over what is visible; its rows are puts. */
export interface Visible extends Cursor {
  /** Begins anew, as the source did. */
  readonly start: (options: Options) => void
}

export const make = (source: Cursor, order: "ascending" | "descending", options: Options): Visible =>
  order === "ascending" ? new Ascending(source, options) : new Descending(source, options)

/** Before the first row. */
const noRow = new RowView()

/** A key's bytes, kept while the cursor that they came from moves on. */
class KeyCopy {
  bytes = new Uint8Array(64)
  length = -1

  set(row: RowView): void {
    const length = row.keyEnd - row.keyStart
    if (length > this.bytes.length) this.bytes = new Uint8Array(Math.max(length, 2 * this.bytes.length))
    for (let i = 0; i < length; i++) this.bytes[i] = row.key[row.keyStart + i] as number
    this.length = length
  }

  equals(row: RowView): boolean {
    return equalsRange(this.bytes, 0, this.length, row.key, row.keyStart, row.keyEnd)
  }
}

class Ascending implements Visible {
  row = noRow
  readonly #source: Cursor
  #options: Options
  readonly #key = new KeyCopy()
  readonly #operands = new MergeFold()
  /** Made when operands are folded. */
  #folded: RowView | undefined
  /** The source stands on a row that was not looked at yet. */
  #held = false

  constructor(source: Cursor, options: Options) {
    this.#source = source
    this.#options = options
  }

  start(options: Options): void {
    this.#options = options
    this.row = noRow
    this.#key.length = -1
    this.#operands.clear()
    this.#held = false
  }

  next(): Step {
    for (;;) {
      if (!this.#held) {
        const step = this.#source.next()
        if (step === Step.blocked) return step
        if (step === Step.done) return this.#operands.isEmpty ? step : this.#fold(undefined)
      }
      this.#held = false
      const row = this.#source.row
      if (row.sequence > this.#options.maxSequence) continue
      if (this.#key.length >= 0 && this.#key.equals(row)) {
        if (!this.#operands.isEmpty && this.#older(row)) return Step.row
        continue
      }
      if (!this.#operands.isEmpty) {
        this.#held = true
        return this.#fold(undefined)
      }
      this.#key.set(row)
      if (row.kind === Kind.merge) {
        if (row.expireTime > this.#options.now) this.#operands.addOlder(row)
        else this.#key.length = -1
      } else if (row.kind === Kind.put && row.expireTime > this.#options.now) {
        this.row = row
        return Step.row
      }
    }
  }

  /** An older row of the key whose operands are being gathered; whether that completes it. */
  #older(row: RowView): boolean {
    if (row.kind === Kind.merge) {
      if (row.expireTime > this.#options.now) this.#operands.addOlder(row)
      return false
    }
    const isBase = row.kind === Kind.put && row.expireTime > this.#options.now
    this.#fold(isBase ? row.value.subarray(row.valueStart, row.valueEnd) : undefined)
    return true
  }

  #fold(base: Uint8Array | undefined): Step {
    this.#folded ??= new RowView()
    this.row = setFolded(this.#folded, this.#key, this.#operands, base, this.#options.merge)
    return Step.row
  }
}

class Descending implements Visible {
  row = noRow
  readonly #source: Cursor
  #options: Options
  readonly #key = new KeyCopy()
  readonly #operands = new MergeFold()
  readonly #result = new RowView()
  #base: Uint8Array | undefined
  #held = false

  constructor(source: Cursor, options: Options) {
    this.#source = source
    this.#options = options
  }

  start(options: Options): void {
    this.#options = options
    this.row = noRow
    this.#key.length = -1
    this.#operands.clear()
    this.#base = undefined
    this.#held = false
  }

  next(): Step {
    for (;;) {
      if (!this.#held) {
        const step = this.#source.next()
        if (step === Step.blocked) return step
        if (step === Step.done) return this.#finishKey() ? Step.row : step
      }
      const row = this.#source.row
      if (row.sequence > this.#options.maxSequence) {
        this.#held = false
        continue
      }
      if (!this.#key.equals(row)) {
        if (this.#finishKey()) {
          this.#held = true
          return Step.row
        }
        this.#key.set(row)
      }
      this.#held = false
      this.#newer(row)
    }
  }

  /** The next newer version of the key. */
  #newer(row: RowView): void {
    const isAlive = row.expireTime > this.#options.now
    if (row.kind === Kind.merge) {
      if (isAlive) this.#operands.addNewer(row)
      return
    }
    this.#operands.clear()
    this.#base = row.kind === Kind.put && isAlive ? copyOf(row.value, row.valueStart, row.valueEnd) : undefined
  }

  /** Makes the row of the key that ended; whether it has one. */
  #finishKey(): boolean {
    if (this.#base === undefined && this.#operands.isEmpty) return false
    this.row = setFolded(this.#result, this.#key, this.#operands, this.#base, this.#options.merge)
    this.#base = undefined
    return true
  }
}

const setFolded = (
  into: RowView,
  key: KeyCopy,
  operands: MergeFold,
  base: Uint8Array | undefined,
  merge: MergeFunction
): RowView => {
  into.key = key.bytes.slice(0, key.length)
  into.keyStart = 0
  into.keyEnd = key.length
  into.value = operands.isEmpty ? (base as Uint8Array) : operands.fold(merge, into.key, base)
  into.valueStart = 0
  into.valueEnd = into.value.length
  into.kind = Kind.put
  operands.clear()
  return into
}
