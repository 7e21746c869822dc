/**
 * What a compaction job reads: the rows of its sources, as far as they survive, in the
 * order in which they are written.
 *
 *     SsTableCursor, RunCursor ─> KWayMerge ─> PacedCursor ─> RowsAfter ─> Retention ─> DropTombstones
 *                                                             └ resumed                 └ bottom
 *
 * Each source shows its visible part, and begins where the job goes on. Blocks are
 * read past the cache: who reads everything once would only drive out what others read. But
 * it is asked which of them others read.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as DbError from "../../DbError.ts"
import * as KeyRange from "../../KeyRange.ts"
import { type Cursor, Step } from "../lsm/Cursor.ts"
import { DropTombstones } from "../lsm/DropTombstones.ts"
import { KWayMerge } from "../lsm/KWayMerge.ts"
import type { MergeFunction } from "../lsm/MergeFold.ts"
import { PacedCursor } from "../lsm/PacedCursor.ts"
import { Retention } from "../lsm/Retention.ts"
import { RowsAfter } from "../lsm/RowsAfter.ts"
import type { SortedRun } from "../model/Manifest.ts"
import { copy, Kind, type RowEntry } from "../model/RowEntry.ts"
import type { Sequence } from "../model/Sequence.ts"
import type { SsTable } from "../model/SsTable.ts"
import { RunCursor } from "../store/RunCursor.ts"
import { SsTableCursor } from "../store/SsTableCursor.ts"
import type { TableReader } from "../store/TableReader.ts"
import type { TableStore } from "../store/TableStore.ts"
import { Warmth } from "../store/Warmth.ts"
import type { Retrying } from "./Retrying.ts"

/** The tables that are merged, newest first. */
export interface Sources {
  readonly l0: ReadonlyArray<SsTable>
  /** The tables of each are in order and disjoint, but that one key may end a table and begin the next. */
  readonly runs: ReadonlyArray<SortedRun>
}

export interface Options {
  readonly sources: Sources
  readonly isBottom: boolean
  readonly minSequence: Sequence
  readonly now: number
  readonly merge: MergeFunction | undefined
  readonly tables: TableStore
  readonly retrying: Retrying
}

/** Bytes of all stretches in memory, and of one, at most: requests cost less than the waiting, from 1 MiB on. */
const stretchesBytesMax = 16 * 1024 * 1024
const stretchBytesMax = 1024 * 1024
/** The one that is merged, and the next. */
const stretchesPerSource = 2
/** Sources that fetch at the same time. */
const fetchesMax = 32
/** Rows passed by before somebody looks at the clock: about 0.1 ms. */
const rowsPerPause = 64

/** Sources that have to be loaded. */
type Source = Pick<SsTableCursor | RunCursor, "row" | "next" | "load" | "ahead" | "position">

export class CompactionInput {
  /** Says `blocked` also where nothing is missing: see `isPause`. */
  readonly rows: Cursor
  readonly #merge: KWayMerge<Source>
  readonly #sources: ReadonlyArray<Source>
  readonly #retrying: Retrying
  /** Bytes of tables that lie before the point where the job goes on. */
  readonly #skippedBytes: number
  readonly #warmth = new Warmth()

