/**
 * Fills a database for the workloads that read: every key once, in random or in
 * ascending order, in batches.
 */
import type { BatchEntry, Database } from "./Engine.ts"
import * as Key from "./Key.ts"
import * as Loop from "./Loop.ts"
import * as Permutation from "./Permutation.ts"
import * as Random from "./Random.ts"
import * as Stopwatch from "./Stopwatch.ts"
import type { Elapsed } from "./Stopwatch.ts"
import * as Values from "./Values.ts"

export interface Options {
  readonly entries: number
  readonly valueBytes: number
  readonly batchEntries: number
  /** Whether to move the entries into tables and wait for compaction. */
  readonly flush: boolean
  /** Equal parts that are flushed one by one: every table of one part spans all keys. */
  readonly parts: number
  /** Whether to read from every block at the end, so that what fits into caches is there. */
  readonly touch: boolean
}

/** What a load does besides its entries. */
export const defaults = { batchEntries: 1000, flush: true, parts: 1, touch: false } as const

export interface Loaded {
  /** Until the last batch was accepted. */
  readonly accepted: Elapsed
  /** Until it was flushed and compacted as well. */
  readonly settled: Elapsed
}

export const run = async <P extends object>(database: Database<P>, options: Options): Promise<Loaded> => {
  const { entries, flush, parts } = options
  const stop = Stopwatch.start()
  const rest = allEntries(options)
  for (let part = 1; part < parts; part++) {
    await database.run(inBatches(database, taken(rest, Math.floor(entries / parts)), options.batchEntries))
    await database.run(Loop.one(database.flush()))
  }
  await database.run(inBatches(database, taken(rest, entries), options.batchEntries))
  const accepted = stop()
  if (flush) {
    await database.run(Loop.one(database.flush()))
    await database.settle?.()
  }
  const settled = stop()
  if (options.touch) await database.run(touches(database, options))
  return { accepted, settled }
}

/** Puts of `entries` in batches, as a loop. */
export function* inBatches<P extends object>(
  database: Database<P>,
  entries: Iterable<BatchEntry>,
  batchEntries: number
): Loop.Loop<P, void> {
  let batch: Array<BatchEntry> = []
  for (const entry of entries) {
    batch.push(entry)
    if (batch.length < batchEntries) continue
    const pending = database.batch(batch, false)
    if (pending !== undefined) yield pending
    batch = []
  }
  if (batch.length === 0) return
  const pending = database.batch(batch, false)
  if (pending !== undefined) yield pending
}

function* allEntries({ entries, valueBytes }: Options): Generator<BatchEntry, void> {
  const random = Random.make(7)
  const value = Values.make(valueBytes, 0.5)
  const index = Permutation.make(entries)
  for (let i = 0; i < entries; i++) yield [Key.make(index()), value(random)]
}

/** At most `count` of what is left; what it does not take is left for the next. */
function* taken<A>(rest: Iterator<A, void>, count: number): Generator<A, void> {
  for (let i = 0; i < count; i++) {
    const next = rest.next()
    if (next.done === true) return
    yield next.value
  }
}

/** Entries that lie closer than this are in one block, or in the next. */
const touchedBytes = 2048

function* touches<P extends object>(database: Database<P>, { entries, valueBytes }: Options): Loop.Loop<P, void> {
  const step = Math.max(1, Math.floor(touchedBytes / (Key.lengthBytes + valueBytes)))
  for (let index = 0; index < entries; index += step) {
    const answer = database.get(Key.make(index))
    if (answer !== undefined && !(answer instanceof Uint8Array)) yield answer
  }
}
