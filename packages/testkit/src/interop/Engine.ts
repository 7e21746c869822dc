/**
 * What interoperation tests and drills ask of an engine: this project's and the
 * official one are driven through the same few calls.
 *
 * A session is closed in good order by `close`; a scope that ends without it closes
 * it too, and forgives what goes wrong then, as a fenced writer cannot close well.
 */
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { Entry } from "./Contents.ts"
import type * as Dice from "./Dice.ts"
import type { Batch } from "./History.ts"
import type { Place } from "./Place.ts"

export const names = ["ours", "official"] as const
export type Name = (typeof names)[number]

export const compressions = ["none", "snappy", "zlib", "lz4", "zstd"] as const
export const blockSizes = [1024, 2048, 4096, 8192, 16_384, 32_768, 65_536] as const

/** How a writer writes its objects. */
export const Tuning = Schema.Struct({
  compression: Schema.Literals(compressions),
  blockSizeBytes: Schema.Literals(blockSizes),
  minFilterKeys: Schema.Int,
  /** A memtable of this many bytes becomes a table of level 0. */
  l0SstSizeBytes: Schema.Int,
  flushMillis: Schema.Int,
  /** Whether compaction runs, where the engine has it. */
  isCompacting: Schema.Boolean
})
export type Tuning = typeof Tuning.Type

export const tuning: Tuning = {
  compression: "none",
  blockSizeBytes: 4096,
  minFilterKeys: 0,
  l0SstSizeBytes: 32_768,
  flushMillis: 3,
  isCompacting: false
}

/** Any tuning; compaction is left as the default has it. */
export const anyTuning = (dice: Dice.Dice): Tuning => ({
  compression: dice.pick(compressions),
  blockSizeBytes: dice.pick(blockSizes),
  minFilterKeys: dice.pick([0, 0, 1000]),
  l0SstSizeBytes: dice.pick([2000, 20_000, 200_000, 5_000_000]),
  flushMillis: dice.pick([1, 3, 20]),
  isCompacting: false
})

export interface View {
  readonly get: (key: Uint8Array) => Effect.Effect<Uint8Array | undefined, EngineError>
  readonly scan: (order: "ascending" | "descending") => Effect.Effect<ReadonlyArray<Entry>, EngineError>
  /** The greatest sequence number that is durable, as far as this handle knows. */
  readonly lastSequence: Effect.Effect<number>
}

/** Reads only, and moves on when `refresh` is asked for. */
export interface Reader extends View {
  /** Asks for what is new. An engine that looks by itself, again and again, does nothing here. */
  readonly refresh: Effect.Effect<void, EngineError>
}

export interface Session extends View {
  readonly write: (batch: Batch, options: { readonly awaitDurable: boolean }) => Effect.Effect<void, EngineError>
  readonly flush: (target: "wal" | "memtable") => Effect.Effect<void, EngineError>
  /**
   * Begins to read everything that is durable now, and stands still until the stream is run, which can be done once. Of
   * this engine it is a scan, begun with its first chunk: only what is longer is held. Of the official one a snapshot.
   */
  readonly hold: Effect.Effect<Stream.Stream<Entry, EngineError>, EngineError, Scope.Scope>
  readonly close: Effect.Effect<void, EngineError>
}

export interface Engine {
  readonly name: Name
  /** Whether reads show values that have expired and were not flushed since. */
  readonly showsExpired: boolean
  /** Whether descending scans can be relied on. */
  readonly scansDown: boolean
  /** Lookups that may be under way at once. */
  readonly lookupsMax: number
  readonly open: (place: Place, tuning: Tuning) => Effect.Effect<Session, EngineError, Scope.Scope>
  readonly reader: (place: Place) => Effect.Effect<Reader, EngineError, Scope.Scope>
}

/** An engine said no. */
export class EngineError extends Data.TaggedError("EngineError")<{
  readonly engine: Name
  /** Because another writer has taken the database over. */
  readonly isFenced: boolean
  readonly message: string
  readonly cause?: unknown
}> {}
