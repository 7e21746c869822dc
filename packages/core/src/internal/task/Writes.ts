/**
 * The writing half of a database: checks a write, waits for room and its turn, appends
 * it, and waits for it to be durable if it is asked to.
 *
 * Check, sequence number and append are one synchronous step: an interrupted
 * write was either not made or goes its way (ADR 17).
 *
 * A writer that waits for nothing would keep the event loop to itself, and with it
 * the upload of what it writes: it gives others a turn after so much.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { WriteOptions } from "../model/WriteOptions.ts"
import * as DbError from "../../DbError.ts"
import * as KeyRange from "../../KeyRange.ts"
import type { Settings } from "../../Settings.ts"
import * as WriteBatch from "../../WriteBatch.ts"
import * as BatchRows from "../lsm/BatchRows.ts"
import type { MergeFunction } from "../lsm/MergeFold.ts"
import { Kind, neverExpires } from "../model/RowEntry.ts"
import type { Backpressure } from "./Backpressure.ts"
import type { Lifecycle } from "./Lifecycle.ts"
import type { WalFlushTask } from "./WalFlushTask.ts"

/** Longest key, in bytes: rows hold 16 bits for it. */
export const keyBytesMax = 65_535
/** First value size that is refused: rows hold 32 bits for it. */
export const valueBytesEnd = 2 ** 32

/** What may be appended before others have a turn of the event loop: rows, where a kibibyte counts as a row more. */
const workPerTurn = 1024
const workOf = (rowBytes: number): number => 1 + rowBytes / 1024

/** About what a row takes in a table besides its key and value. */
const rowBytesMin = 21

export interface Options {
  readonly lifecycle: Lifecycle
  readonly settings: Settings
  readonly wal: WalFlushTask
  readonly backpressure: Backpressure
  readonly merge: MergeFunction | undefined
}

export interface Writes {
  readonly put: (
    key: KeyRange.Bytes,
    value: KeyRange.Bytes,
    options?: WriteOptions & WriteBatch.TtlOptions
  ) => Effect.Effect<void, DbError.DbError>
  readonly delete: (key: KeyRange.Bytes, options?: WriteOptions) => Effect.Effect<void, DbError.DbError>
  readonly merge: (
    key: KeyRange.Bytes,
    operand: KeyRange.Bytes,
    options?: WriteOptions & WriteBatch.TtlOptions
  ) => Effect.Effect<void, DbError.DbError>
  readonly write: (batch: WriteBatch.WriteBatch, options?: WriteOptions) => Effect.Effect<void, DbError.DbError>
}

