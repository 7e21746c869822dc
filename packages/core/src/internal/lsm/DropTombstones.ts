/**
 * Drops the tombstones that have nothing to hide: the oldest of each key, where
 * nothing older lies beneath (L8). For compactions into the last run only.
 *
 *     key a   9 put   7 tombstone   5 put                9, 7, 5: the 7 hides the 5 from readers at 7 and 8
 *     key b   8 put   6 tombstone   4 tombstone          8
 *     key c   3 tombstone                                nothing
 *
 * Rows come as from {@link Retention}, the newest version of a key first. A
 * tombstone is held back until the next row says whether something of its key
 * follows. What is held is two numbers a tombstone; all other rows pass untouched.
 */
import { equalsRange } from "../model/ByteOrder.ts"
import { copyInto } from "../model/ByteCopy.ts"
import { Kind, neverExpires, RowView } from "../model/RowEntry.ts"
import { type Cursor, Step } from "./Cursor.ts"

export class DropTombstones implements Cursor {
  row: RowView = new RowView()
  readonly #source: Cursor
  /** A tombstone on its way out. Its key is kept here, as the source moves on. */
  readonly #own = new RowView()
  #key = new Uint8Array(64)
  /** Tombstones of the key that are held back, newest first, and how many there are. */
  readonly #sequences: Array<number> = []
  readonly #createTimes: Array<number> = []
  #held = 0
  /** Those held that came out already; below `#held` while they come out. */
  #released = 0
  /** The source stands on the row that released them: it comes out after them. */
  #isReleasing = false

  constructor(source: Cursor) {
    this.#source = source
    this.#own.kind = Kind.tombstone
    this.#own.expireTime = neverExpires
  }

  next(): Step {
    if (this.#isReleasing) return this.#release()
    for (;;) {
      const step = this.#source.next()
      if (step !== Step.row) return step
      const row = this.#source.row
      if (this.#held === 0 && row.kind !== Kind.tombstone) {
        this.row = row
        return step
      }
      if (this.#held > 0 && !this.#isOfKey(row)) this.#held = 0
      if (row.kind === Kind.tombstone) {
        this.#hold(row)
        continue
      }
      if (this.#held > 0) return this.#release()
      this.row = row
      return step
    }
  }

  #isOfKey(row: RowView): boolean {
    return equalsRange(this.#key, 0, this.#own.keyEnd, row.key, row.keyStart, row.keyEnd)
  }

  #hold(row: RowView): void {
    if (this.#held === 0) {
      const length = row.keyEnd - row.keyStart
      if (length > this.#key.length) this.#key = new Uint8Array(Math.max(length, 2 * this.#key.length))
      copyInto(row.key, row.keyStart, row.keyEnd, this.#key, 0)
      this.#own.key = this.#key
      this.#own.keyEnd = length
    }
    this.#sequences[this.#held] = row.sequence
    this.#createTimes[this.#held] = row.createTime
    this.#held++
  }

  /** Hands out what is held, then the row that the source stands on. */
  #release(): Step {
    this.#isReleasing = this.#released < this.#held
    if (this.#isReleasing) {
      this.#own.sequence = this.#sequences[this.#released] as number
      this.#own.createTime = this.#createTimes[this.#released] as number
      this.#released++
      this.row = this.#own
    } else {
      this.#held = this.#released = 0
      this.row = this.#source.row
    }
    return Step.row
  }
}
