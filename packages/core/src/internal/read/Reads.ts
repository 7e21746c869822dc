/**
 * The reading half of a database: gets, ranges and scans, the same for the writer's
 * handle and for a reader's.
 *
 * Whoever owns the state gives a function that captures it; everything here is
 * synchronous until a part of a table has to be fetched.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { type Entry, notResident, type ReadLevel, type ReadOptions, type ScanOptions } from "../model/ReadOptions.ts"
import * as DbError from "../../DbError.ts"
import * as KeyRange from "../../KeyRange.ts"
import { ByteCopies } from "../lsm/ByteCopies.ts"
import type { MergeFunction } from "../lsm/MergeFold.ts"
import { missing, PointLookup } from "./PointLookup.ts"
import { Lack, LocalParts } from "../store/TableSearch.ts"
import type { TurnMeter } from "../store/TurnMeter.ts"
import * as RangeScan from "./RangeScan.ts"
import type { ReadView } from "./ReadView.ts"

export interface Options {
  /** Why reads are not possible, if so. */
  readonly refusal: () => DbError.DbError | undefined
  /** The present state, seen at this level. */
  readonly view: (level: ReadLevel) => ReadView
  /** What a scan that begins now sees, for as long as it takes. */
  readonly hold: (level: ReadLevel) => Held
  readonly merge: MergeFunction | undefined
  readonly hideExpired: boolean
  readonly clock: Clock.Clock
  readonly turns: TurnMeter
}

/** A moment that is kept visible: no flush drops what can be seen at it, until it is let go. */
export interface Held {
  /** The present state, seen at that moment. */
  readonly view: () => ReadView
  readonly release: () => void
}

export interface Reads {
  readonly get: (
    key: KeyRange.Bytes,
    options?: ReadOptions
  ) => Effect.Effect<Uint8Array, DbError.KeyNotFound | DbError.DbError>
  readonly getOption: (
    key: KeyRange.Bytes,
    options?: ReadOptions
  ) => Effect.Effect<Option.Option<Uint8Array>, DbError.DbError>
  readonly getMany: (
    keys: ReadonlyArray<KeyRange.Bytes>,
    options?: ReadOptions
  ) => Effect.Effect<ReadonlyArray<Option.Option<Uint8Array>>, DbError.DbError>
  readonly getUnsafe: (key: KeyRange.Bytes, options?: ReadOptions) => Uint8Array | undefined | typeof notResident
  readonly getRange: (
    range: KeyRange.KeyRange,
    options?: ScanOptions
  ) => Effect.Effect<ReadonlyArray<Entry>, DbError.DbError>
  readonly scan: (range: KeyRange.KeyRange, options?: ScanOptions) => Stream.Stream<Entry, DbError.DbError>
}

/** Keys of one `getMany` that fetch at the same time. */
const fetchesMax = 32

