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
}

export interface Loaded {
  /** Until the last batch was accepted. */
  readonly accepted: Elapsed
  /** Until it was flushed and compacted as well. */
  readonly settled: Elapsed
}

export const run = async <P extends object>(database: Database<P>, options: Options): Promise<Loaded> => {
  const stop = Stopwatch.start()
  await database.run(batches(database, options))
  const accepted = stop()
  if (options.flush) {
    await database.run(Loop.one(database.flush()))
    await database.settle?.()
  }
  return { accepted, settled: stop() }
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

function* batches<P extends object>(database: Database<P>, options: Options): Loop.Loop<P, void> {
  const random = Random.make(7)
  const value = Values.make(options.valueBytes, 0.5)
  const index = Permutation.make(options.entries)
  function* entries(): Generator<BatchEntry> {
    for (let i = 0; i < options.entries; i++) yield [Key.make(index()), value(random)]
  }
  yield* inBatches(database, entries(), options.batchEntries)
}
