/**
 * Every table of the fixture databases: read as the independent parser read it,
 * written again to the same bytes, and refused with any bit changed.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Codec } from "../../../src/internal/format/Section.ts"
import type { FormatError } from "../../../src/internal/format/FormatError.ts"
import * as SsTableReader from "../../../src/internal/format/SsTableReader.ts"
import * as WalReader from "../../../src/internal/format/WalReader.ts"
import { BlockStep } from "../../../src/internal/format/BlockCursor.ts"
import { copy, Kind, neverExpires, noCreateTime, type RowEntry } from "../../../src/internal/model/RowEntry.ts"
import { SipHash } from "../../../src/internal/format/SipHash.ts"
import * as FixtureStore from "./FixtureStore.ts"
import * as Hostile from "./Hostile.ts"
import { bytesOf, codecs, write } from "./TableRows.ts"

const hash = new SipHash()

const Count = Schema.Int
const Expected = Schema.Struct({
  bytes: Count,
  version: Count,
  sst_type: Count,
  compression: Schema.String,
  filter: Schema.NullOr(Schema.Tuple([Schema.Tuple([Schema.String, Count])])),
  blocks: Schema.Array(Schema.Tuple([Count, Count, Schema.String])),
  stats: Schema.NullOr(
    Schema.Struct({
      num_puts: Count,
      num_deletes: Count,
      num_merges: Count,
      raw_key_size: Count,
      raw_val_size: Count,
      block_stats: Schema.NullOr(
        Schema.Array(Schema.Struct({ num_puts: Count, num_deletes: Count, num_merges: Count }))
      )
    })
  ),
  rows: Schema.Array(
    Schema.Tuple([
      Schema.String,
      Schema.NullOr(Schema.String),
      Count,
      Count,
      Schema.NullOr(Schema.Number),
      Schema.NullOr(Schema.Number)
    ])
  )
})

const tables = FixtureStore.cases.flatMap((name) =>
  FixtureStore.paths(name, ".sst").map((path) => ({ name, path, title: `${name} ${path.slice(3)}` }))
)

/** Bytes in the words of the independent parser. */
const worded = (bytes: Uint8Array): string => {
  const latin1 = Buffer.from(bytes).toString("latin1")
  if (!/^[\x20-\x7e]*$/.test(latin1)) return `hex:${Buffer.from(bytes).toString("hex")}`
  return bytes.length > 200 ? `(${bytes.length} bytes of ${latin1[0]})` : latin1
}

const flags = (row: RowEntry): number =>
  (row.kind === Kind.tombstone ? 1 : 0) |
  (row.expireTime === neverExpires ? 0 : 2) |
  (row.createTime === noCreateTime ? 0 : 4) |
  (row.kind === Kind.merge ? 8 : 0)

const finite = (time: number): number | null => (Number.isFinite(time) ? time : null)

const describeTable = (bytes: Uint8Array): typeof Expected.Type => {
  const { formatVersion, index, info } = Result.getOrThrow(SsTableReader.open(bytes, codecs))
  const rows = Result.getOrThrow(SsTableReader.decodeTable(bytes, codecs))
  const stats = Result.getOrThrow(SsTableReader.stats(bytes, 0, info, codecs))
  const filter = Result.getOrThrow(SsTableReader.filter(bytes, 0, info, codecs))
  return {
    bytes: bytes.length,
    version: formatVersion,
    sst_type: info.kind === "wal" ? 1 : 0,
    compression: info.compression,
    filter: filter === undefined ? null : [["(legacy)", filter.sizeBytes]],
    blocks: Array.from({ length: index.blockCount }, (_, i) => [
      index.blockOffset(i),
      index.blockEnd(i) - index.blockOffset(i),
      worded(index.separator(i))
    ]),
    stats:
      stats === undefined
        ? null
        : {
            num_puts: stats.puts,
            num_deletes: stats.deletes,
            num_merges: stats.merges,
            raw_key_size: stats.rawKeyBytes,
            raw_val_size: stats.rawValueBytes,
            block_stats:
              stats.blocks.length === 0
                ? null
                : stats.blocks.map((block) => ({
                    num_puts: block.puts,
                    num_deletes: block.deletes,
                    num_merges: block.merges
                  }))
          },
    rows: rows.map((row) => [
      worded(row.key),
      row.kind === Kind.tombstone ? null : worded(row.value),
      row.sequence,
      flags(row),
      finite(row.expireTime),
      finite(row.createTime)
    ])
  }
}

