/**
 * The WAL buffer: rows that were appended and not frozen yet, and the numbers
 * that they get.
 *
 * Owned by WalFlushTask and changed in synchronous steps only: sequence numbers
 * are gapless, creation times never go back, and a batch never spans two WAL
 * objects, because nothing can come between `begin` and `commit`.
 */
import type * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as DbError from "../../DbError.ts"
import type { Settings } from "../../Settings.ts"
import type { SsTableWriter } from "../format/SsTableWriter.ts"
import type { CommitPoint } from "../lsm/DbState.ts"
import type * as WalFlushStep from "../lsm/WalFlushStep.ts"
import { type Kind, RowView } from "../model/RowEntry.ts"
import type { Sequence } from "../model/Sequence.ts"
import type { StateCell } from "./StateCell.ts"

/** Rows that share a WAL object, and everybody who waits until it is stored. */
export interface Wal {
  readonly writer: SsTableWriter
  readonly durable: Deferred.Deferred<void, DbError.DbError>
  lastSequence: Sequence
  isAwaited: boolean
}

export class WalBuffer {
  active: Wal | undefined
  nextWalId: number
  readonly #cell: StateCell
  readonly #settings: Settings
  readonly #clock: Clock.Clock
  readonly #newWriter: () => SsTableWriter
  /**
   * Writes the next WAL; absent where the WAL is off. Made ahead, so that there is always one: when a collection of
   * garbage finds none, V8 throws away the machine code that knows its shape, and appending is slow until it is compiled
   * again.
   */
  #nextWriter: SsTableWriter | undefined
  readonly #row = new RowView()
  #walsInGeneration: number
  #commitPoints: Array<CommitPoint> = []
  #nextCommitPoint = -Infinity
  /** Without a WAL: who waits for the open generation, and for sealed ones, to be in level 0. */
  #covering: Array<{ readonly durable: Wal["durable"]; sequence: Sequence }> = []

  constructor(
    options: {
      readonly cell: StateCell
      readonly settings: Settings
      readonly newWriter: () => SsTableWriter
      readonly nextWalId: number
      readonly replayedWals: number
      readonly lastCreateTime: number
    },
    clock: Clock.Clock
  ) {
    this.#cell = options.cell
    this.#settings = options.settings
    this.#clock = clock
    this.#newWriter = options.newWriter
    this.#nextWriter = options.settings.walEnabled ? options.newWriter() : undefined
    this.nextWalId = options.nextWalId
    this.#walsInGeneration = options.replayedWals
    this.#row.createTime = options.lastCreateTime
  }

  get isFull(): boolean {
    return this.active === undefined
      ? !this.#settings.walEnabled && this.#cell.state.open.logicalBytes >= this.#settings.l0SstSizeBytes
      : this.active.writer.sizeBytes >= this.#settings.walMaxBytes
  }

  /** The time of the clock, or of the newest row where that is later: what rows are dated, and expire, by. */
  get now(): number {
    return Math.max(this.#row.createTime, Math.floor(this.#clock.currentTimeMillisUnsafe()))
  }

  /** All rows until `commit` are one batch: one sequence number, one creation time that never goes back. */
  begin(): void {
    const row = this.#row
    row.sequence = this.#cell.visibleSequence + 1
    row.createTime = this.now
    const writer = this.#nextWriter
    if (this.active === undefined && writer !== undefined) {
      this.active = { writer, durable: Deferred.makeUnsafe(), lastSequence: row.sequence, isAwaited: false }
      this.#nextWriter = this.#newWriter()
    }
  }

  add(key: Uint8Array, value: Uint8Array, kind: Kind, expireTime: number): void {
    const row = this.#row
    row.key = key
    row.keyEnd = key.length
    row.value = value
    row.valueEnd = value.length
    row.kind = kind
    row.expireTime = expireTime
    this.#cell.state.open.append(
      key,
      0,
      key.length,
      value,
      0,
      value.length,
      row.sequence,
      kind,
      row.createTime,
      expireTime
    )
    this.active?.writer.add(row)
  }

  commit(): void {
    const { createTime, sequence } = this.#row
    if (this.active !== undefined) this.active.lastSequence = sequence
    if (createTime >= this.#nextCommitPoint) {
      this.#nextCommitPoint = createTime + 60_000
      this.#commitPoints.push({ sequence, seconds: Math.floor(createTime / 1000) })
    }
    this.#cell.wal.publish(sequence)
  }

  /** The Deferred of the newest row; `newestFrozen` holds it when nothing was appended since. */
  awaited(newestFrozen: Wal | undefined): Wal["durable"] | undefined {
    const cell = this.#cell
    if (cell.visibleSequence <= cell.durableSequence) return undefined
    if (this.#settings.walEnabled) {
      const wal = this.active ?? newestFrozen
      if (wal !== undefined) wal.isAwaited = true
      return wal?.durable
    }
    const last = this.#covering[this.#covering.length - 1]
    if (last !== undefined && last.sequence >= cell.state.open.firstSequence) {
      last.sequence = cell.visibleSequence
      return last.durable
    }
    const durable: Wal["durable"] = Deferred.makeUnsafe()
    this.#covering.push({ durable, sequence: cell.visibleSequence })
    return durable
  }

  answerCovered(): void {
    const durableSequence = this.#cell.durableSequence
    this.#covering = this.#covering.filter(({ durable, sequence }) => {
      if (sequence > durableSequence) return true
      Deferred.doneUnsafe(durable, Effect.void)
      return false
    })
  }

  /** Gives the active rows their WAL id; seals the generation when it is due. */
  freeze(seal: boolean): WalFlushStep.FrozenWal<Wal> | undefined {
    const wal = this.active
    this.active = undefined
    const frozen = wal === undefined ? undefined : { id: this.nextWalId++, wal }
    if (frozen !== undefined) this.#walsInGeneration++
    const { open } = this.#cell.state
    const isDue =
      seal ||
      open.logicalBytes >= this.#settings.l0SstSizeBytes ||
      this.#walsInGeneration >= this.#settings.walFilesPerMemtableMax
    if (isDue && open.rowCount > 0) {
      this.#cell.wal.sealGeneration({ lastWalId: this.nextWalId - 1, commitPoints: this.#commitPoints })
      this.#commitPoints = []
      this.#walsInGeneration = 0
    }
    return frozen
  }

  fail(failure: Effect.Effect<never, DbError.DbError>): void {
    if (this.active !== undefined) Deferred.doneUnsafe(this.active.durable, failure)
    for (const { durable } of this.#covering) Deferred.doneUnsafe(durable, failure)
    this.#covering = []
  }
}
