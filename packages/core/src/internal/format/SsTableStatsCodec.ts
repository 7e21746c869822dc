/**
 * The counts of a table, as FlatBuffers: the payload of the stats section,
 * which is compressed like a block and checksummed around.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Stats from "../model/SsTableStats.ts"
import * as FlatBufferCompiler from "./FlatBufferCompiler.ts"
import { emptyAsAbsent, slot, U16, U64 } from "./FlatBufferSchema.ts"
import type { FormatError } from "./FormatError.ts"

/** `BlockStats`. */
const BlockStats = Schema.Struct({
  puts: slot(0, U16),
  deletes: slot(1, U16),
  merges: slot(2, U16)
})

/** `SstStats`. */
export const SsTableStats = Schema.Struct({
  puts: slot(0, U64),
  deletes: slot(1, U64),
  merges: slot(2, U64),
  rawKeyBytes: slot(3, U64),
  rawValueBytes: slot(4, U64),
  blocks: slot(5, emptyAsAbsent(BlockStats))
})

const table = FlatBufferCompiler.compile("sst stats", SsTableStats)

export const encode = (stats: Stats.SsTableStats): Uint8Array => table.encode(stats)

export const decode = (bytes: Uint8Array): Result.Result<Stats.SsTableStats, FormatError> =>
  Result.map(table.decode(bytes), (decoded) => decoded.value)