describe("fixture tables", () => {
  it("are all there", () => assert.lengthOf(tables, 56))

  it.each(tables)("$title is read as the independent parser reads it", ({ name, path }) => {
    const bytes = FixtureStore.bytes(name, path)
    assert.deepStrictEqual(describeTable(bytes), FixtureStore.expected(name, path, Expected))
  })

  it.each(tables.filter(({ path }) => path.includes("/wal/")))(
    "$title is walked whole for replay",
    ({ name, path }) => {
      const bytes = FixtureStore.bytes(name, path)
      const reader = Result.getOrThrow(WalReader.open(bytes, codecs))
      const rows: Array<RowEntry> = []
      while (reader.next() === BlockStep.row) rows.push(copy(reader.row))
      assert.strictEqual(reader.next(), BlockStep.done)
      assert.deepStrictEqual(rows, Result.getOrThrow(SsTableReader.decodeTable(bytes, codecs)))
      assert.strictEqual(reader.isFence, rows.length === 0)
    }
  )

  it.each(tables)("$title has a filter that knows each of its keys", ({ name, path }) => {
    const bytes = FixtureStore.bytes(name, path)
    const { info } = Result.getOrThrow(SsTableReader.open(bytes, codecs))
    const filter = Result.getOrThrow(SsTableReader.filter(bytes, 0, info, codecs))
    if (filter === undefined) return
    for (const row of Result.getOrThrow(SsTableReader.decodeTable(bytes, codecs))) {
      hash.hash(row.key, 0, row.key.length)
      assert.isTrue(filter.mightContain(hash.low, hash.high), worded(row.key))
    }
  })
})

/** How each case was written: `test/fixtures/README.md`. */
const blockSizeBytes = (name: string): number =>
  ["l0s", "compacted", "snappy", "zlib", "lz4", "zstd"].includes(name) ? 1024 : 4096

describe("fixture tables of format 2, written again from their rows", () => {
  const written = tables.filter(({ name }) => name !== "sst-v1")

  it.each(written)("$title has the same blocks, filter, index and stats", ({ name, path }) => {
    const bytes = FixtureStore.bytes(name, path)
    const { index, info } = Result.getOrThrow(SsTableReader.open(bytes, codecs))
    const table = write(Result.getOrThrow(SsTableReader.decodeTable(bytes, codecs)), {
      kind: info.kind,
      blockSizeBytes: blockSizeBytes(name),
      minFilterKeys: info.filterLength === 0 ? Infinity : 1,
      codecName: info.compression,
      codec: codecs.codecs[info.compression]
    })
    const again = bytesOf(table)
    const reopened = Result.getOrThrow(SsTableReader.open(again, codecs))
    assert.deepStrictEqual(reopened.info, table.info)
    assert.strictEqual(again.length, table.sizeBytes)

    const blocks = (of: Uint8Array, opened: SsTableReader.Opened) =>
      Array.from({ length: opened.index.blockCount }, (_, i) =>
        Result.getOrThrow(
          SsTableReader.block(of, 0, opened.index.blockOffset(i), opened.index.blockEnd(i), opened.info, codecs)
        )
      )
    assert.deepStrictEqual(blocks(again, reopened), blocks(bytes, { formatVersion: 2, info, index }))
    const sections = (of: Uint8Array, info: SsTableReader.Opened["info"]) => ({
      firstEntry: info.firstEntry,
      lastEntry: info.lastEntry,
      filter: Result.getOrThrow(SsTableReader.filter(of, 0, info, codecs)),
      stats: Result.getOrThrow(SsTableReader.stats(of, 0, info, codecs)),
      kind: info.kind,
      compression: info.compression,
      filterFormat: info.filterFormat
    })
    assert.deepStrictEqual(sections(again, table.info), sections(bytes, info))

    if (info.compression !== "none") return
    // Without a codec between, everything in front of the stats is the same bytes.
    const end = info.indexOffset + info.indexLength
    assert.deepStrictEqual(again.subarray(0, end), bytes.subarray(0, end))
    assert.strictEqual(table.info.filterOffset, info.filterOffset)
    assert.strictEqual(table.info.statsOffset, info.statsOffset)
  })
})

