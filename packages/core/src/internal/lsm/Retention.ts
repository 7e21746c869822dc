/**
 * Which versions of a key survive a flush or a compaction.
 *
 * Rows come in order, the newest version of a key first. Readers exist at
 * `minSequence` and above, so a key keeps every version above it and the first
 * one at or below it, its boundary; what is older nobody can see.
 *
 *     seq   9 put   7 put   5 put   3 put      minSequence = 6
 *           keep    keep    keep    drop
 *                           boundary
 *
 * A merge operand is no boundary, as what it says rests on older rows. At or
 * below `minSequence` operands of equal expiry are folded into one, and onto the
 * value or tombstone below them when its expiry allows; the result is then a put.
 *
 * A value whose time has come turns into a tombstone, since older versions may
 * lie in older tables; an operand whose time has come is dropped.
 */
import { copyInto } from "../model/ByteCopy.ts"
import { equalsRange } from "../model/ByteOrder.ts"
import { Kind, neverExpires, RowView } from "../model/RowEntry.ts"
import { type Cursor, Step } from "./Cursor.ts"
import { MergeFold, type MergeFunction } from "./MergeFold.ts"

export interface Options {
  /** No reader exists below it. */
  readonly minSequence: number
  /** Rows that expire at or before this time are expired. */
  readonly now: number
  /** Absent: operands stay as they are. */
  readonly merge: MergeFunction | undefined
}

export class Retention implements Cursor {
  row: RowView = new RowView()
  readonly #source: Cursor
  readonly #options: Options
  readonly #own = new RowView()
  readonly #operands = new MergeFold()
  #key = new Uint8Array(64)
  #keyLength = -1
  /** The boundary of the present key was passed. */
  #isPast = false
  /** The source stands on a row that was not looked at yet. */
  #held = false

  constructor(source: Cursor, options: Options) {
    this.#source = source
    this.#options = options
  }

  next(): Step {
    for (;;) {
      if (!this.#held) {
        const step = this.#source.next()
        if (step === Step.blocked) return step
        if (step === Step.done) return this.#operands.isEmpty ? step : this.#foldWithoutBase()
      }
      this.#held = true
      const row = this.#source.row
      const isSameKey =
        this.#keyLength >= 0 && equalsRange(this.#key, 0, this.#keyLength, row.key, row.keyStart, row.keyEnd)
      if (!this.#operands.isEmpty && !(isSameKey && this.#joins(row))) return this.#foldWithoutBase()
      this.#held = false
      if (!isSameKey) {
        this.#setKey(row)
        this.#isPast = false
      }
      if (!this.#isPast && this.#keep(row)) return Step.row
    }
  }

  /** Takes the next older row of the key; whether a row comes out. */
  #keep(row: RowView): boolean {
    const { merge, minSequence, now } = this.#options
    const isExpired = row.expireTime <= now
    if (row.kind === Kind.merge) {
      if (isExpired) return false
      if (merge === undefined || row.sequence > minSequence) return this.#emit(row)
      if (this.#operands.isEmpty) this.#begin(row)
      this.#operands.addOlder(row)
      this.#own.createTime = Math.max(this.#own.createTime, row.createTime)
      return false
    }
    if (!this.#operands.isEmpty) {
      this.#own.createTime = Math.max(this.#own.createTime, row.createTime)
      this.#isPast = true
      const base = row.kind === Kind.put && !isExpired ? row.value.subarray(row.valueStart, row.valueEnd) : undefined
      this.#finish(Kind.put, base)
      return true
    }
    this.#isPast = row.sequence <= minSequence
    return row.kind === Kind.put && isExpired ? this.#bury(row) : this.#emit(row)
  }

  /** Whether an older row of the same key goes into the fold under way. */
  #joins(row: RowView): boolean {
    return row.kind === Kind.tombstone || row.expireTime === this.#own.expireTime || row.expireTime <= this.#options.now
  }

  #emit(row: RowView): boolean {
    this.row = row
    return true
  }

  /** An expired value leaves as a tombstone. */
  #bury(row: RowView): boolean {
    const own = this.#own
    own.key = row.key
    own.keyStart = row.keyStart
    own.keyEnd = row.keyEnd
    own.valueEnd = own.valueStart = 0
    own.sequence = row.sequence
    own.createTime = row.createTime
    own.expireTime = neverExpires
    own.kind = Kind.tombstone
    return this.#emit(own)
  }

  #begin(row: RowView): void {
    this.#own.sequence = row.sequence
    this.#own.createTime = row.createTime
    this.#own.expireTime = row.expireTime
  }

  #foldWithoutBase(): Step {
    this.#finish(Kind.merge, undefined)
    return Step.row
  }

  #finish(kind: Kind, base: Uint8Array | undefined): void {
    const own = this.#own
    const key = this.#key.slice(0, this.#keyLength)
    own.key = key
    own.keyStart = 0
    own.keyEnd = key.length
    own.value = this.#operands.fold(this.#options.merge as MergeFunction, key, base)
    own.valueStart = 0
    own.valueEnd = own.value.length
    own.kind = kind
    this.#operands.clear()
    this.#emit(own)
  }

  #setKey(row: RowView): void {
    const length = row.keyEnd - row.keyStart
    if (length > this.#key.length) this.#key = new Uint8Array(Math.max(length, 2 * this.#key.length))
    copyInto(row.key, row.keyStart, row.keyEnd, this.#key, 0)
    this.#keyLength = length
  }
}
