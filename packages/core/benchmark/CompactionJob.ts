/**
 * What it costs to merge tables: 8 tables of 52,000 rows each, 16-byte keys and 224-byte
 * values, whose keys interleave at random; together about 100 MB, in a store in memory.
 *
 *     node packages/core/benchmark/CompactionJob.ts [rounds]
 *
 * Prints megabytes of input a second for each round and their median, the longest turn
 * of the event loop, and the requests. Do not compare with figures that include a store's
 * latency, a codec, or rows that are dropped.
 */
import { NodeCompression } from "@effect-slatedb/platform-node"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as BlockCache from "../src/BlockCache.ts"
import { SsTableWriter } from "../src/internal/format/SsTableWriter.ts"
import { RowView } from "../src/internal/model/RowEntry.ts"
import * as ObjectPaths from "../src/internal/store/ObjectPaths.ts"
import * as TableStore from "../src/internal/store/TableStore.ts"
import { TurnMeter } from "../src/internal/store/TurnMeter.ts"
import * as UlidSource from "../src/internal/store/UlidSource.ts"
import * as CompactionExecutor from "../src/internal/task/CompactionExecutor.ts"

const rounds = Number(process.argv[2] ?? 5)
const tableCount = 8
const rowCount = 416_000
const compression = NodeCompression.make()

const newWriter = () =>
  new SsTableWriter({
    kind: "compacted",
    blockSizeBytes: 4096,
    filterBitsPerKey: 10,
    minFilterKeys: 1000,
    codecName: "none",
    codec: undefined,
    crc32: compression.crc32
  })

const row = new RowView()
row.key = new TextEncoder().encode("user000000000000")
row.keyEnd = row.key.length
row.value = Uint8Array.from({ length: 4096 }, (_, i) => (i * 2_654_435_761) >>> 24)
row.createTime = 1_795_392_386_327

const setKey = (value: number): void => {
  for (let at = row.key.length - 1, left = value; at >= 4; at--, left = Math.floor(left / 10)) {
    row.key[at] = 0x30 + (left % 10)
  }
}

/** Which table the row is in. */
const tableOf = (n: number) => (Math.imul(n ^ (n >>> 7), 0x9e37_79b1) >>> 24) % tableCount

const build = () => {
  const writers = Array.from({ length: tableCount }, newWriter)
  for (let n = 0; n < rowCount; n++) {
    setKey(n)
    row.sequence = n + 1
    row.valueStart = n % 1024
    row.valueEnd = row.valueStart + 224
    writers[tableOf(n)]?.add(row)
  }
  return writers.map((writer) => writer.finish())
}

const program = Effect.gen(function* () {
  const state = MemoryObjectStore.makeState()
  const ulids = yield* UlidSource.make
  const clock = yield* Clock.Clock
  const stores = (turns: TurnMeter) =>
    TableStore.make({
      store: MemoryObjectStore.fromState(state),
      paths: ObjectPaths.make("db"),
      compression,
      cache: BlockCache.makeMemory({ blockBytesMax: 0, metaBytesMax: 0 }),
      turns
    })
  const l0 = yield* Effect.forEach(build(), ({ body, info }) =>
    stores(new TurnMeter(clock)).create(ulids.next(), body, info, ulids.next())
  )
  const megabytes = l0.reduce((sum, { info }) => sum + info.filterOffset, 0) / 1e6
  const rates: Array<number> = []
  for (let round = 0; round < rounds; round++) {
    const turns = new TurnMeter(clock)
    MemoryObjectStore.resetRequests(state)
    const start = process.hrtime.bigint()
    const cpu = process.cpuUsage()
    const outputs = yield* CompactionExecutor.run({
      sources: { l0, runs: [] },
      isBottom: true,
      outputs: [],
      minSequence: rowCount,
      now: 0,
      merge: undefined,
      maxSstSizeBytes: 64 * 1024 * 1024,
      newWriter,
      tables: stores(turns),
      ulids,
      turns,
      retrying: (request) => request,
      onOutputs: () => Effect.void
    })
    const seconds = Number(process.hrtime.bigint() - start) / 1e9
    const { system, user } = process.cpuUsage(cpu)
    rates.push(megabytes / seconds)
    console.log(
      `${(megabytes / seconds).toFixed(0).padStart(5)} MB/s, ${(megabytes / ((user + system) / 1e6)).toFixed(0)} MB per CPU second,` +
        ` longest turn ${turns.longestMillis.toFixed(1)} ms (${turns.longestPlace}),` +
        ` ${state.requests.getRange.count} reads, ${outputs.length} tables`
    )
    const store = MemoryObjectStore.fromState(state)
    yield* Effect.forEach(outputs, ({ id }) => store.delete(`db/compacted/${id}.sst`))
  }
  const median = rates.toSorted((a, b) => a - b)[rounds >> 1] as number
  console.log(`${median.toFixed(0).padStart(5)} MB/s, median of ${rounds}; ${megabytes.toFixed(0)} MB of input`)
})

await Effect.runPromise(program)