  /** `after`: the last row that was written, if the job goes on. */
  constructor(options: Options, after: RowEntry | undefined) {
    const { isBottom, merge, minSequence, now } = options
    const { skippedBytes, sources } = cursorsOf(options, rangeAfter(after, minSequence), this.#warmth)
    this.#sources = sources
    this.#skippedBytes = skippedBytes
    this.#retrying = options.retrying
    this.#merge = new KWayMerge(sources, "ascending")
    const paced = new PacedCursor(this.#merge, rowsPerPause)
    const remaining = after === undefined ? paced : new RowsAfter(paced, after.key, after.sequence)
    const kept = new Retention(remaining, { minSequence, now, merge: merge === undefined ? undefined : guarded(merge) })
    this.rows = isBottom ? new DropTombstones(kept) : kept
  }

  /** Whether the rows are blocked only so that somebody looks at the clock. */
  get isPause(): boolean {
    return this.#merge.blocked.length === 0
  }

  /** Whether what it comes by is being read by others, and is in the cache. */
  get isWarm(): boolean {
    return this.#warmth.isWarm
  }

  /** Bytes of the sources' blocks that are behind it. */
  get position(): number {
    return this.#sources.reduce((sum, source) => sum + source.position, this.#skippedBytes)
  }

  /** Fetches all that the merge waits for, at once. */
  get load(): Effect.Effect<void, DbError.DbError> {
    const { blocked } = this.#merge
    return Effect.suspend(() =>
      Effect.forEach(blocked, (source) => this.#retrying(Effect.suspend(() => source.load ?? Effect.void)), {
        concurrency: fetchesMax,
        discard: true
      })
    ).pipe(
      Effect.andThen(
        Effect.sync(() => {
          blocked.length = 0
        })
      )
    )
  }

  /** Begins to fetch, in the scope, what the sources will lack next. What fails is asked for again by `load`. */
  ahead(scope: Scope.Scope): Effect.Effect<void> {
    const fetches = this.#sources.flatMap(({ ahead }) => (ahead === undefined ? [] : [ahead]))
    return Effect.forEach(fetches, (fetch) => Effect.forkIn(Effect.ignore(fetch), scope, { startImmediately: true }), {
      discard: true
    })
  }
}

/**
 * Where a job with outputs goes on: behind the last row of the last one. A merge operand there may be one of several
 * that belong in one fold: that output is done again.
 */
export const resume = Effect.fnUntraced(function* (
  outputs: ReadonlyArray<SsTable>,
  { retrying, tables }: Pick<Options, "retrying" | "tables">
) {
  for (let count = outputs.length; count > 0; count--) {
    const after = yield* lastRow(tables.reader(outputs[count - 1] as SsTable), retrying)
    if (after !== undefined && after.kind !== Kind.merge) return { outputs: outputs.slice(0, count), after }
  }
  return { outputs: [], after: undefined }
})

const lastRow = Effect.fnUntraced(function* (reader: TableReader, retrying: Retrying) {
  const cursor = new SsTableCursor(reader, {
    range: reader.visiblePart(KeyRange.all),
    order: "descending",
    readAheadBytes: 0,
    cacheBlocks: false
  })
  for (;;) {
    const step = cursor.next()
    if (step !== Step.blocked) return step === Step.row ? copy(cursor.row) : undefined
    yield* retrying(cursor.load)
  }
})

/** The keys that may have rows behind a row: no more of its own, if it was the oldest that any reader can see. */
const rangeAfter = (after: RowEntry | undefined, minSequence: Sequence): KeyRange.KeyRange => {
  if (after === undefined) return KeyRange.all
  if (after.sequence > minSequence) return { start: after.key, end: undefined }
  const start = new Uint8Array(after.key.length + 1)
  start.set(after.key)
  return { start, end: undefined }
}

const cursorsOf = ({ sources, tables }: Options, range: KeyRange.KeyRange, warmth: Warmth) => {
  let skippedBytes = 0
  const overlapping = (all: ReadonlyArray<SsTable>) =>
    all.flatMap((table) => {
      const reader = tables.reader(table)
      if (reader.overlaps(range)) return [reader]
      skippedBytes += table.info.filterOffset
      return []
    })
  const l0 = overlapping(sources.l0)
  const runs = sources.runs.map((run) => overlapping(run.tables)).filter((readers) => readers.length > 0)
  const windows = Math.max(1, stretchesPerSource * (l0.length + runs.length))
  const readAheadBytes = Math.min(stretchBytesMax, Math.floor(stretchesBytesMax / windows))
  const cursor = (reader: TableReader) =>
    new SsTableCursor(reader, {
      range: reader.visiblePart(range),
      order: "ascending",
      readAheadBytes,
      cacheBlocks: false,
      isWhole: true,
      warmth
    })
  const cursors: ReadonlyArray<Source> = [
    ...l0.map(cursor),
    ...runs.map((readers) => {
      const left = readers.values()
      return new RunCursor(() => {
        const { done, value } = left.next()
        return done === true ? undefined : cursor(value)
      })
    })
  ]
  return { sources: cursors, skippedBytes }
}

/** A merge function whose throws, and results that are no bytes, are told from bugs of the engine. */
const guarded =
  (merge: MergeFunction): MergeFunction =>
  (key, existing, operand) => {
    let result: unknown
    try {
      result = merge(key, existing, operand)
    } catch (cause) {
      throw refused("it threw", cause)
    }
    if (result instanceof Uint8Array) return result
    throw refused(`it returned ${typeof result}, not bytes`, undefined)
  }

const refused = (what: string, cause: unknown): DbError.DbError =>
  DbError.fail(
    new DbError.Invalid({ field: "merge operator", detail: `${what} when a compaction folded operands`, cause })
  )
