/**
 * Where rows live in memory, once: every version of every key that was written
 * since the generation before was sealed.
 *
 * A generation only grows. The memtable is its rows up to the durable
 * sequence number, the WAL buffer those above it, an immutable WAL a range of it: a
 * row changes from one to the other when a number moves, and is never copied.
 *
 *     append ─> open ──seal()──> sealed
 *                 │                 │
 *                 └─ find, cursor ──┘
 *
 *     RowRecords + Arena   the rows, in the order of appending
 *     KeyIndex             key -> newest row
 *     VersionChain         row -> older rows of its key
 *     OrderedLeaves        the keys in order, once a cursor asked for it
 *
 * Invariants: sequence numbers never go back; no row moves or changes; the rows of
 * a batch share a sequence number and are appended in one synchronous step, so that no reader
 * sees half of it; of several rows of one key among them the last counts. A row is named by its index, in order of
 * appending from 0.
 *
 * The order costs more than the rest of an append, so none is kept until the first
 * cursor; from then on every append keeps it. What has to order a large generation
 * without stalling calls `prepareOrder` before.
 *
 * It knows nothing of durability, visibility, expiry or files, and nothing is ever
 * deleted from it: a delete is a tombstone row.
 */
import { Kind, neverExpires, noCreateTime, type RowView } from "../model/RowEntry.ts"
import * as Sequence from "../model/Sequence.ts"
import { Arena } from "./Arena.ts"
import type { Cursor } from "./Cursor.ts"
import * as GenerationCursor from "./GenerationCursor.ts"
import * as KeyHash from "./KeyHash.ts"
import { KeyIndex } from "./KeyIndex.ts"
import { OrderBuild } from "./OrderBuild.ts"
import type { OrderedLeaves } from "./OrderedLeaves.ts"
import { RowRecords } from "./RowRecords.ts"
import * as VersionChain from "./VersionChain.ts"

/** What a row takes in a table besides its key and value: three varints, sequence number, flags. */
const encodedRowBytes = 13
/** What a creation time or an expiry takes in a table. */
const encodedTimeBytes = 8
const insertUnits = 128
const skipUnits = 4

export interface Options {
  /** A random whole number below 2^53, so that nobody can choose keys that collide. */
  readonly hashSeed: number
}

export interface CursorOptions {
  /** First key, inclusive. */
  readonly start?: Uint8Array | undefined
  /** Last key, exclusive. */
  readonly end?: Uint8Array | undefined
  readonly descending?: boolean | undefined
  /** Rows above it are not there. */
  readonly maxSequence: Sequence.Sequence
}

export class Generation {
  private readonly seed: KeyHash.HashSeed
  private readonly rows = new RowRecords(new Arena())
  private readonly index = new KeyIndex(this.rows)
  private build: OrderBuild | undefined
  private leaves: OrderedLeaves | undefined
  /** The keys of the rows before this one are in `leaves`. */
  private orderedRows = 0
  private sealed = false
  private first: Sequence.Sequence = Sequence.zero
  private last: Sequence.Sequence = Sequence.zero
  private createTimeMax = noCreateTime
  private merges = 0
  private encodedBytes = 0

  private constructor(options: Options) {
    this.seed = KeyHash.seed(options.hashSeed)
  }

  /** An empty generation. */
  static make(options: Options): Generation {
    return new Generation(options)
  }

  get rowCount(): number {
    return this.rows.count
  }

  /** Sequence number of the first row; 0 while there is none. */
  get firstSequence(): Sequence.Sequence {
    return this.first
  }

  /** Sequence number of the last row; 0 while there is none. */
  get lastSequence(): Sequence.Sequence {
    return this.last
  }

  /** The greatest creation time of its rows; `noCreateTime` while no row has one. */
  get greatestCreateTime(): number {
    return this.createTimeMax
  }

  /** How many rows are merge operands. */
  get mergeRowCount(): number {
    return this.merges
  }

  get hasMerges(): boolean {
    return this.merges > 0
  }

  get isSealed(): boolean {
    return this.sealed
  }

  /** About the bytes its rows take in a table: what `l0SstSizeBytes` is compared with. */
  get logicalBytes(): number {
    return this.encodedBytes
  }

  /** Bytes that are really allocated. */
  get allocatedBytes(): number {
    const order = (this.leaves?.allocatedBytes ?? 0) + (this.build?.allocatedBytes ?? 0)
    return this.rows.allocatedBytes + this.index.allocatedBytes + order
  }

