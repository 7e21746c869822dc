/**
 * Compaction throughput: eight tables that overlap are written with the compactor
 * off; then the database is opened with it on, and its counters are watched.
 *
 * Only engines that count compactions as SlateDB does can be measured.
 */
import { setTimeout as sleep } from "node:timers/promises"
import type { BatchEntry, Database } from "../Engine.ts"
import * as Key from "../Key.ts"
import * as Load from "../Load.ts"
import * as Loop from "../Loop.ts"
import * as Permutation from "../Permutation.ts"
import * as Random from "../Random.ts"
import * as Settling from "../Settling.ts"
import * as Stopwatch from "../Stopwatch.ts"
import * as Values from "../Values.ts"
import type { Line, Open, Task } from "./Task.ts"
import { close } from "./Task.ts"

const tables = 8
const batchEntries = 500
const pollMillis = 20
const pollsMax = 1500

/** Memtables are flushed when the fill says so, not before. */
const withoutCompactor = {
  compactor_options: null,
  l0_max_ssts: 1000,
  l0_sst_size_bytes: 2 ** 30,
  max_unflushed_bytes: 2 ** 31
}
const withCompactor = { "compactor_options.poll_interval": "100ms" }

export const run = async <P extends object>(open: Open<P>, { entries, valueBytes }: Task): Promise<Line> => {
  const perTable = Math.floor(entries / tables)
  const writer = await open(withoutCompactor)
  await fill(writer, perTable, valueBytes)
  await close(writer)

  const database = await open(withCompactor)
  const { bytes, elapsed } = await compacted(database)
  await close(database)
  const seconds = elapsed.nanoseconds / 1e9
  return {
    tables,
    inputMegabytes: (perTable * tables * (Key.lengthBytes + valueBytes)) / 1e6,
    bytesCompacted: bytes,
    seconds,
    megabytesPerSecond: bytes / seconds / 1e6,
    entriesPerSecond: Math.round((perTable * tables) / seconds),
    cpuSeconds: elapsed.cpuMicros / 1e6,
    megabytesPerCpuSecond: bytes / elapsed.cpuMicros
  }
}

const fill = async <P extends object>(database: Database<P>, perTable: number, valueBytes: number): Promise<void> => {
  const index = Permutation.make(perTable * tables)
  const random = Random.make(3)
  const value = Values.make(valueBytes, 0.5)
  function* table(): Generator<BatchEntry> {
    for (let i = 0; i < perTable; i++) yield [Key.make(index()), value(random)]
  }
  for (let i = 0; i < tables; i++) {
    await database.run(Load.inBatches(database, table(), batchEntries))
    await database.run(Loop.one(database.flush()))
  }
}

/** Watches the counters from the first compaction that runs until none does. */
const compacted = async <P extends object>(database: Database<P>) => {
  let stop: (() => Stopwatch.Elapsed) | undefined
  for (let poll = 0; poll < pollsMax; poll++) {
    await sleep(pollMillis)
    const now = database.counters?.()
    if (now === undefined) throw new Error("this engine does not count compactions")
    const { bytes, running } = Settling.progress(now)
    if (running > 0) stop ??= Stopwatch.start()
    if (stop !== undefined && running === 0 && bytes > 0) return { bytes, elapsed: stop() }
  }
  throw new Error(`no compaction was seen to its end: seconds=${(pollMillis * pollsMax) / 1000}`)
}
