/**
 * What a database is doing, for people and tools: re-exported by the public `Db`
 * module.
 */
import type * as DbError from "../../DbError.ts"
import type { Settings } from "../../Settings.ts"
import type { TurnMeter } from "../store/TurnMeter.ts"
import type { Backlog } from "./Backlog.ts"
import type { Backpressure } from "./Backpressure.ts"
import type { CollectorFacts } from "./GarbageCollectorTask.ts"
import type { Report } from "./CompactorLedger.ts"
import type { Lifecycle } from "./Lifecycle.ts"
import type { MemtableFlushTask } from "./MemtableFlushTask.ts"
import type { StateCell } from "./StateCell.ts"
import type { WalFlushTask } from "./WalFlushTask.ts"

/**
 * What the database is doing.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Status {
  readonly state: "open" | "closing" | "closed"
  /** Why it closed, when it did so by itself. */
  readonly closed: DbError.Closed | undefined
  /** The greatest sequence number that is durable. */
  readonly durableSequence: number
  /** The greatest sequence number that was accepted. */
  readonly visibleSequence: number
  readonly writerEpoch: number
  readonly manifestId: number
  /** The id that the next WAL object gets. */
  readonly nextWalId: number
  /** Bytes allocated for rows that are not in level 0 yet. */
  readonly unflushedBytes: number
  /** Memtables that are frozen and not in level 0 yet. */
  readonly immutableMemtables: number
  /** Bytes of memory that they hold: what waits to be flushed. */
  readonly flushBacklogBytes: number
  readonly l0Tables: number
  /** Bytes of data and index of these tables: what waits to be compacted. */
  readonly compactionBacklogBytes: number
  readonly sortedRuns: number
  /** Compactions that run in this process. */
  readonly compactionsRunning: number
  /** Those that ended, since open. */
  readonly compactionsCompleted: number
  readonly compactionsFailed: number
  /** Bytes of the tables that the completed ones wrote. */
  readonly bytesCompacted: number
  /** Milliseconds by which writers are delayed for each mebibyte, before memory or level 0 is full; 0: they are not. */
  readonly writeDelayMillis: number
  /** Seconds until memory is full and writers stop, at the present pace; 0: it is full. `undefined`: it does not fill. */
  readonly secondsToStop: number | undefined
  /** Objects that this database's collector deleted, since open. */
  readonly collectedObjects: number
  /** Their bytes. */
  readonly collectedBytes: number
  /** Store requests that failed and were tried again by a task, since open. */
  readonly retries: number
  /** The most recent of them. */
  readonly lastRetry: string | undefined
  /**
   * The longest that the engine worked between two turns of the event loop, since the open began: building tables,
   * finishing WAL objects, replay and scans. Puts and lookups are not counted; nor is what store and program do.
   */
  readonly longestTurnMillis: number
  /** What it did then: one name, or several that shared the turn. */
  readonly longestTurnPlace: string | undefined
  /** Conditions that need attention, in plain words: stalls, a store that does not answer, compactions that fail. */
  readonly warnings: ReadonlyArray<string>
}

/** Puts a status together from what the tasks know. */
export const of = (parts: {
  readonly lifecycle: Lifecycle
  readonly cell: StateCell
  readonly wal: WalFlushTask
  readonly memtables: MemtableFlushTask
  readonly backlog: Backlog
  readonly backpressure: Backpressure
  readonly compactions: Report
  readonly collector: CollectorFacts
  readonly settings: Settings
  readonly turns: TurnMeter
}): Status => {
  const { backlog, backpressure, cell, collector, compactions, lifecycle, memtables, settings, turns, wal } = parts
  const { current, sealed } = cell.state
  const writeDelayMillis = backlog.delayMillisPerMebibyte
  const secondsToStop = backlog.secondsToStop
  const warnings: Array<string> = []
  if (memtables.isStalled()) {
    warnings.push(
      `level 0 is full: tables=${current.manifest.l0.length} underWay=${memtables.tablesUnderWay()} l0MaxSsts=${settings.l0MaxSsts}; memtables wait until a compactor makes room`
    )
  }
  if (backpressure.waiting > 0 && !backpressure.hasRoom) {
    warnings.push(
      `writers wait for memory: waiting=${backpressure.waiting} unflushedBytes=${cell.unflushedBytes} maxUnflushedBytes=${settings.maxUnflushedBytes}`
    )
  }
  if (writeDelayMillis > 0 && backpressure.hasRoom) {
    warnings.push(
      `writers are slowed down, as memtables are not flushed as fast: millisPerMebibyte=${Math.ceil(writeDelayMillis)} waiting=${backpressure.waiting} unflushedBytes=${cell.unflushedBytes} maxUnflushedBytes=${settings.maxUnflushedBytes} l0Tables=${current.manifest.l0.length} l0MaxSsts=${settings.l0MaxSsts}${secondsToStop === undefined ? "" : `; they stop in about ${Math.ceil(secondsToStop)} s`}`
    )
  }
  if (lifecycle.lastRetry !== undefined) {
    warnings.push(`store requests were tried again: retries=${lifecycle.retries} last: ${lifecycle.lastRetry}`)
  }
  warnings.push(...compactions.warnings)
  if (collector.failure !== undefined) {
    warnings.push(`the collector failed and will try again: ${collector.failure}`)
  }
  return {
    state: lifecycle.state,
    closed: lifecycle.reason,
    durableSequence: cell.durableSequence,
    visibleSequence: cell.visibleSequence,
    writerEpoch: current.manifest.writerEpoch,
    manifestId: current.id,
    nextWalId: wal.nextWalId(),
    unflushedBytes: cell.unflushedBytes + wal.bufferedBytes(),
    immutableMemtables: sealed.length,
    flushBacklogBytes: backlog.waitingBytes,
    l0Tables: current.manifest.l0.length,
    compactionBacklogBytes: backlog.l0Bytes,
    sortedRuns: current.manifest.runs.length,
    compactionsRunning: compactions.running.length,
    compactionsCompleted: compactions.completed,
    compactionsFailed: compactions.failed,
    bytesCompacted: compactions.bytesCompacted,
    writeDelayMillis,
    secondsToStop,
    collectedObjects: collector.objects,
    collectedBytes: collector.bytes,
    retries: lifecycle.retries,
    lastRetry: lifecycle.lastRetry,
    longestTurnMillis: turns.longestMillis,
    longestTurnPlace: turns.longestPlace,
    warnings
  }
}
