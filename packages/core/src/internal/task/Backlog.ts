/**
 * What waits to be flushed, how fast it goes, and what writers are delayed for it:
 * the load that `WriteDelay` judges, read from the state.
 *
 * Told whenever a memtable was frozen or flushed. A write looks at one number,
 * `freeBytes`: below it, it is not delayed.
 */
import type * as Clock from "effect/Clock"
import type { Settings } from "../../Settings.ts"
import { FlushRate, type Totals } from "../lsm/FlushRate.ts"
import * as WriteDelay from "../lsm/WriteDelay.ts"
import * as SsTable from "../model/SsTable.ts"
import type { StateCell } from "./StateCell.ts"

/** Tables that the open memtable and one that is frozen next may add to level 0 before the next note. */
const l0TablesMargin = 2
const mebibyte = 1024 * 1024

export class Backlog {
  /** Writers need not look any further while memory holds less. */
  freeBytes: number
  readonly bytesMax: number
  /** Bytes of memory that are not in level 0. */
  readonly heldBytes: () => number
  readonly #cell: StateCell
  readonly #settings: Settings
  readonly #clock: Clock.Clock
  readonly #rate: FlushRate

  constructor(options: {
    readonly cell: StateCell
    readonly settings: Settings
    readonly clock: Clock.Clock
    /** Bytes of WAL objects that are not stored. */
    readonly bufferedBytes: () => number
  }) {
    const { bufferedBytes, cell, clock, settings } = options
    this.#cell = cell
    this.#settings = settings
    this.#clock = clock
    this.#rate = new FlushRate(this.now(), this.#totals)
    this.bytesMax = settings.maxUnflushedBytes
    this.heldBytes = () => cell.unflushedBytes + bufferedBytes()
    this.freeBytes = this.#freeBytes
  }

  /** Milliseconds of a clock that never goes back. */
  now(): number {
    return Number(this.#clock.monotonicTimeNanosUnsafe()) / 1e6
  }

  /** A memtable may have been frozen or flushed. */
  note(): void {
    this.#rate.note(this.now(), this.#totals)
    this.freeBytes = this.#freeBytes
  }

  /** How long a write of so many bytes is delayed at this moment. */
  delayMillis(bytes: number, now: number): number {
    const pressure = WriteDelay.pressure(this.#load)
    return pressure === 0 ? 0 : WriteDelay.delayMillis(bytes, pressure, this.#rate.drain(now, this.#totals.nextBytes))
  }

  /** Bytes of frozen memtables. */
  get waitingBytes(): number {
    return this.#cell.sealedBytes
  }

  /** Bytes of the tables of level 0: what waits to be compacted. */
  get l0Bytes(): number {
    return this.#cell.state.current.manifest.l0.reduce((sum, table) => sum + SsTable.sizeBytes(table), 0)
  }

  get delayMillisPerMebibyte(): number {
    return this.delayMillis(1, this.now()) * mebibyte
  }

  /** When memory is full at the present pace; 0 when it is, `undefined` when it does not fill. */
  get secondsToStop(): number | undefined {
    const now = this.now()
    const { nextBytes, writtenBytes } = this.#totals
    const heldBytes = this.heldBytes()
    const roomBytes = this.bytesMax - heldBytes
    if (nextBytes === 0) return roomBytes > 0 ? undefined : 0
    // Rates are of the bytes of rows, which take more in memory.
    const rowBytes = this.#unflushedRowBytes / heldBytes
    const millis = WriteDelay.millisToStop(
      roomBytes * rowBytes,
      this.#rate.fill(now, writtenBytes),
      this.#rate.drain(now, nextBytes)
    )
    return millis === undefined ? undefined : millis / 1000
  }

  get #unflushedRowBytes(): number {
    return this.#cell.sealedRowBytes + this.#cell.state.open.logicalBytes
  }

  get #totals(): Totals {
    const { flushedRowBytes, state } = this.#cell
    return {
      writtenBytes: flushedRowBytes + this.#unflushedRowBytes,
      flushedBytes: flushedRowBytes,
      nextBytes: state.sealed[state.sealed.length - 1]?.generation.logicalBytes ?? 0
    }
  }

  get #load(): WriteDelay.Load {
    const { l0MaxSsts, l0SstSizeBytes } = this.#settings
    const { current, open, sealed } = this.#cell.state
    return {
      heldBytes: this.heldBytes(),
      heldBytesMax: this.bytesMax,
      waitingBytes: this.#cell.sealedBytes,
      l0Tables: current.manifest.l0.length + sealed.length + Math.min(1, open.logicalBytes / l0SstSizeBytes),
      l0TablesMax: l0MaxSsts,
      waitingTables: sealed.length
    }
  }

  get #freeBytes(): number {
    const { current, sealed } = this.#cell.state
    const l0TablesSoon = current.manifest.l0.length + sealed.length + l0TablesMargin
    const isL0Near = sealed.length > 0 && l0TablesSoon > WriteDelay.freeTables(this.#settings.l0MaxSsts)
    return isL0Near ? 0 : WriteDelay.freeBytes(this.bytesMax)
  }
}