export const make = (options: Options): Reads => {
  const merge = options.merge ?? refuseMerge
  const now = options.hideExpired ? () => options.clock.currentTimeMillisUnsafe() : () => -Infinity
  const keyCopies = new ByteCopies()
  const valueCopies = new ByteCopies()
  const lookup = new PointLookup({ merge, now, take: (bytes, start, end) => valueCopies.copy(bytes, start, end) })
  const borrowing = new PointLookup({ merge, now, take: view })

  const find = <A, E>(
    key: KeyRange.Bytes,
    view: ReadView,
    cacheBlocks: boolean,
    found: (value: Uint8Array) => A,
    absent: Effect.Effect<A, E>
  ): Effect.Effect<A, E | DbError.DbError> =>
    attempt(() => {
      const bytes = KeyRange.toBytes(key)
      const answer = lookup.find(view, bytes, undefined)
      if (answer instanceof Uint8Array) return Effect.succeed(found(answer))
      if (answer === missing) return absent
      if (!(answer instanceof Lack)) return Effect.fail(answer)
      return Effect.flatMap(complete(view, bytes, answer, cacheBlocks), (value) =>
        value === missing ? absent : Effect.succeed(found(value))
      )
    })

  /** Repeats a lookup until everything that it lacks was loaded. */
  const complete = Effect.fnUntraced(function* (
    view: ReadView,
    key: Uint8Array,
    lack: Lack,
    cacheBlocks: boolean
  ): Effect.fn.Return<Uint8Array | typeof missing, DbError.DbError> {
    const local = new LocalParts()
    for (let lacking = lack; ;) {
      yield* local.load(lacking, cacheBlocks)
      const answer = yield* attempt(() => Effect.succeed(lookup.find(view, key, local)))
      if (DbError.isDbError(answer)) return yield* answer
      if (!(answer instanceof Lack)) return answer
      lacking = answer
    }
  })

  const optional = (key: KeyRange.Bytes, view: ReadView, cacheBlocks: boolean) =>
    find(key, view, cacheBlocks, Option.some, none)

  const scan = (range: KeyRange.KeyRange, asked: ScanOptions = noOptions): Stream.Stream<Entry, DbError.DbError> =>
    Stream.unwrap(
      Effect.suspend(() => {
        const refusal = options.refusal() ?? invalidScan(range, asked)
        if (refusal !== undefined) return Effect.fail(refusal)
        const held = Effect.acquireRelease(
          Effect.sync(() => options.hold(asked.readLevel ?? "committed")),
          ({ release }) => Effect.sync(release)
        )
        return Effect.map(held, ({ view }) => {
          const pull = Effect.catchDefect(
            RangeScan.pull({ range, asked, view, now: now(), merge, keyCopies, valueCopies }, options.turns),
            thrown
          )
          return Stream.fromPull(Effect.succeed(Effect.suspend(() => options.refusal() ?? pull)))
        })
      })
    )

  return {
    get: (key, read) =>
      Effect.suspend(() => {
        const refusal = options.refusal()
        return refusal === undefined
          ? find(
              key,
              options.view(read?.readLevel ?? "committed"),
              read?.cacheBlocks ?? true,
              identity,
              Effect.suspend(() => Effect.fail(new DbError.KeyNotFound({ key })))
            )
          : Effect.fail(refusal)
      }),
    getOption: (key, read) =>
      Effect.suspend(() => {
        const refusal = options.refusal()
        return refusal === undefined
          ? optional(key, options.view(read?.readLevel ?? "committed"), read?.cacheBlocks ?? true)
          : Effect.fail(refusal)
      }),
    getMany: (keys, read) =>
      Effect.suspend(() => {
        const refusal = options.refusal()
        if (refusal !== undefined) return Effect.fail(refusal)
        const view = options.view(read?.readLevel ?? "committed")
        const cacheBlocks = read?.cacheBlocks ?? true
        return Effect.forEach(keys, (key) => optional(key, view, cacheBlocks), { concurrency: fetchesMax })
      }),
    getUnsafe: (key, read) => {
      const refusal = options.refusal()
      if (refusal !== undefined) throw refusal
      const answer = borrowing.find(options.view(read?.readLevel ?? "committed"), KeyRange.toBytes(key), undefined)
      if (answer instanceof Uint8Array) return answer
      if (answer === missing) return undefined
      if (answer instanceof Lack) return notResident
      throw answer
    },
    getRange: (range, asked = noOptions) =>
      Effect.suspend(() => {
        const refusal = options.refusal() ?? invalidScan(range, asked)
        if (refusal !== undefined) return Effect.fail(refusal)
        const view = options.view(asked.readLevel ?? "committed")
        return attempt(() => {
          const entries = RangeScan.resident({
            range,
            asked,
            view: () => view,
            now: now(),
            merge,
            keyCopies,
            valueCopies
          })
          return entries === undefined ? Stream.runCollect(scan(range, asked)) : Effect.succeed(entries)
        })
      }),
    scan
  }
}

/** A window on bytes; `subarray`, which asks for their species, takes twice the time. */
const view = (bytes: Uint8Array, start: number, end: number): Uint8Array =>
  new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start)

const identity = (value: Uint8Array): Uint8Array => value
const none: Effect.Effect<Option.Option<Uint8Array>> = Effect.succeed(Option.none())

/** Runs a lookup; a `DbError` that the merge function throws becomes a failure. */
const attempt = <A, E>(run: () => Effect.Effect<A, E>): Effect.Effect<A, E | DbError.DbError> => {
  try {
    return run()
  } catch (error) {
    return thrown(error)
  }
}

const thrown = (error: unknown): Effect.Effect<never, DbError.DbError> =>
  DbError.isDbError(error) ? Effect.fail(error) : Effect.die(error)

/** What folds operands in a database that has no merge operator. */
const refuseMerge: MergeFunction = () => {
  throw DbError.fail(
    new DbError.Invalid({
      field: "merge operator",
      detail: "the key holds merge operands; provide MergeOperator.layer to read it"
    })
  )
}

const noOptions: ScanOptions = {}

const invalidScan = (range: KeyRange.KeyRange, asked: ScanOptions): DbError.DbError | undefined => {
  if (KeyRange.isReversed(range)) {
    return DbError.fail(new DbError.Invalid({ field: "range", detail: "`to` sorts before `from`" }))
  }
  for (const field of ["limit", "readAheadBytes"] as const) {
    const value = asked[field]
    if (value !== undefined && !(Number.isInteger(value) && value >= 0) && value !== Infinity) {
      return DbError.fail(
        new DbError.Invalid({ field, detail: `must be a whole number of at least 0: ${field}=${value}` })
      )
    }
  }
  return undefined
}