describe("a fence", () => {
  const fences = tables.filter(({ name, path }) => FixtureStore.expected(name, path, Expected).rows.length === 0)

  it("is the object that the official engine writes", () => {
    assert.lengthOf(SsTableReader.fence(), 114)
    assert.deepStrictEqual(SsTableReader.fence(), FixtureStore.bytes("basic", "db/wal/00000000000000000001.sst"))
  })

  it.each([
    ...fences.map(({ name, path, title }) => ({ title, bytes: FixtureStore.bytes(name, path) })),
    { title: "an object of no bytes", bytes: new Uint8Array(0) },
    { title: "a table of kind wal without rows", bytes: bytesOf(write([], { kind: "wal" })) },
    { title: "a table of kind compacted without rows", bytes: bytesOf(write([])) }
  ])("is seen in $title", ({ bytes }) => {
    const reader = Result.getOrThrow(WalReader.open(bytes, codecs))
    assert.isTrue(reader.isFence)
    assert.strictEqual(reader.next(), BlockStep.done)
  })

  it("is not seen in a WAL object with rows, nor in a table of rows among WAL objects", () => {
    const wal = FixtureStore.bytes("walonly", "db/wal/00000000000000000002.sst")
    assert.isFalse(Result.getOrThrow(WalReader.open(wal, codecs)).isFence)
    const [path = ""] = FixtureStore.paths("basic", ".sst").filter((path) => path.includes("compacted"))
    const refused = WalReader.open(FixtureStore.bytes("basic", path), codecs)
    assert.isTrue(Result.isFailure(refused) && /sst type/.test(refused.failure.message))
  })
})

describe("hostile tables", () => {
  /** What is decompressed was not changed, as its checksum was right: once is enough. */
  const decompressed = new Map<string, Uint8Array>()
  const remembering = (codec: Codec): Codec => ({
    compress: codec.compress,
    decompress: (bytes, sizeMax) => {
      const key = Buffer.from(bytes).toString("latin1")
      const known = decompressed.get(key) ?? codec.decompress(bytes, sizeMax)
      decompressed.set(key, known)
      return known
    }
  })
  const quick = {
    codecs: Object.fromEntries(Object.entries(codecs.codecs).map(([name, codec]) => [name, remembering(codec)])),
    crc32: codecs.crc32
  }

  /** Everything that a checksum covers. */
  const readAll = (bytes: Uint8Array): Result.Result<void, FormatError> => {
    const opened = SsTableReader.open(bytes, quick)
    if (Result.isFailure(opened)) return Result.fail(opened.failure)
    const { index, info } = opened.success
    const filter = SsTableReader.filter(bytes, 0, info, quick)
    if (Result.isFailure(filter)) return Result.fail(filter.failure)
    const stats = SsTableReader.stats(bytes, 0, info, quick)
    if (Result.isFailure(stats)) return Result.fail(stats.failure)
    for (let i = 0; i < index.blockCount; i++) {
      const block = SsTableReader.block(bytes, 0, index.blockOffset(i), index.blockEnd(i), info, quick)
      if (Result.isFailure(block)) return Result.fail(block.failure)
    }
    return Result.void
  }

  // The same few fences are in most cases.
  const seen = new Set<string>()
  const distinct = tables.filter(({ name, path }) => {
    const hex = Buffer.from(FixtureStore.bytes(name, path)).toString("latin1")
    return !seen.has(hex) && seen.add(hex)
  })

  it.each(distinct)("$title is refused when truncated anywhere, or with any bit flipped", ({ name, path }) => {
    const bytes = FixtureStore.bytes(name, path)
    let refused = 0
    Hostile.endures(bytes, (hostile) => {
      const result = readAll(hostile)
      if (Result.isFailure(result)) refused++
      return result
    })
    assert.strictEqual(refused, 9 * bytes.length)
  })
})
