/**
 * Reads the parts of a table from bytes that were fetched.
 *
 *     object   block 0 .. n-1 | filter | index | stats | info | footer
 *
 * A reader without a manifest begins at the end: footer, then info, which says
 * where the rest lies. With a manifest it has the info already. Every function
 * takes bytes of the object and `base`, the offset in the object of the first of
 * them, so that one request may serve several parts; offsets in errors are those
 * of the object.
 *
 * Nothing is trusted: a part must lie inside the bytes, its checksum must hold,
 * and only then is it decompressed and read.
 *
 * Payloads are views of the bytes given, unless a codec made new ones; index and
 * filter keep them. So these bytes must not change.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { copy, Kind, type RowEntry, RowView } from "../model/RowEntry.ts"
import type { CompressionCodec, SstFormatVersion, SsTableInfo } from "../model/SsTable.ts"
import type { SsTableStats } from "../model/SsTableStats.ts"
import { BlockCursor, BlockStep } from "./BlockCursor.ts"
import * as BloomFilter from "./BloomFilter.ts"
import type { Checksum } from "./Checksum.ts"
import { corrupt, type FormatError, shift, unsupported } from "./FormatError.ts"
import * as FormatSchema from "./FormatSchema.ts"
import * as Integer64 from "./Integer64.ts"
import * as Section from "./Section.ts"
import * as SsTableIndex from "./SsTableIndex.ts"
import * as SsTableInfoCodec from "./SsTableInfoCodec.ts"
import * as SsTableStatsCodec from "./SsTableStatsCodec.ts"
import { footerBytes, type Options, SsTableWriter } from "./SsTableWriter.ts"

/** What reading needs of the `Compression` service. */
export interface Codecs {
  readonly codecs: { readonly [Name in CompressionCodec]?: Section.Codec }
  readonly crc32: Checksum
}

export interface Footer {
  readonly infoOffset: number
  readonly formatVersion: SstFormatVersion
}

/** Reads the last 10 bytes of an object of `objectBytes`; `bytes` ends with them. */
export const footer = (bytes: Uint8Array, objectBytes: number): Result.Result<Footer, FormatError> => {
  if (objectBytes <= footerBytes || bytes.length < footerBytes) {
    return corrupt("sst", 0, `more than ${footerBytes} bytes`, Math.min(objectBytes, bytes.length))
  }
  const at = bytes.length - footerBytes
  const offset = objectBytes - footerBytes
  const version = ((bytes[at + 8] as number) << 8) | (bytes[at + 9] as number)
  if (version !== 1 && version !== 2) return unsupported("sst format version", offset + 8, "1 or 2", version)
  const infoOffset = Integer64.readUnsigned(bytes, at)
  return infoOffset < offset
    ? Result.succeed({ infoOffset, formatVersion: version })
    : corrupt("sst info offset", offset, `below ${offset}`, infoOffset)
}

/** Reads the info, and checks that what it names lies in front of it. */
export const info = (
  bytes: Uint8Array,
  base: number,
  { infoOffset }: Footer,
  objectBytes: number,
  crc32: Checksum
): Result.Result<SsTableInfo, FormatError> =>
  Result.flatMap(
    section("sst info", bytes, base, infoOffset, objectBytes - footerBytes, undefined, crc32),
    (payload) => {
      const decoded = SsTableInfoCodec.decode(payload)
      if (Result.isFailure(decoded)) return Result.fail(shift(decoded.failure, infoOffset))
      const found = decoded.success
      const { filterLength, filterOffset, indexLength, indexOffset, statsLength, statsOffset } = found
      const end = Math.max(indexOffset + indexLength, statsOffset + statsLength)
      if (filterOffset + filterLength > indexOffset || end > infoOffset) {
        const expected = `filter, then index, and stats before ${infoOffset}`
        const ends = `filter end ${filterOffset + filterLength}, index ${indexOffset}, end ${end}`
        return corrupt("sst info", infoOffset, expected, ends)
      }
      return Result.succeed(found)
    }
  )

export const index = (
  bytes: Uint8Array,
  base: number,
  table: SsTableInfo,
  codecs: Codecs
): Result.Result<SsTableIndex.SsTableIndex, FormatError> => {
  const start = table.indexOffset
  return read("sst index", bytes, base, start, start + table.indexLength, table, codecs, (payload) =>
    SsTableIndex.decode(payload, table.filterOffset)
  )
}

/** The filter; `undefined` in a table that has none. */
export const filter = (
  bytes: Uint8Array,
  base: number,
  table: SsTableInfo,
  codecs: Codecs
): Result.Result<BloomFilter.BloomFilter | undefined, FormatError> => {
  const start = table.filterOffset
  if (table.filterLength === 0) return Result.succeed(undefined)
  return read("sst filter", bytes, base, start, start + table.filterLength, table, codecs, (payload) =>
    BloomFilter.decode(payload, table.filterFormat)
  )
}

/** The stats; `undefined` in a table that has none. */
export const stats = (
  bytes: Uint8Array,
  base: number,
  table: SsTableInfo,
  codecs: Codecs
): Result.Result<SsTableStats | undefined, FormatError> => {
  const start = table.statsOffset
  if (table.statsLength === 0) return Result.succeed(undefined)
  return read("sst stats", bytes, base, start, start + table.statsLength, table, codecs, SsTableStatsCodec.decode)
}

/** The payload of the block at `[start, end)` in the object, as a `BlockCursor` takes it. */
export const block = (
  bytes: Uint8Array,
  base: number,
  start: number,
  end: number,
  table: SsTableInfo,
  codecs: Codecs
): Result.Result<Uint8Array, FormatError> =>
  Result.flatMap(codecOf(table, codecs), (codec) => section("block", bytes, base, start, end, codec, codecs.crc32))

