/**
 * How fast memory drains and fills, measured where memtables are frozen and
 * flushed: nothing is counted per write, and no timer runs.
 *
 *     frozen     flushed      frozen  frozen    flushed    flushed
 *        ├────────────┤          ├───────────────────┼──────────┤
 *            busy       at rest          busy            busy         drain = flushed bytes / busy time
 *
 * Only time in which a memtable waits is counted for the drain, so that a database at
 * rest is not taken for a slow one. The measure is the last flushes, as many as took
 * some seconds, so that an hour without a store is soon forgotten. What waits now makes
 * it less once it takes longer than they did: while nothing is flushed, the rate falls
 * smoothly, as if the flush ended at this moment.
 *
 * Times are milliseconds of a clock that never goes back; bytes are those that rows take in a table.
 */

/** What has been counted since the database was opened. */
export interface Totals {
  /** Bytes that were written, or were in memory after replay. */
  readonly writtenBytes: number
  /** Bytes of memtables that were frozen and have left memory. */
  readonly flushedBytes: number
  /** The bytes of the oldest memtable that waits; 0 when none does. */
  readonly nextBytes: number
}

interface Flush {
  readonly busyMillis: number
  readonly flushedBytes: number
}

interface Mark {
  readonly millis: number
  readonly writtenBytes: number
}

/** Flushes that are the measure of the drain: the newest that took so long together, or so many. */
const measuredMillis = 5000
const flushesMax = 8
/** Shorter times say nothing of how fast writers are. */
const fillMillisMin = 1000

export class FlushRate {
  #notedMillis: number
  #busyMillis = 0
  #isBusy: boolean
  /** Oldest first; the first is where measuring begins. */
  readonly #flushes: Array<Flush> = [{ busyMillis: 0, flushedBytes: 0 }]
  #newer: Mark
  #older: Mark

  constructor(millis: number, { nextBytes, writtenBytes }: Totals) {
    this.#notedMillis = millis
    this.#isBusy = nextBytes > 0
    this.#newer = { millis, writtenBytes }
    this.#older = this.#newer
  }

  /** Takes note of totals, whenever a memtable may have been frozen or flushed. */
  note(millis: number, { flushedBytes, nextBytes, writtenBytes }: Totals): void {
    this.#busyMillis = this.#busyAt(millis)
    this.#notedMillis = millis
    this.#isBusy = nextBytes > 0
    if (flushedBytes > this.#lastFlush.flushedBytes) {
      this.#flushes.push({ busyMillis: this.#busyMillis, flushedBytes })
      while (this.#flushes.length > flushesMax + 1 || this.#isEnoughWithoutFirst) this.#flushes.shift()
    }
    if (millis - this.#newer.millis >= fillMillisMin) {
      this.#older = this.#newer
      this.#newer = { millis, writtenBytes }
    }
  }

  /** Bytes that leave memory in a millisecond; infinite while there is nothing to measure. */
  drain(millis: number, nextBytes: number): number {
    const first = this.#flushes[0] as Flush
    const last = this.#lastFlush
    const flushedBytes = last.flushedBytes - first.flushedBytes
    const measured = rate(flushedBytes, last.busyMillis - first.busyMillis)
    if (!this.#isBusy) return measured
    return Math.min(measured, rate(flushedBytes + nextBytes, this.#busyAt(millis) - first.busyMillis))
  }

  /** Bytes written in a millisecond, since the newest mark that is old enough. */
  fill(millis: number, writtenBytes: number): number {
    const mark = millis - this.#newer.millis >= fillMillisMin ? this.#newer : this.#older
    return millis > mark.millis ? (writtenBytes - mark.writtenBytes) / (millis - mark.millis) : 0
  }

  get #lastFlush(): Flush {
    return this.#flushes[this.#flushes.length - 1] as Flush
  }

  get #isEnoughWithoutFirst(): boolean {
    const second = this.#flushes[1]
    return second !== undefined && this.#busyMillis - second.busyMillis >= measuredMillis
  }

  #busyAt(millis: number): number {
    return this.#busyMillis + (this.#isBusy ? Math.max(0, millis - this.#notedMillis) : 0)
  }
}

/** Infinite where no time has passed: with a clock that stands still, nobody is delayed. */
const rate = (bytes: number, millis: number): number => (millis > 0 ? bytes / millis : Infinity)
