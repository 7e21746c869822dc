/**
 * Reads WAL objects back into rows, in the order in which they were written.
 *
 * Objects are fetched ahead, several at once, and applied one after another. Every
 * id in the range must be there: a hole would lose acknowledged writes without a
 * word. Rows that are in level 0 already are skipped by sequence number.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Compression } from "../../Compression.ts"
import * as DbError from "../../DbError.ts"
import { BlockStep } from "../format/BlockCursor.ts"
import * as WalReader from "../format/WalReader.ts"
import type { RowView } from "../model/RowEntry.ts"
import type { Sequence } from "../model/Sequence.ts"
import type { ObjectPaths } from "./ObjectPaths.ts"
import * as StoreFailure from "./StoreFailure.ts"
import type { TurnMeter } from "./TurnMeter.ts"
import type { WalStore } from "./WalStore.ts"

export interface Options {
  readonly wals: WalStore
  readonly paths: ObjectPaths
  readonly compression: Compression
  /** First and last id, both included. */
  readonly from: number
  readonly to: number
  readonly turns: TurnMeter
  /** Objects fetched at once at most. */
  readonly fetchesMax: number
  /** Rows up to this sequence number are in tables already. */
  readonly skipThrough: Sequence
  /** The greatest sequence number of the objects before. */
  readonly lastSequence: Sequence
  /** Takes a row; the bytes are borrowed. */
  readonly onRow: (row: RowView) => void
  /** After the last row of an object. */
  readonly onWal: (id: number) => void
}

/** Steps between two yields to the event loop, if time does not end a slice before; what is applied in a step. */
const stepsPerSlice = 32
const rowsPerStep = 64
const bytesPerStep = 64 * 1024

/** A WAL object that must be there is not: `id` may have been collected since the manifest was read. */
export const missing = (paths: ObjectPaths, id: number): DbError.DbError =>
  DbError.fail(
    new DbError.Corrupt({
      object: paths.wals.path(id),
      offset: 0,
      expected: "a WAL object, as ids are contiguous",
      found: "nothing"
    })
  )

/** Applies the objects in order; answers with the greatest sequence number met. */
export const run = (options: Options): Effect.Effect<Sequence, DbError.DbError> => {
  const { from, paths, to, turns, wals } = options
  let last = options.lastSequence
  const apply = Effect.fnUntraced(function* (id: number, bytes: Uint8Array) {
    const path = paths.wals.path(id)
    const opened = yield* turns.whole("replay", () => WalReader.open(bytes, options.compression))
    const rows = yield* Effect.mapError(Effect.fromResult(opened), StoreFailure.fromFormat(path))
    const floor = last
    const end: { failure: DbError.DbError | undefined } = { failure: undefined }
    yield* turns.slices("replay", stepsPerSlice, () => {
      for (let count = 0, size = 0; count < rowsPerStep && size < bytesPerStep; count++) {
        const step = rows.next()
        if (step === BlockStep.done) return true
        if (rows.error !== undefined) {
          end.failure = StoreFailure.fromFormat(path)(rows.error)
          return true
        }
        const { sequence, valueEnd, valueStart } = rows.row
        size += valueEnd - valueStart
        if (sequence <= options.skipThrough) continue
        if (sequence < last || sequence <= floor) {
          end.failure = wentBack(path, sequence, last)
          return true
        }
        last = sequence
        options.onRow(rows.row)
      }
      return false
    })
    if (end.failure !== undefined) return yield* end.failure
    options.onWal(id)
  })
  if (to < from) return Effect.succeed(last)
  return Stream.range(from, to).pipe(
    Stream.rechunk(1),
    Stream.mapEffect(
      (id) =>
        Effect.flatMap(wals.read(id), (bytes) =>
          bytes === undefined ? Effect.fail(missing(paths, id)) : Effect.succeed({ id, bytes })
        ),
      // One object is all there is after a clean end: read by itself, it needs no queue.
      { concurrency: Math.min(options.fetchesMax, to - from + 1) }
    ),
    Stream.runForEach(({ bytes, id }) => apply(id, bytes)),
    Effect.map(() => last)
  )
}

const wentBack = (object: string, sequence: Sequence, last: Sequence): DbError.DbError =>
  DbError.fail(
    new DbError.Corrupt({
      object,
      offset: 0,
      expected: `row sequence above ${last}`,
      found: String(sequence)
    })
  )