export const make = (options: Options): Writes => {
  const { backpressure, lifecycle, settings, wal } = options
  const batchBytesMax = settings.maxUnflushedBytes

  let workInTurn = 0

  /** What the writer of appended rows waits for: for durability, or its turn to let others have one. */
  const appended = (work: number, write: WriteOptions | undefined): Effect.Effect<void, DbError.DbError> => {
    if (write?.awaitDurable ?? true) return wal.awaitDurable()
    workInTurn += work
    if (workInTurn < workPerTurn) return Effect.void
    workInTurn = 0
    return Effect.yieldNow
  }

  /** Appends when it is its turn. */
  const whenAdmitted = (
    bytes: number,
    append: () => Effect.Effect<void, DbError.DbError>
  ): Effect.Effect<void, DbError.DbError> =>
    backpressure.later(bytes, () => (lifecycle.isOpen ? append() : Effect.fail(lifecycle.error)))

  /** Appends once there is room; all in one step when there is room at once. */
  const append = (
    key: Uint8Array,
    value: Uint8Array,
    kind: Kind,
    expireTime: number,
    write: WriteOptions | undefined
  ): Effect.Effect<void, DbError.DbError> => {
    if (!lifecycle.isOpen) return Effect.fail(lifecycle.error)
    if (!backpressure.admit(key.length + value.length + rowBytesMin)) {
      return appendLater(key, value, kind, expireTime, write)
    }
    wal.append(key, value, kind, expireTime)
    return appended(workOf(key.length + value.length), write)
  }

  // Its closure would cost every append, were it made there.
  const appendLater = (
    key: Uint8Array,
    value: Uint8Array,
    kind: Kind,
    expireTime: number,
    write: WriteOptions | undefined
  ) =>
    whenAdmitted(key.length + value.length + rowBytesMin, () => {
      wal.append(key, value, kind, expireTime)
      return appended(workOf(key.length + value.length), write)
    })

  const appendBatch = (
    rows: ReadonlyArray<BatchRows.BatchRow>,
    write: WriteOptions | undefined
  ): Effect.Effect<void, DbError.DbError> => {
    if (!lifecycle.isOpen) return Effect.fail(lifecycle.error)
    let bytes = 0
    for (const { key, value } of rows) bytes += key.length + value.length
    const now = () => {
      wal.appendBatch(rows)
      return appended(rows.length - 1 + workOf(bytes), write)
    }
    const tableBytes = bytes + rows.length * rowBytesMin
    return backpressure.admit(tableBytes) ? now() : whenAdmitted(tableBytes, now)
  }

  const writeOne = (
    key: KeyRange.Bytes,
    value: Uint8Array,
    kind: Kind,
    ttl: WriteBatch.TtlOptions["ttl"],
    write: WriteOptions | undefined
  ): Effect.Effect<void, DbError.DbError> => {
    const bytes = KeyRange.toBytes(key)
    const refusal = invalidRow(bytes, value, batchBytesMax)
    if (refusal !== undefined) return Effect.fail(refusal)
    if (kind === Kind.tombstone || livesForEver(ttl)) return append(bytes, value, kind, neverExpires, write)
    const expireTime = expiry(ttl, wal.now())
    if (typeof expireTime !== "number") return Effect.fail(expireTime)
    return append(bytes, value, kind, expireTime, write)
  }

  const livesForEver = (ttl: WriteBatch.TtlOptions["ttl"]): boolean =>
    ttl === undefined ? settings.defaultTtl === null : ttl === "none"

  /**
   * When a value written at `now` expires. Counted from the time that rows are dated by: where the clock is behind it,
   * as after a failover, a flush would otherwise take a short-lived value for expired.
   */
  const expiry = (ttl: WriteBatch.TtlOptions["ttl"], now: number): number | DbError.DbError => {
    if (ttl === "none") return neverExpires
    const lifetime = ttl === undefined ? settings.defaultTtl : Option.getOrUndefined(Duration.fromInput(ttl))
    if (lifetime === null) return neverExpires
    if (lifetime === undefined || Duration.toMillis(lifetime) <= 0) {
      return invalid("ttl", `must be a duration above 0, or "none": ttl=${String(ttl)}`)
    }
    const expireTime = Math.ceil(now + Duration.toMillis(lifetime))
    return Number.isSafeInteger(expireTime) ? expireTime : neverExpires
  }

  /** The rows of a batch, checked and folded to one for each key. */
  const toRows = (batch: WriteBatch.WriteBatch): Result.Result<ReadonlyArray<BatchRows.BatchRow>, DbError.DbError> => {
    const rows: Array<BatchRows.BatchRow> = []
    // One moment for all: operands of one key and one lifetime must expire together.
    const now = wal.now()
    let bytes = 0
    for (const operation of WriteBatch.operations(batch)) {
      const key = KeyRange.toBytes(operation.key)
      const value =
        operation._tag === "Put"
          ? KeyRange.toBytes(operation.value)
          : operation._tag === "Merge"
            ? KeyRange.toBytes(operation.operand)
            : noBytes
      bytes += key.length + value.length
      const refusal =
        invalidRow(key, value, batchBytesMax) ??
        (operation._tag === "Merge" && options.merge === undefined ? noMergeOperator : undefined) ??
        (bytes > batchBytesMax ? tooLarge("batch", bytes, batchBytesMax) : undefined)
      if (refusal !== undefined) return Result.fail(refusal)
      const expireTime = operation._tag === "Delete" ? neverExpires : expiry(operation.ttl, now)
      if (typeof expireTime !== "number") return Result.fail(expireTime)
      rows.push(new BatchRows.BatchRow(kinds[operation._tag], key, value, expireTime))
    }
    return Result.mapError(BatchRows.fold(rows, options.merge), (refused) =>
      invalid("batch", `merge operands of one key have different expiry: key=${hex(refused.key)}`)
    )
  }

  return {
    put: (key, value, write) =>
      Effect.suspend(() => writeOne(key, KeyRange.toBytes(value), Kind.put, write?.ttl, write)),
    delete: (key, write) => Effect.suspend(() => writeOne(key, noBytes, Kind.tombstone, undefined, write)),
    merge: (key, operand, write) =>
      Effect.suspend(() =>
        options.merge === undefined
          ? Effect.fail(noMergeOperator)
          : writeOne(key, KeyRange.toBytes(operand), Kind.merge, write?.ttl, write)
      ),
    write: (batch, write) =>
      Effect.suspend(() => {
        const rows = toRows(batch)
        if (Result.isFailure(rows)) return Effect.fail(rows.failure)
        if (rows.success.length === 0) return lifecycle.isOpen ? Effect.void : Effect.fail(lifecycle.error)
        return appendBatch(rows.success, write)
      })
  }
}

const noBytes = new Uint8Array(0)
const kinds = { Put: Kind.put, Delete: Kind.tombstone, Merge: Kind.merge } as const

const invalid = (field: string, detail: string): DbError.DbError => DbError.fail(new DbError.Invalid({ field, detail }))

const noMergeOperator = invalid("merge operator", "the database has none; provide MergeOperator.layer to merge")

const tooLarge = (field: string, bytes: number, bytesMax: number): DbError.DbError =>
  invalid(field, `must not be larger than settings.maxUnflushedBytes: bytes=${bytes} max=${bytesMax}`)

const invalidRow = (key: Uint8Array, value: Uint8Array, batchBytesMax: number): DbError.DbError | undefined => {
  if (key.length === 0) return invalid("key", "must not be empty")
  if (key.length > keyBytesMax) return invalid("key", `must be at most ${keyBytesMax} bytes: bytes=${key.length}`)
  if (value.length >= valueBytesEnd) {
    return invalid("value", `must be below ${valueBytesEnd} bytes: bytes=${value.length}`)
  }
  const bytes = key.length + value.length
  return bytes > batchBytesMax ? tooLarge("value", bytes, batchBytesMax) : undefined
}

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes.subarray(0, 32), (byte) => byte.toString(16).padStart(2, "0")).join("")
