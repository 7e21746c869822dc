/**
 * How long a write is delayed, so that writers slow down before they have to stop.
 *
 *     delay of a byte
 *       2 / drain ┤                        ╱│ stop
 *                 │                     ╱   │
 *       1 / drain ┤ - - - - - - - - -╱      │     here writers are as fast as flushes
 *                 │               ╱         │
 *               0 ┼────────────╱────────────┤
 *                 0           1/2   3/4     1   of the memory that may wait
 *
 * A byte above the threshold takes a share of the time in which a byte is flushed: nothing at the threshold, all of it
 * half way to the limit, twice of it at the limit. So the pace of writers falls smoothly to that of flushes, and has
 * room left to fall below it. Level 0 counts in the same way, from three quarters of its tables on.
 *
 * What is above a threshold counts only as far as memtables wait to be flushed: delaying writers for rows that nothing
 * is about to take away would win no room.
 *
 * The idea is RocksDB's delayed write rate: soft limits below the hard ones, and between them a rate to write at
 * (its wiki, "Write Stalls"). There the rate moves in steps at each look; here it is a continuous function of the
 * load, so that it has no state and cannot swing by itself.
 */

/** What is full, and how full. */
export interface Load {
  /** Bytes of memory that are not in level 0, and how many there may be. */
  readonly heldBytes: number
  readonly heldBytesMax: number
  /** Those of them whose memtable is frozen: a flush gives them back. */
  readonly waitingBytes: number
  /** Tables of level 0, with those that memory will become; parts count. And how many level 0 may have. */
  readonly l0Tables: number
  readonly l0TablesMax: number
  /** Those of them that frozen memtables will become. */
  readonly waitingTables: number
}

/** What of the memory may be taken before writers are delayed. */
const heldShare = 1 / 2
/** The same for the tables of level 0. */
const l0Share = 3 / 4
/** The delay at a limit, in times of the flush of the same bytes. */
const delayAtLimit = 2

/** The longest that one write is delayed. */
export const delayMillisMax = 1000

/** Writers that hold less are not delayed for memory. */
export const freeBytes = (heldBytesMax: number): number => heldBytesMax * heldShare

/** Level 0 with no more tables delays nobody. */
export const freeTables = (l0TablesMax: number): number => l0TablesMax * l0Share

/** How near the stop is: 0 below the thresholds, 1 at a limit. Never falls when a part of the load grows. */
export const pressure = (load: Load): number =>
  Math.max(
    share(load.heldBytes, freeBytes(load.heldBytesMax), load.heldBytesMax, load.waitingBytes),
    share(load.l0Tables, freeTables(load.l0TablesMax), load.l0TablesMax, load.waitingTables)
  )

/** Where `level` stands between `start` and `end`, from 0 to 1; what is above `start` counts up to `waiting`. */
const share = (level: number, start: number, end: number, waiting: number): number =>
  Math.max(0, Math.min(1, Math.min(level - start, waiting) / (end - start)))

/** How long a write of so many bytes is delayed: at least 0 and at most `delayMillisMax`. */
export const delayMillis = (bytes: number, pressure: number, drainBytesPerMilli: number): number => {
  const due = bytes * pressure * delayAtLimit
  return due === 0 ? 0 : Math.min(delayMillisMax, due / drainBytesPerMilli)
}

/** When so many bytes of room are used up at these rates, in bytes per millisecond; `undefined`: never. */
export const millisToStop = (roomBytes: number, fill: number, drain: number): number | undefined =>
  roomBytes <= 0 ? 0 : fill > drain ? roomBytes / (fill - drain) : undefined
