/**
 * The bytes that `docs/format/sstable.md` and `wal.md` show are the golden files of
 * the table format: what is written there is what is read, and written, here.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { BlockBuilder } from "../../../src/internal/format/BlockBuilder.ts"
import { BlockCursor, BlockStep } from "../../../src/internal/format/BlockCursor.ts"
import * as BloomFilter from "../../../src/internal/format/BloomFilter.ts"
import * as Lz4 from "../../../src/internal/format/Lz4.ts"
import * as Section from "../../../src/internal/format/Section.ts"
import { SipHash } from "../../../src/internal/format/SipHash.ts"
import * as Snappy from "../../../src/internal/format/Snappy.ts"
import * as SsTableIndex from "../../../src/internal/format/SsTableIndex.ts"
import { SsTableIndexBuilder } from "../../../src/internal/format/SsTableIndexBuilder.ts"
import * as SsTableReader from "../../../src/internal/format/SsTableReader.ts"
import { copy, Kind, type RowEntry } from "../../../src/internal/model/RowEntry.ts"
import * as DocumentedHex from "./DocumentedHex.ts"
import * as FixtureStore from "./FixtureStore.ts"
import { bytesOf, codecs, put, text, view, write } from "./TableRows.ts"

const row = (key: string, sequence: number, createTime: number, rest: Partial<RowEntry> = {}): RowEntry => ({
  ...put(key, sequence),
  createTime,
  ...rest
})

const rowsOf = (payload: Uint8Array, formatVersion: 1 | 2): ReadonlyArray<RowEntry> => {
  const cursor = new BlockCursor(payload, formatVersion)
  const rows: Array<RowEntry> = []
  while (cursor.next() === BlockStep.row) rows.push(copy(cursor.row))
  assert.isUndefined(cursor.error)
  return rows
}

/** The payload of a section that is alone. */
const payload = (bytes: Uint8Array): Uint8Array =>
  Result.getOrThrow(Section.decode("documented", bytes, 0, bytes.length, undefined, codecs.crc32))

const asks = (filter: BloomFilter.BloomFilter) => (key: string) => {
  const hash = new SipHash()
  hash.hash(text(key), 0, key.length)
  return filter.mightContain(hash.low, hash.high)
}

