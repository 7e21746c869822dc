/** How new tables and WAL objects are written: what the settings say, if the codec they name is at hand. */
import * as Result from "effect/Result"
import type { Compression } from "../../Compression.ts"
import type * as DbError from "../../DbError.ts"
import type { Settings } from "../../Settings.ts"
import { ChunkPool } from "../model/ChunkPool.ts"
import { SsTableWriter } from "../format/SsTableWriter.ts"
import * as StoreFailure from "./StoreFailure.ts"

/** Makes a writer that keeps blocks for the cache, so many bytes of them at most. */
export type NewWriter = (kind: "compacted" | "wal", keptBlockBytesMax: number) => SsTableWriter

/** Of all databases of a process, however many it has: what a pool keeps is bounded as a whole. */
const chunks = new ChunkPool()

export const make = (settings: Settings, compression: Compression): Result.Result<NewWriter, DbError.DbError> => {
  const { blockSizeBytes, compression: codecName, filterBitsPerKey, minFilterKeys } = settings
  const codec = compression.codecs[codecName]
  if (codecName !== "none" && codec === undefined) return Result.fail(StoreFailure.missingCodec(codecName))
  return Result.succeed(
    (kind, keptBlockBytesMax) =>
      new SsTableWriter({
        kind,
        keptBlockBytesMax,
        blockSizeBytes,
        filterBitsPerKey,
        minFilterKeys,
        codecName,
        codec: codecName === "none" ? undefined : codec,
        crc32: compression.crc32,
        chunks
      })
  )
}
