/**
 * The description of a table, as FlatBuffers: in the object's footer, without
 * checksum or envelope (the section around it has these), and word for word in
 * the manifest.
 *
 * Slots that a newer writer adds are ignored: nothing is rewritten from an info
 * that was read here. The manifest's reader notes them, because a manifest is.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as SsTable from "../model/SsTable.ts"
import * as FlatBufferCompiler from "./FlatBufferCompiler.ts"
import { Bytes, I8, names, slot, U64 } from "./FlatBufferSchema.ts"
import type { FormatError } from "./FormatError.ts"

/** `SsTableInfo`. */
export const SsTableInfo = Schema.Struct({
  firstEntry: slot(0, Schema.UndefinedOr(Bytes)),
  indexOffset: slot(1, U64),
  indexLength: slot(2, U64),
  filterOffset: slot(3, U64),
  filterLength: slot(4, U64),
  compression: slot(5, names(I8, ["none", "snappy", "zlib", "lz4", "zstd"])),
  kind: slot(6, names(I8, ["compacted", "wal"])),
  lastEntry: slot(7, Schema.UndefinedOr(Bytes)),
  statsOffset: slot(8, U64),
  statsLength: slot(9, U64),
  filterFormat: slot(10, names(I8, ["legacy", "composite"]))
})

const table = FlatBufferCompiler.compile("sst info", SsTableInfo)

export const encode = (info: SsTable.SsTableInfo): Uint8Array => table.encode(info)

/** `bytes` begins with the FlatBuffer; bytes after it are ignored. */
export const decode = (bytes: Uint8Array): Result.Result<SsTable.SsTableInfo, FormatError> =>
  Result.map(table.decode(bytes), (decoded) => decoded.value)
