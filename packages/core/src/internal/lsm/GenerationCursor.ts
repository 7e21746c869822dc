/**
 * A cursor over the rows of a generation, in the order the contract in `Cursor.ts` gives.
 *
 * It walks the leaves from key to key and each key's versions along their chain. It
 * remembers the place of its key and the version of that leaf. Rows may be
 * appended between two calls: when the leaf's version moved, it looks its key up again.
 * Bounds are numbers first and bytes only where numbers tie.
 *
 * It sees the rows up to its bound that were there when it was made, no matter what is
 * appended since. It never says `blocked`, and makes no object per row.
 */
import { RowView } from "../model/RowEntry.ts"
import type { Sequence } from "../model/Sequence.ts"
import { type Cursor, Step } from "./Cursor.ts"
import { leafOf, noLeaf, type OrderedLeaves, positionOf } from "./OrderedLeaves.ts"
import type { RowRecords } from "./RowRecords.ts"
import * as VersionChain from "./VersionChain.ts"

/** What a cursor walks; see `Generation.cursor`. */
export interface Bounds {
  readonly start: Uint8Array | undefined
  readonly end: Uint8Array | undefined
  readonly maxSequence: Sequence
}

const none = -1

/** What both directions share: the place of the current key, and the way to the next. */
abstract class GenerationCursor implements Cursor {
  readonly row = new RowView()
  protected readonly rows: RowRecords
  protected readonly leaves: OrderedLeaves
  protected readonly bounds: Bounds
  /** The current key's head row; `none` before the first key. */
  protected head = none
  private leaf = none
  private position = 0
  private version = 0
  /** The number of the bound that the cursor moves towards. */
  private limitNumber = 0
  private isDone = false

  constructor(rows: RowRecords, leaves: OrderedLeaves, bounds: Bounds) {
    this.rows = rows
    this.leaves = leaves
    this.bounds = bounds
  }

  next(): Step {
    if (this.isDone) return Step.done
    const version = this.nextVersion()
    if (version !== none) {
      this.rows.view(version, this.row)
      return Step.row
    }
    return this.nextKey()
  }

  /** The next row of the current key, or `none`. */
  protected abstract nextVersion(): number
  /** The first row to show of a key, given its newest visible one. */
  protected abstract firstVersion(newest: number): number
  /** Stands before the first key in range. */
  protected abstract enter(): void
  protected abstract readonly step: 1 | -1
  /** The bound the cursor moves towards. */
  protected abstract readonly limit: Uint8Array | undefined
  /** Whether a key is past the limit, as the limit compares to it. */
  protected abstract isPast(comparison: number): boolean

  /** Stands at a place. */
  protected stand(place: number, shift: number): void {
    this.leaf = leafOf(place)
    this.position = positionOf(place) + shift
    this.version = this.leaves.versionOf(this.leaf)
    const limit = this.limit
    if (limit !== undefined) this.limitNumber = this.leaves.numberOf(limit, 0, limit.length)
  }

  private nextKey(): Step {
    for (;;) {
      if (!this.advance()) break
      const head = this.leaves.rowAt(this.leaf, this.position)
      if (this.isOutside(head)) break
      this.head = head
      const maxSequence = this.bounds.maxSequence
      if (this.rows.sequenceOf(head) > maxSequence) continue
      const newest = VersionChain.newestAtMost(this.rows, VersionChain.newestOf(this.rows, head), maxSequence)
      this.rows.view(this.firstVersion(newest), this.row)
      return Step.row
    }
    this.isDone = true
    return Step.done
  }

  /** Moves to the next key in the cursor's direction, whatever its versions and the limit. */
  private advance(): boolean {
    if (this.head === none) this.enter()
    else if (this.version !== this.leaves.versionOf(this.leaf)) this.stand(this.leaves.placeOf(this.head), 0)
    this.position += this.step
    if (this.position < 0) return this.enterLeaf(this.leaves.previousOf(this.leaf))
    if (this.position >= this.leaves.countOf(this.leaf)) return this.enterLeaf(this.leaves.nextOf(this.leaf))
    return true
  }

  private enterLeaf(leaf: number): boolean {
    if (leaf === noLeaf) return false
    this.leaf = leaf
    this.version = this.leaves.versionOf(leaf)
    this.position = this.step === 1 ? 0 : this.leaves.countOf(leaf) - 1
    return true
  }

  private isOutside(head: number): boolean {
    const limit = this.limit
    if (limit === undefined) return false
    const number = this.leaves.numberAt(this.leaf, this.position)
    return this.isPast(this.leaves.compare(this.limitNumber, limit, 0, limit.length, number, head))
  }
}

class Ascending extends GenerationCursor {
  protected readonly step = 1
  private current = none

  protected get limit(): Uint8Array | undefined {
    return this.bounds.end
  }

  protected nextVersion(): number {
    if (this.current !== none) this.current = VersionChain.older(this.rows, this.current)
    return this.current
  }

  protected firstVersion(newest: number): number {
    this.current = newest
    return newest
  }

  protected enter(): void {
    const { start } = this.bounds
    const place = start === undefined ? this.leaves.firstPlace : this.leaves.seek(start, 0, start.length)
    this.stand(place, -1)
  }

  protected isPast(comparison: number): boolean {
    return comparison <= 0
  }
}

class Descending extends GenerationCursor {
  protected readonly step = -1
  /** The current key's rows that are still to be shown, newest first. */
  private versions = new Int32Array(16)
  private count = 0

  protected get limit(): Uint8Array | undefined {
    return this.bounds.start
  }

  protected nextVersion(): number {
    return this.count === 0 ? none : (this.versions[--this.count] as number)
  }

  protected firstVersion(newest: number): number {
    for (let row = newest; row !== none; row = VersionChain.older(this.rows, row)) {
      if (this.count === this.versions.length) this.grow()
      this.versions[this.count++] = row
    }
    return this.nextVersion()
  }

  protected enter(): void {
    const { end } = this.bounds
    this.stand(end === undefined ? this.leaves.endPlace : this.leaves.seek(end, 0, end.length), 0)
  }

  protected isPast(comparison: number): boolean {
    return comparison > 0
  }

  private grow(): void {
    const versions = new Int32Array(this.versions.length * 2)
    versions.set(this.versions)
    this.versions = versions
  }
}

/** A cursor over `leaves`, which must hold every key of `rows`. */
export const make = (rows: RowRecords, leaves: OrderedLeaves, bounds: Bounds, descending: boolean): Cursor =>
  descending ? new Descending(rows, leaves, bounds) : new Ascending(rows, leaves, bounds)
