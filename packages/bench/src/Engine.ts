/**
 * What the harness asks of a key-value engine.
 *
 * **Answers.** Every operation either is done when it returns (`undefined`, a
 * value, a count) or returns a pending answer of the engine's own type `P`,
 * which only the engine's `run` knows how to wait for. See `Loop.ts`.
 *
 * **Bytes.** The caller reuses neither keys nor values, but an engine must not
 * rely on it: it takes what it needs before the operation is over. Values that
 * are read are only looked at until the next operation.
 *
 * **Durability.** `durable: true` is over when the write is where the engine keeps
 * its data: a process that opens it afterwards finds the write. `durable: false` is
 * over when the engine has accepted the write and reads show it.
 *
 * **Reads** see every write that is over, durable or not.
 */
import type { Loop } from "./Loop.ts"
import { runPromises, turn } from "./Loop.ts"

/** The object stores a database can stand on. */
export const stores = ["memory", "file", "s3"] as const
export type Store = (typeof stores)[number]

/** An S3 compatible server. */
export interface S3Location {
  readonly endpoint: string
  readonly bucket: string
}

/**
 * How a program calls an engine.
 *
 * - `best`: every engine by its fastest door: synchronous reads where it has
 *   them; everything else of effect-slatedb in one fiber around the whole loop.
 * - `fiber`: as `best`, with the reads of effect-slatedb as Effects of that fiber, too.
 * - `async`: a promise for every operation of every engine.
 */
export const modes = ["best", "fiber", "async"] as const
export type Mode = (typeof modes)[number]

export interface OpenOptions {
  /** A folder of this instance alone. It exists, and may hold what an earlier instance left. */
  readonly directory: string
  /** Where in an object store the database lies. Names this instance alone. */
  readonly path: string
  readonly store: Store
  /** Given when `store` is `"s3"`. */
  readonly s3: S3Location | undefined
  /** Settings by their SlateDB names, dotted where nested. Engines take those that mean something to them. */
  readonly settings: Readonly<Record<string, unknown>>
  readonly mode: Mode
}

/** A write of a batch: a put, or a delete when the value is `undefined`. */
export type BatchEntry = readonly [key: Buffer, value: Uint8Array | undefined]

/** The keys from `from` (included) to `to` (excluded), in ascending order, at most `limit`. */
export interface ScanRange {
  readonly from?: Buffer | undefined
  readonly to?: Buffer | undefined
  readonly limit?: number | undefined
}

/** What an engine or its object store counted since it was opened. */
export type Counters = Readonly<Record<string, number>>

/**
 * An open database.
 */
export interface Database<P extends object> {
  readonly put: (key: Buffer, value: Uint8Array, durable: boolean) => P | undefined
  readonly get: (key: Buffer) => P | Uint8Array | undefined
  readonly delete: (key: Buffer, durable: boolean) => P | undefined
  /** All entries or none. Does not keep the array. */
  readonly batch: (entries: ReadonlyArray<BatchEntry>, durable: boolean) => P | undefined
  /** Visits the entries of the range in order and ends with their number. */
  readonly scan: (range: ScanRange, visit: (key: Uint8Array, value: Uint8Array) => void) => P | number
  /** Moves what is buffered for writing into tables. */
  readonly flush: () => P | undefined
  readonly close: () => P | undefined
  /** One turn of the event loop. */
  readonly turn: () => P
  /** The value in what a pending `get` settled to. */
  readonly found: (settled: unknown) => Uint8Array | undefined
  readonly run: <A>(loop: Loop<P, A>) => Promise<A>
  /** Waits until background work (compaction) is over. */
  readonly settle?: () => Promise<void>
  readonly counters?: () => Counters
  /** Tables of level 0 at this moment, of engines that have such a level. */
  readonly level0Tables?: () => number
  /** Begins a scan of everything and leaves it open behind its first entries, until what it gives is called. */
  readonly hold?: () => Promise<() => Promise<void>>
}

/**
 * An engine that can open databases.
 */
export interface Engine<P extends object> {
  readonly name: string
  readonly version: string
  /** Object stores it can stand on. Empty: it keeps local files or nothing at all. */
  readonly stores: ReadonlyArray<Store>
  /**
   * Imports what `open` needs for a store, as a program has done when it opens: the import of an engine is not
   * counted for any of them. Absent where the engine comes with all of it.
   */
  readonly prepare?: (store: Store) => Promise<unknown>
  readonly open: (options: OpenOptions) => Promise<Database<P>>
}

/**
 * The store an engine stands on; `undefined` when it keeps its own files. Refuses a
 * store that the engine cannot take: figures must not be of another store than
 * their title says.
 */
export const storeOf = <P extends object>(engine: Engine<P>, asked: Store): Store | undefined => {
  if (engine.stores.length === 0) return undefined
  if (engine.stores.includes(asked)) return asked
  throw new Error(`the engine has no such store: store=${asked} stores=${engine.stores.join(",")}`)
}

/** The bytes in what a promise of a value settled to. */
export const foundBytes = (settled: unknown): Uint8Array | undefined =>
  settled instanceof Uint8Array ? settled : undefined

/**
 * The members that every database of promises has in common.
 */
export const promised = { turn, found: foundBytes, run: runPromises } as const

/**
 * An engine that answers nothing at once: what a program pays that awaits every call.
 */
export const awaited = (engine: Engine<Promise<unknown>>): Engine<Promise<unknown>> => ({
  ...engine,
  open: async (options) => {
    const database = await engine.open(options)
    return {
      ...database,
      put: (key, value, durable) => Promise.resolve(database.put(key, value, durable)),
      get: (key) => Promise.resolve(database.get(key)),
      delete: (key, durable) => Promise.resolve(database.delete(key, durable)),
      batch: (entries, durable) => Promise.resolve(database.batch(entries, durable)),
      scan: (range, visit) => Promise.resolve(database.scan(range, visit)),
      flush: () => Promise.resolve(database.flush()),
      close: () => Promise.resolve(database.close())
    }
  }
})