describe("docs/format/sstable.md", () => {
  const bytes = (name: string) => DocumentedHex.bytes("sstable.md", name)

  it("shows a block of five versions", () => {
    const block = payload(bytes("versions-block"))
    const versions = [5, 4, 3, 2, 1].map((version) =>
      row("k", version, 1_795_392_390_463 + version + (version === 1 ? -5 : 0), { value: text(`v${version}`) })
    )
    assert.deepStrictEqual(rowsOf(block, 2), versions)
    const builder = new BlockBuilder(4_096)
    builder.begin(new Uint8Array(4_096), 0)
    for (const version of versions) builder.add(view(version), builder.sharedWithLast(view(version)))
    assert.deepStrictEqual(builder.buffer.slice(0, builder.end()), block)
    const [path = ""] = FixtureStore.paths("versions", ".sst")
    assert.deepStrictEqual(FixtureStore.bytes("versions", path).slice(0, block.length + 4), bytes("versions-block"))
  })

  it("shows a block of format version 1", () => {
    assert.deepStrictEqual(rowsOf(bytes("version-1-block"), 1), [
      row("key/1", 9, 1_795_392_390_468, { value: text("x") }),
      row("key/2", 7, 1_795_392_390_467, { kind: Kind.tombstone })
    ])
  })

  it("shows an index of two blocks", () => {
    const index = Result.getOrThrow(SsTableIndex.decode(payload(bytes("index")), 2_000))
    assert.strictEqual(index.blockCount, 2)
    assert.strictEqual(index.blockOffset(1), 1_003)
    assert.deepStrictEqual(index.separator(0), new Uint8Array(0))
    assert.deepStrictEqual(index.separator(1), text("key/00086"))
    const builder = new SsTableIndexBuilder()
    builder.add(0, text(""), 0, 0)
    builder.add(1_003, text("key/00086"), 0, 9)
    assert.deepStrictEqual(builder.encode(), payload(bytes("index")))
  })

  it("shows a filter in both forms", () => {
    const legacy = BloomFilter.decode(bytes("filter"), "legacy")
    const composite = BloomFilter.decode(bytes("composite-filter"), "composite")
    for (const filter of [legacy, composite]) {
      const has = asks(Result.getOrThrow(filter))
      assert.isTrue(has("key/00099") && has("mrg"))
      assert.isFalse(has("key/00098") || has("other"))
    }
  })

  it("shows both portable codecs", () => {
    assert.deepStrictEqual(Lz4.decompress(bytes("lz4"), 100), text("aaaaaabbbbb"))
    assert.deepStrictEqual(Snappy.decompress(bytes("snappy"), 100), text("aaaaaaaa"))
  })

  it("shows a whole table, which is written again to the same bytes up to its stats", () => {
    const table = bytes("table")
    const rows: ReadonlyArray<RowEntry> = [
      row("a", 4, 1_795_392_386_330, { kind: Kind.tombstone }),
      row("b", 2, 1_795_392_386_329, { value: text("2"), expireTime: 1_900_000_000_000 }),
      row("batch/1", 8, 1_795_392_386_341, { value: text("uno") }),
      row("batch/2", 8, 1_795_392_386_341, { kind: Kind.tombstone }),
      row("empty", 3, 1_795_392_386_329),
      row("m", 8, 1_795_392_386_341, { kind: Kind.merge, value: text("xyzw") }),
      row("t", 7, 1_795_392_386_334, { kind: Kind.merge, value: text("e"), expireTime: 1_900_000_000_001 })
    ]
    assert.deepStrictEqual(Result.getOrThrow(SsTableReader.decodeTable(table, codecs)), rows)
    const again = write(rows, { blockSizeBytes: 4_096, minFilterKeys: 1_000 })
    assert.deepStrictEqual(bytesOf(again).slice(0, 0xf1), table.slice(0, 0xf1))
    const { info } = Result.getOrThrow(SsTableReader.open(table, codecs))
    assert.deepStrictEqual(again.info, { ...info, statsLength: again.info.statsLength })
    assert.deepStrictEqual(Result.getOrThrow(SsTableReader.stats(table, 0, info, codecs)), {
      puts: 3,
      deletes: 2,
      merges: 2,
      rawKeyBytes: 23,
      rawValueBytes: 9,
      blocks: [{ puts: 3, deletes: 2, merges: 2 }]
    })
    const [path = ""] = FixtureStore.paths("basic", ".sst").filter((path) => path.includes("compacted"))
    assert.deepStrictEqual(table, FixtureStore.bytes("basic", path))
  })

  it("shows nothing else that nobody reads", () => {
    const names = ["versions-block", "version-1-block", "index", "filter", "composite-filter", "lz4", "snappy", "table"]
    assert.deepStrictEqual(DocumentedHex.names("sstable.md"), names)
  })
})

describe("docs/format/wal.md", () => {
  const bytes = (name: string) => DocumentedHex.bytes("wal.md", name)

  it("shows the object of one row, which is written again to the same bytes up to its info", () => {
    const object = bytes("one-row")
    assert.deepStrictEqual(object, FixtureStore.bytes("walonly", "db/wal/00000000000000000002.sst"))
    const rows = [row("key/00000", 1, 1_795_392_386_590, { value: text("v0") })]
    assert.deepStrictEqual(Result.getOrThrow(SsTableReader.decodeTable(object, codecs)), rows)
    const again = write(rows, { kind: "wal", blockSizeBytes: 4_096 })
    assert.deepStrictEqual(bytesOf(again).slice(0, 0x63), object.slice(0, 0x63))
    assert.deepStrictEqual(again.info, Result.getOrThrow(SsTableReader.open(object, codecs)).info)
  })

  it("shows the fence that is written", () => {
    assert.deepStrictEqual(bytes("fence"), SsTableReader.fence())
    const { index, info } = Result.getOrThrow(SsTableReader.open(bytes("fence"), codecs))
    assert.strictEqual(index.blockCount, 0)
    assert.deepStrictEqual(
      [info.kind, info.firstEntry, info.indexLength, info.statsLength],
      ["compacted", undefined, 28, 16]
    )
  })

  it("shows nothing else that nobody reads", () => {
    assert.deepStrictEqual(DocumentedHex.names("wal.md"), ["one-row", "fence"])
  })
})