  /**
   * Adds a row. The bytes are copied.
   *
   * Requires an open generation and a sequence number not below the last one.
   */
  append(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    sequence: Sequence.Sequence,
    kind: Kind,
    createTime: number,
    expireTime: number
  ): void {
    if (this.sealed) throw new Error(`a sealed generation was appended to: sequence=${sequence}`)
    if (sequence < this.last) {
      throw new Error(`sequence numbers went back: sequence=${sequence} last=${this.last}`)
    }
    const { index, rows } = this
    const row = rows.append(key, keyStart, keyEnd, value, valueStart, valueEnd, sequence, kind, createTime, expireTime)
    const hash = KeyHash.hash(this.seed, key, keyStart, keyEnd)
    const newest = index.put(hash, key, keyStart, keyEnd, row)
    VersionChain.add(rows, row, newest)
    if (row === 0) this.first = sequence
    this.last = sequence
    if (createTime > this.createTimeMax) this.createTimeMax = createTime
    if (kind === Kind.merge) this.merges++
    this.encodedBytes += encodedBytes(keyEnd - keyStart, valueEnd - valueStart, createTime, expireTime)
    if (this.leaves !== undefined && this.orderedRows === row) {
      if (newest === -1) this.leaves.insert(row)
      this.orderedRows = row + 1
    }
  }

  /** The newest row of the key whose sequence number is at most `maxSequence`, or -1. */
  find(key: Uint8Array, keyStart: number, keyEnd: number, maxSequence: Sequence.Sequence): number {
    const hash = KeyHash.hash(this.seed, key, keyStart, keyEnd)
    const row = this.index.find(hash, key, keyStart, keyEnd)
    return row === -1 ? -1 : VersionChain.newestAtMost(this.rows, row, maxSequence)
  }

  /** The next older row of the same key, or -1. */
  older(row: number): number {
    return VersionChain.older(this.rows, row)
  }

  /** The first row whose sequence number is above `sequence`; `rowCount` when there is none. */
  firstRowAbove(sequence: Sequence.Sequence): number {
    return this.rows.firstAbove(sequence)
  }

  /** Moves the window onto the row. Its bytes must not be changed; a reader that keeps them pins their chunk. */
  view(row: number, into: RowView): void {
    this.rows.view(row, into)
  }

  /**
   * The rows in key order, see `Cursor.ts`; those that are there now. Appends do not disturb it.
   *
   * Completes the order first, at once, if `prepareOrder` has not.
   */
  cursor(options: CursorOptions): Cursor {
    const leaves = this.orderComplete()
    const bounds = {
      start: options.start,
      end: options.end,
      maxSequence: Math.min(options.maxSequence, this.last)
    }
    return GenerationCursor.make(this.rows, leaves, bounds, options.descending === true)
  }

  /**
   * Works on the order for about `unitsMax` units of ten nanoseconds, and says whether it is complete.
   *
   * Once it is, appends keep it so.
   */
  prepareOrder(unitsMax: number): boolean {
    return this.advanceOrder(unitsMax) !== undefined
  }

  /** Ends appending. */
  seal(): void {
    this.sealed = true
  }

  private orderComplete(): OrderedLeaves {
    for (;;) {
      const leaves = this.advanceOrder(Infinity)
      if (leaves !== undefined) return leaves
    }
  }

  /** The leaves, if they are complete after so much work. */
  private advanceOrder(unitsMax: number): OrderedLeaves | undefined {
    let units = unitsMax
    if (this.leaves === undefined) {
      this.build ??= new OrderBuild(this.rows)
      units = this.build.advance(units)
      if (!this.build.isDone) return undefined
      this.leaves = this.build.leaves
      this.orderedRows = this.build.rowsEnd
      this.build = undefined
    }
    while (this.orderedRows < this.rows.count) {
      if (units <= 0) return undefined
      const row = this.orderedRows++
      const isHead = VersionChain.isHead(this.rows, row)
      if (isHead) this.leaves.insert(row)
      units -= isHead ? insertUnits : skipUnits
    }
    return this.leaves
  }
}

const encodedBytes = (keyBytes: number, valueBytes: number, createTime: number, expireTime: number): number =>
  keyBytes +
  valueBytes +
  encodedRowBytes +
  (createTime === noCreateTime ? 0 : encodedTimeBytes) +
  (expireTime === neverExpires ? 0 : encodedTimeBytes)