/** What a whole object says of itself. */
export interface Opened {
  readonly formatVersion: SstFormatVersion
  readonly info: SsTableInfo
  readonly index: SsTableIndex.SsTableIndex
}

export const open = (bytes: Uint8Array, codecs: Codecs): Result.Result<Opened, FormatError> =>
  Result.gen(function* () {
    const end = yield* footer(bytes, bytes.length)
    const table = yield* info(bytes, 0, end, bytes.length, codecs.crc32)
    return { formatVersion: end.formatVersion, info: table, index: yield* index(bytes, 0, table, codecs) }
  })

/** All rows of a whole object, in the order they lie there. For tools and tests. */
export const decodeTable = (bytes: Uint8Array, codecs: Codecs): Result.Result<ReadonlyArray<RowEntry>, FormatError> => {
  const opened = open(bytes, codecs)
  if (Result.isFailure(opened)) return Result.fail(opened.failure)
  const { formatVersion, index, info } = opened.success
  const cursor = new BlockCursor()
  const rows: Array<RowEntry> = []
  for (let i = 0; i < index.blockCount; i++) {
    const start = index.blockOffset(i)
    const payload = block(bytes, 0, start, index.blockEnd(i), info, codecs)
    if (Result.isFailure(payload)) return Result.fail(payload.failure)
    cursor.load(payload.success, formatVersion)
    let step = cursor.next()
    for (; step === BlockStep.row; step = cursor.next()) rows.push(copy(cursor.row))
    if (cursor.error !== undefined) return Result.fail(shift(cursor.error, start))
  }
  return Result.succeed(rows)
}

/**
 * A whole table as a Schema from bytes to rows, for tools and tests. It writes with
 * the options and reads what any writer wrote; rows in another order than a table of
 * that kind takes are a defect, as in the writer.
 */
export const schema = (options: Options, codecs: Codecs): Schema.Codec<ReadonlyArray<RowEntry>, Uint8Array> =>
  FormatSchema.make(Rows, {
    decode: (bytes) => decodeTable(bytes, codecs),
    encode: (rows) => {
      const writer = new SsTableWriter(options)
      const window = new RowView()
      for (const row of rows) {
        Object.assign(window, row)
        window.keyEnd = row.key.length
        window.valueEnd = row.value.length
        writer.add(window)
      }
      const { body, sizeBytes } = writer.finish()
      const bytes = new Uint8Array(sizeBytes)
      let at = 0
      for (const piece of body) {
        bytes.set(piece, at)
        at += piece.length
      }
      return bytes
    }
  })

const Rows = Schema.Array(
  Schema.Struct({
    key: Schema.Uint8Array,
    value: Schema.Uint8Array,
    sequence: Schema.Int,
    kind: Schema.Literals([Kind.put, Kind.tombstone, Kind.merge]),
    createTime: Schema.Number,
    expireTime: Schema.Number
  })
)

/**
 * An object without rows, which a new writer puts in the place of the next WAL, as
 * the official engine 0.12 writes it: a table of kind `compacted` with an empty
 * index, empty stats and no blocks. (Later versions put an object of no bytes,
 * which 0.12 cannot read.)
 */
export const fence = (): Uint8Array => fenceBytes.slice()

const fenceBytes = Uint8Array.from(
  [
    "0c000000 0000 060008000400 06000000 04000000 00000000 177e6f0a", // index and its checksum
    "08000000 04000400 04000000 ed606b2a", // stats
    "1c000000 1800 1c00 0000 0000 0400 0000 0000 0000 0000 0000 0c00 1400", // info: its vtable,
    "18000000 1c00000000000000 1c00000000000000 1000000000000000 64413efa", // index length, stats offset and length
    "000000000000002c 0002" // footer
  ]
    .join("")
    .replaceAll(" ", "")
    .match(/../g) ?? [],
  (hex) => Number.parseInt(hex, 16)
)

const codecOf = (table: SsTableInfo, { codecs }: Codecs): Result.Result<Section.Codec | undefined, FormatError> => {
  if (table.compression === "none") return Result.succeed(undefined)
  const codec = codecs[table.compression]
  return codec === undefined
    ? unsupported(
        "sst compression",
        table.indexOffset,
        "a codec that is provided (zlib and zstd: NodeCompression.layer of @effect-slatedb/platform-node)",
        table.compression
      )
    : Result.succeed(codec)
}

const section = (
  part: string,
  bytes: Uint8Array,
  base: number,
  start: number,
  end: number,
  codec: Section.Codec | undefined,
  crc32: Checksum
): Result.Result<Uint8Array, FormatError> => {
  const payload = Section.decode(part, bytes, start - base, end - base, codec, crc32)
  return Result.isFailure(payload) ? Result.fail(shift(payload.failure, base)) : payload
}

/** Takes a section apart and reads its payload; without compression offsets are exact, with it they are the section's. */
const read = <A>(
  part: string,
  bytes: Uint8Array,
  base: number,
  start: number,
  end: number,
  table: SsTableInfo,
  codecs: Codecs,
  decode: (payload: Uint8Array) => Result.Result<A, FormatError>
): Result.Result<A, FormatError> => {
  const codec = codecOf(table, codecs)
  if (Result.isFailure(codec)) return Result.fail(codec.failure)
  const payload = section(part, bytes, base, start, end, codec.success, codecs.crc32)
  if (Result.isFailure(payload)) return Result.fail(payload.failure)
  const decoded = decode(payload.success)
  return Result.isFailure(decoded) ? Result.fail(shift(decoded.failure, start)) : decoded
}
