/**
 * Holds the `DbState` and the two numbers that move with every write, and gives
 * each task an object with only its own transitions (L5).
 *
 * A read takes `state`, `durableSequence` and `visibleSequence` in one
 * synchronous step, and so never sees half a change.
 *
 * `Pins` are the sequence numbers that scans and snapshots still read at: what a
 * pin can see must survive every flush (L15).
 */
import * as DbState from "../lsm/DbState.ts"
import type { Generation } from "../lsm/Generation.ts"
import type { Sequence } from "../model/Sequence.ts"

export class StateCell {
  #state: DbState.DbState
  #durableSequence: Sequence
  #visibleSequence: Sequence
  #sealedBytes: number
  #sealedRowBytes: number
  #flushedRowBytes = 0
  readonly #newGeneration: () => Generation
  readonly pins = new Pins()

  constructor(state: DbState.DbState, lastSequence: Sequence, newGeneration: () => Generation) {
    this.#newGeneration = newGeneration
    this.#state = state
    this.#durableSequence = lastSequence
    this.#visibleSequence = lastSequence
    this.#sealedBytes = sealedBytes(state)
    this.#sealedRowBytes = sealedRowBytes(state)
  }

  get state(): DbState.DbState {
    return this.#state
  }

  /** The border between memtable and WAL buffer: rows up to it are durable. */
  get durableSequence(): Sequence {
    return this.#durableSequence
  }

  /** Rows up to it are whole batches. */
  get visibleSequence(): Sequence {
    return this.#visibleSequence
  }

  /** Bytes really allocated for rows that are not in level 0. */
  get unflushedBytes(): number {
    return this.#sealedBytes + this.#state.open.allocatedBytes
  }

  /** Those of them that are in sealed generations. */
  get sealedBytes(): number {
    return this.#sealedBytes
  }

  /** About the bytes that the rows of sealed generations take in tables. */
  get sealedRowBytes(): number {
    return this.#sealedRowBytes
  }

  /** The same of the sealed generations that are in level 0, and not here any more. */
  get flushedRowBytes(): number {
    return this.#flushedRowBytes
  }

  /** No reader exists below it. */
  get minPinned(): Sequence {
    return Math.min(this.#durableSequence, this.pins.least)
  }

  /** For WalFlushTask. */
  readonly wal = {
    /** Publishes a batch, after its last row is in the open generation. */
    publish: (sequence: Sequence): void => {
      this.#visibleSequence = sequence
    },
    /** Turns WAL buffer into memtable: its rows are durable (L1). */
    durable: (sequence: Sequence): void => {
      this.#durableSequence = Math.max(this.#durableSequence, sequence)
    },
    sealGeneration: (sealed: {
      readonly lastWalId: number
      readonly commitPoints: ReadonlyArray<DbState.CommitPoint>
    }): void => {
      const generation = this.#state.open
      generation.seal()
      this.#replace(DbState.sealGeneration(this.#state, { generation, ...sealed }, this.#newGeneration()))
    }
  }

  /** For ManifestKeeper. */
  readonly keeper = {
    adoptManifest: (current: DbState.VersionedManifest): void => {
      const rowBytes = this.#sealedRowBytes
      this.#replace(DbState.adoptManifest(this.#state, current))
      this.#flushedRowBytes += rowBytes - this.#sealedRowBytes
      // Without a WAL, being in level 0 is what makes a row durable.
      this.#durableSequence = Math.max(this.#durableSequence, current.manifest.lastL0Sequence)
    }
  }

  #replace(state: DbState.DbState): void {
    this.#state = state
    this.#sealedBytes = sealedBytes(state)
    this.#sealedRowBytes = sealedRowBytes(state)
  }
}

/** The sequence numbers that somebody still reads at. */
export class Pins {
  readonly #counts = new Map<Sequence, number>()

  /** The least of them; infinite when there is none. */
  get least(): Sequence {
    let least = Infinity
    for (const sequence of this.#counts.keys()) if (sequence < least) least = sequence
    return least
  }

  add(sequence: Sequence): void {
    this.#counts.set(sequence, (this.#counts.get(sequence) ?? 0) + 1)
  }

  remove(sequence: Sequence): void {
    const count = this.#counts.get(sequence) ?? 0
    if (count > 1) this.#counts.set(sequence, count - 1)
    else this.#counts.delete(sequence)
  }
}

const sealedBytes = (state: DbState.DbState): number =>
  state.sealed.reduce((sum, sealed) => sum + sealed.generation.allocatedBytes, 0)

const sealedRowBytes = (state: DbState.DbState): number =>
  state.sealed.reduce((sum, sealed) => sum + sealed.generation.logicalBytes, 0)
