/**
 * Compaction jobs for tests: tables in a bucket of memory, and the executor with
 * settings that fit them.
 */
import * as BlockCache from "@effect-slatedb/core/BlockCache"
import type * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import { NodeCompression } from "@effect-slatedb/platform-node"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as SsTableReader from "../../src/internal/format/SsTableReader.ts"
import * as SsTableWriter from "../../src/internal/format/SsTableWriter.ts"
import type { RowEntry } from "../../src/internal/model/RowEntry.ts"
import { RowView } from "../../src/internal/model/RowEntry.ts"
import type { CompressionCodec, SsTable } from "../../src/internal/model/SsTable.ts"
import * as ObjectPaths from "../../src/internal/store/ObjectPaths.ts"
import * as TableStore from "../../src/internal/store/TableStore.ts"
import { TurnMeter } from "../../src/internal/store/TurnMeter.ts"
import * as UlidSource from "../../src/internal/store/UlidSource.ts"
import * as CompactionExecutor from "../../src/internal/task/CompactionExecutor.ts"

const paths = ObjectPaths.make("db")
const compression = NodeCompression.make()

export const none = { l0: [], runs: [] } as const

export interface Lab {
  readonly bucket: MemoryObjectStore.State
  readonly cache: BlockCache.BlockCache
  readonly tables: TableStore.TableStore
  readonly turns: TurnMeter
  /** Stores a table; its rows are in order. */
  readonly table: (rows: ReadonlyArray<RowEntry>, options?: Partial<SsTableWriter.Options>) => Effect.Effect<SsTable>
  readonly newWriter: (options?: Partial<SsTableWriter.Options>) => SsTableWriter.SsTableWriter
  readonly run: (options: Partial<CompactionExecutor.Options>) => ReturnType<typeof CompactionExecutor.run>
  readonly rows: (tables: ReadonlyArray<SsTable>) => ReadonlyArray<RowEntry>
}

/** `store`: the one that jobs use, if it is not the bucket itself. */
export const make = Effect.fnUntraced(function* (
  bucket: MemoryObjectStore.State = MemoryObjectStore.makeState(),
  store: ObjectStore.ObjectStore["Service"] = MemoryObjectStore.fromState(bucket)
): Effect.fn.Return<Lab> {
  const ulids = yield* UlidSource.make
  const turns = new TurnMeter(yield* Clock.Clock)
  const cache = BlockCache.makeMemory({ blockBytesMax: 1_000_000, metaBytesMax: 1_000_000 })
  const tables = TableStore.make({ store, paths, compression, cache, turns })
  const newWriter = (options: Partial<SsTableWriter.Options> = {}) => {
    const codecName: CompressionCodec = options.codecName ?? "none"
    return new SsTableWriter.SsTableWriter({
      kind: "compacted",
      blockSizeBytes: 128,
      filterBitsPerKey: 10,
      minFilterKeys: 2,
      codecName,
      codec: codecName === "none" ? undefined : compression.codecs[codecName],
      crc32: compression.crc32,
      ...options
    })
  }
  return {
    bucket,
    cache,
    tables,
    turns,
    newWriter,
    table: (rows, options) =>
      Effect.suspend(() => {
        const writer = newWriter(options)
        for (const row of rows) writer.add(viewOf(row))
        const { body, info } = writer.finish()
        const id = ulids.next()
        return MemoryObjectStore.fromState(bucket)
          .put(paths.table(id), body)
          .pipe(
            Effect.orDie,
            Effect.as({ id, viewId: id, formatVersion: SsTableWriter.formatVersion, info, visibleRange: undefined })
          )
      }),
    run: (options) =>
      CompactionExecutor.run({
        sources: none,
        isBottom: true,
        outputs: [],
        minSequence: Number.MAX_SAFE_INTEGER,
        now: -1,
        merge: undefined,
        maxSstSizeBytes: 1_000_000,
        newWriter: () => newWriter(),
        tables,
        ulids,
        turns,
        retrying: (request) => request,
        onOutputs: () => Effect.void,
        ...options
      }),
    rows: (named) =>
      named.flatMap(({ id }) => {
        const object = bucket.objects.get(paths.table(id))
        if (object === undefined) throw new Error(`there is no table ${id}`)
        return Result.getOrThrow(SsTableReader.decodeTable(object.bytes, compression))
      })
  }
})

const viewOf = (row: RowEntry): RowView =>
  Object.assign(new RowView(), { ...row, keyEnd: row.key.length, valueEnd: row.value.length })
