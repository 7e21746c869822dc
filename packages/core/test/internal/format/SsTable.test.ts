/**
 * Tables: what the writer makes, the reader's parts, and whether a lookup over
 * filter, index and block finds what a sorted array has.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { BlockCursor, BlockStep } from "../../../src/internal/format/BlockCursor.ts"
import * as Section from "../../../src/internal/format/Section.ts"
import { SipHash } from "../../../src/internal/format/SipHash.ts"
import * as SsTableInfoCodec from "../../../src/internal/format/SsTableInfoCodec.ts"
import * as SsTableReader from "../../../src/internal/format/SsTableReader.ts"
import { SsTableWriter, type Options } from "../../../src/internal/format/SsTableWriter.ts"
import * as WalReader from "../../../src/internal/format/WalReader.ts"
import { compare } from "../../../src/internal/model/ByteOrder.ts"
import { chunkBytes, ChunkPool } from "../../../src/internal/model/ChunkPool.ts"
import { copy, Kind, type RowEntry } from "../../../src/internal/model/RowEntry.ts"
import type { SsTableInfo } from "../../../src/internal/model/SsTable.ts"
import { bytesOf, codecs, concat, options, put, sortedRows, text, told, view, walRows, write } from "./TableRows.ts"

const Shape = Schema.Struct({
  blockSizeBytes: Schema.Literals([1, 1_024, 4_096, 65_536]),
  filterBitsPerKey: Schema.Literals([0, 1, 10, 33]),
  codecName: Schema.Literals(["none", "snappy", "lz4", "zlib", "zstd"])
})

const withCodec = (shape: typeof Shape.Type): Partial<Options> => ({ ...shape, codec: codecs.codecs[shape.codecName] })

const openTable = (bytes: Uint8Array) => {
  const opened = Result.getOrThrow(SsTableReader.open(bytes, codecs))
  const { index, info } = opened
  const block = (i: number) =>
    Result.getOrThrow(SsTableReader.block(bytes, 0, index.blockOffset(i), index.blockEnd(i), info, codecs))
  return { ...opened, block }
}

const failure = (result: Result.Result<unknown, { readonly message: string }>): string =>
  Result.isFailure(result) ? result.failure.message : "succeeded"

describe("a table", () => {
  it.prop("gives back its rows, whatever its block size, filter and codec", [sortedRows, Shape], ([rows, shape]) => {
    const table = write(rows, withCodec(shape))
    const bytes = bytesOf(table)
    assert.strictEqual(bytes.length, table.sizeBytes)
    assert.strictEqual(table.rowCount, rows.length)
    assert.deepStrictEqual(Result.getOrThrow(SsTableReader.decodeTable(bytes, codecs)).map(told), rows.map(told))
    assert.deepStrictEqual(openTable(bytes).info, table.info)
    assert.deepStrictEqual(table.info.firstEntry, rows[0]?.key)
    assert.deepStrictEqual(table.info.lastEntry, rows.at(-1)?.key)
  })

  it.prop("cuts blocks at the block size, and names them by the shortest separators", [sortedRows, Shape], (input) => {
    const [rows, shape] = input
    const { block, index } = openTable(bytesOf(write(rows, withCodec(shape))))
    const cursor = new BlockCursor()
    let at = 0
    for (let i = 0; i < index.blockCount; i++) {
      const payload = block(i)
      cursor.load(payload, 2)
      const first = at
      while (cursor.next() === BlockStep.row) at++
      if (at - first > 1) assert.isAtMost(payload.length, shape.blockSizeBytes)
      const key = (rows[first] as RowEntry).key
      const before = rows[first - 1]?.key
      const separator = index.separator(i)
      assert.deepStrictEqual(separator, key.slice(0, separator.length))
      if (before === undefined) assert.lengthOf(separator, 0)
      else if (compare(before, key) === 0) assert.deepStrictEqual(separator, key)
      else {
        assert.isAbove(compare(separator, before), 0)
        assert.isAtMost(compare(separator.slice(0, -1), before), 0)
      }
    }
    assert.strictEqual(at, rows.length)
  })

  it.prop("is searched by filter, index and block like a sorted array", [sortedRows, Shape], ([rows, shape]) => {
    const bytes = bytesOf(write(rows, withCodec(shape)))
    const { block, index, info } = openTable(bytes)
    const filter = Result.getOrThrow(SsTableReader.filter(bytes, 0, info, codecs))
    const hash = new SipHash()
    const cursor = new BlockCursor()
    const firstFrom = (key: Uint8Array): RowEntry | undefined => {
      for (let i = index.findFirst(key, 0, key.length); i < index.blockCount; i++) {
        cursor.load(block(i), 2)
        if (cursor.seek(key, 0, key.length) === BlockStep.row) return copy(cursor.row)
      }
      return undefined
    }
    const lastBelow = (key: Uint8Array): RowEntry | undefined => {
      for (let i = index.findLastBelow(key, 0, key.length); i >= 0; i--) {
        cursor.load(block(i), 2)
        if (cursor.seekDescending(key, 0, key.length, false) === BlockStep.row) return copy(cursor.row)
      }
      return undefined
    }
    const word = (row: RowEntry | undefined) => (row === undefined ? "none" : told(row))
    const keys = [...new Set(rows.map(({ key }) => key))]
    for (const key of [...keys, ...keys.map((key) => concat([key, Uint8Array.of(0)])), Uint8Array.of(0), text("b")]) {
      assert.strictEqual(word(firstFrom(key)), word(rows.find((row) => compare(row.key, key) >= 0)))
      assert.strictEqual(word(lastBelow(key)), word(rows.findLast((row) => compare(row.key, key) < 0)))
    }
    for (const key of keys) {
      hash.hash(key, 0, key.length)
      assert.notStrictEqual(filter?.mightContain(hash.low, hash.high), false)
    }
  })

  it.prop("counts its rows in its stats", [sortedRows, Shape], ([rows, shape]) => {
    const bytes = bytesOf(write(rows, withCodec(shape)))
    const { index, info } = openTable(bytes)
    const stats = Result.getOrThrow(SsTableReader.stats(bytes, 0, info, codecs))
    const count = (kind: Kind) => rows.filter((row) => row.kind === kind).length
    const { blocks = [], ...sums } = stats ?? {}
    assert.deepStrictEqual(sums, {
      puts: count(Kind.put),
      deletes: count(Kind.tombstone),
      merges: count(Kind.merge),
      rawKeyBytes: rows.reduce((sum, row) => sum + row.key.length, 0),
      rawValueBytes: rows.reduce((sum, row) => sum + row.value.length, 0)
    })
    assert.lengthOf(blocks, index.blockCount)
    assert.strictEqual(
      blocks.reduce((sum, { deletes, merges, puts }) => sum + puts + deletes + merges, 0),
      rows.length
    )
  })

  it("is a Schema from bytes to rows", () => {
    const schema = SsTableReader.schema(options, codecs)
    const rows = [put("a", 2, "x"), { ...put("b", 1), kind: Kind.tombstone }]
    const bytes = Schema.encodeSync(schema)(rows)
    assert.deepStrictEqual(bytes, bytesOf(write(rows)))
    assert.deepStrictEqual(Schema.decodeSync(schema)(bytes), rows)
    const flipped = bytes.slice()
    flipped[3] = (flipped[3] as number) ^ 1
    assert.throws(() => Schema.decodeSync(schema)(flipped), /corrupt block crc: offset=/)
  })

  it("holds versions of a key that begin in one block and go on in the next ones", () => {
    const rows = [
      put("a", 999),
      ...Array.from({ length: 200 }, (_, i) => put("k", 500 - i, "v".repeat(20))),
      put("z", 1)
    ]
    const { block, index } = openTable(bytesOf(write(rows)))
    assert.isAbove(index.blockCount, 4)
    assert.deepStrictEqual(index.separator(1), text("k"))
    assert.strictEqual(index.findFirst(text("k"), 0, 1), 0)
    assert.strictEqual(index.findLastBelow(text("k"), 0, 1), 0)
    const cursor = new BlockCursor(block(0))
    assert.strictEqual(cursor.seek(text("k"), 0, 1), BlockStep.row)
    assert.strictEqual(cursor.row.sequence, 500)
  })
})

describe("a WAL object", () => {
  it.prop("gives back its rows as they were written", [walRows, Shape], ([rows, shape]) => {
    const table = write(rows, { ...withCodec(shape), kind: "wal" })
    const reader = Result.getOrThrow(WalReader.open(bytesOf(table), codecs))
    const found: Array<string> = []
    while (reader.next() === BlockStep.row) found.push(told(copy(reader.row)))
    assert.isUndefined(reader.error)
    assert.deepStrictEqual(found, rows.map(told))
    assert.strictEqual(reader.isFence, rows.length === 0)
  })

  it("is indexed by the first sequence number of each block, and has neither filter, stats nor last key", () => {
    const rows = Array.from({ length: 100 }, (_, i) => put(`key/${(i * 37) % 100}`, 1_000 + (i >> 2), "value"))
    const table = write(rows, { kind: "wal" })
    const bytes = bytesOf(table)
    const { block, index, info } = openTable(bytes)
    assert.isAbove(index.blockCount, 2)
    const cursor = new BlockCursor()
    for (let i = 0; i < index.blockCount; i++) {
      cursor.load(block(i), 2)
      cursor.next()
      assert.strictEqual(new DataView(index.separator(i).slice().buffer).getBigUint64(0), BigInt(cursor.row.sequence))
      // A sequence finds the block in which it may begin.
      const found = index.findFirst(index.separator(i), 0, 8)
      assert.isTrue(found === i || found === i - 1)
    }
    assert.deepStrictEqual(info.firstEntry, Uint8Array.of(0, 0, 0, 0, 0, 0, 3, 0xe8))
    assert.isUndefined(info.lastEntry)
    assert.strictEqual(info.filterLength + info.statsLength + info.statsOffset, 0)
    assert.isUndefined(Result.getOrThrow(SsTableReader.filter(bytes, 0, info, codecs)))
    assert.isUndefined(Result.getOrThrow(SsTableReader.stats(bytes, 0, info, codecs)))
  })

  it("whose second block is damaged gives the rows of the first, then says where", () => {
    const rows = Array.from({ length: 100 }, (_, i) => put(`key/${i}`, i + 1, "value"))
    const bytes = bytesOf(write(rows, { kind: "wal" }))
    const { index } = openTable(bytes)
    const damaged = bytes.slice()
    damaged[index.blockOffset(1) + 5] = 0xff
    const reader = Result.getOrThrow(WalReader.open(damaged, codecs))
    let count = 0
    while (reader.next() === BlockStep.row) count++
    assert.isAbove(count, 10)
    assert.strictEqual(reader.next(), BlockStep.corrupt)
    assert.strictEqual(reader.next(), BlockStep.corrupt)
    assert.strictEqual(reader.error?.part, "block crc")
    assert.strictEqual(reader.error?.offset, index.blockEnd(1) - 4)
  })

  it("whose row is wrong under a right checksum says where in the object", () => {
    const bytes = bytesOf(write([put("a", 1), put("b", 2)], { kind: "wal" }))
    const { index } = openTable(bytes)
    bytes[12] = 0x40
    Section.seal(bytes, 0, index.blockEnd(0) - 4, codecs.crc32)
    const reader = Result.getOrThrow(WalReader.open(concat([bytes]), codecs))
    assert.strictEqual(reader.next(), BlockStep.corrupt)
    assert.strictEqual(reader.error?.offset, 12)
    assert.match(failure(SsTableReader.decodeTable(bytes, codecs)), /unsupported row flags: offset=12/)
  })
})

describe("the writer", () => {
  const writer = (changed: Partial<Options> = {}) => new SsTableWriter({ ...options, ...changed })
  const adding =
    (rows: ReadonlyArray<RowEntry>, changed: Partial<Options> = {}) =>
    () =>
      write(rows, changed)

  it.each([
    ["keys that descend", [put("b", 1), put("a", 2)]],
    ["a key before its own prefix", [put("ab", 1), put("a", 2)]],
    ["a later block whose keys descend", [put("b", 1, "x".repeat(2_000)), put("a", 2)]]
  ])("calls %s a defect", (_, rows) => assert.throws(adding(rows), /rows of a table have ascending keys/))

  it.each([
    ["ascend", [put("a", 1), put("a", 2)]],
    ["repeat", [put("a", 1), put("a", 1)]]
  ])("calls sequence numbers of a key that %s a defect", (_, rows) =>
    assert.throws(adding(rows), /rows of one key in a table have descending sequence numbers/)
  )

  it("calls sequence numbers of a WAL that descend a defect, whatever the keys", () => {
    assert.throws(adding([put("b", 2), put("a", 1)], { kind: "wal" }), /rows of a WAL have .* never descend/)
    assert.strictEqual(write([put("b", 2), put("a", 2), put("a", 2)], { kind: "wal" }).rowCount, 3)
  })

  it("calls keys that no reader takes a defect", () => {
    assert.throws(adding([put("", 1)]), /a key has 1 to 65535 bytes/)
    assert.throws(adding([put(new Uint8Array(65_536), 1)]), /a key has 1 to 65535 bytes/)
    assert.strictEqual(write([put(new Uint8Array(65_535), 1)]).rowCount, 1)
  })

  it("calls a value of 4 GiB a defect", () => {
    const row = view(put("a", 1))
    row.valueEnd = row.valueStart + 2 ** 32
    assert.throws(() => writer().add(row), /a value has at most 4294967295 bytes/)
  })

  it("takes no block size that restart offsets cannot span, and no codec without its name", () => {
    for (const blockSizeBytes of [0, 65_537]) assert.throws(() => writer({ blockSizeBytes }), /block size/)
    assert.throws(() => writer({ codecName: "lz4", codec: undefined }), /a codec for each name/)
  })

  it("writes a filter from the least number of rows on, versions counted", () => {
    const rows = [put("a", 3), put("a", 2), put("b", 1)]
    for (const [minFilterKeys, length] of [
      [0, 2 + 4 + 4],
      [3, 2 + 4 + 4],
      [4, 0]
    ] as const) {
      assert.strictEqual(write(rows, { minFilterKeys }).info.filterLength, length)
    }
    assert.strictEqual(write(rows, { filterBitsPerKey: 0 }).info.filterLength, 0)
    assert.strictEqual(write([], { minFilterKeys: 0 }).info.filterLength, 0)
    const { info } = write(rows, { filterBitsPerKey: 0 })
    assert.strictEqual(info.filterOffset, info.indexOffset)
  })

  it("makes the same bytes when it is prepared in slices", () => {
    const rows = Array.from({ length: 10_000 }, (_, i) => put(`key/${String(i).padStart(5, "0")}`, 1))
    const prepared = writer()
    for (const row of rows) prepared.add(view(row))
    let slices = 1
    while (!prepared.prepare(999)) slices++
    // Eleven for the filter, one for its section, and one each for the index, its section and the stats.
    assert.strictEqual(slices, 15)
    const table = prepared.finish()
    assert.deepStrictEqual(bytesOf(table), bytesOf(write(rows)))

    const finer = writer()
    for (const row of rows) finer.add(view(row))
    slices = 1
    while (!finer.prepare(10)) slices++
    const { blockCount } = Result.getOrThrow(SsTableReader.index(bytesOf(table), 0, table.info, codecs))
    assert.isAbove(blockCount, 200)
    assert.strictEqual(slices, 1000 + 1 + Math.ceil(blockCount / 10) + 1 + 1)
    assert.deepStrictEqual(bytesOf(finer.finish()), bytesOf(table))
  })

  it.each(["none", "lz4"] as const)("makes the same bytes in memory that was used: %s", (codecName) => {
    const rows = Array.from({ length: 20_000 }, (_, i) => put(`key/${10_000 + i}`, 1, `${i}`.repeat(i % 40)))
    const changed = { codecName, codec: codecs.codecs[codecName] }
    const chunks = new ChunkPool()
    const free = chunks.lease()
    const used = new Uint8Array(chunkBytes).fill(0xa5)
    free.give(used)
    const table = writer({ ...changed, chunks })
    for (const row of rows) table.add(view(row))
    const bytes = bytesOf(table.finish())
    assert.isUndefined(free.take())
    assert.deepStrictEqual(bytes, bytesOf(write(rows, changed)))
    assert.strictEqual(used[1], bytes[1], "it is what the object lies in")
    table.release()
    table.release()
    const given: Array<Uint8Array | undefined> = []
    for (let chunk = free.take(); chunk !== undefined; chunk = free.take()) given.push(chunk)
    assert.strictEqual(new Set(given).size, given.length)
    assert.include(given, used)
  })

  it.each(["none", "lz4", "zstd"] as const)(
    "gives a cache what a reader would find, in memory of its own: %s",
    (codecName) => {
      const rows = Array.from({ length: 1000 }, (_, i) =>
        put(`key/${String(i).padStart(5, "0")}`, 1, "v".repeat(i % 50))
      )
      const codec = codecs.codecs[codecName]
      const table = writer({ codecName, codec, keptBlockBytesMax: 20_000 })
      for (const row of rows) table.add(view(row))
      const { body, info, sizeBytes } = table.finish()
      const bytes = concat(body)
      const { filter, index, keptBlocks } = table.parts()
      const read = Result.getOrThrow(SsTableReader.index(bytes, 0, info, codecs))
      assert.strictEqual(bytes.length, sizeBytes)
      assert.strictEqual(index.blockCount, read.blockCount)
      // Directories of blocks that one of them numbered are searched with the other.
      for (const { key } of rows) {
        assert.strictEqual(index.numbering.of(key, 0, key.length), read.numbering.of(key, 0, key.length))
      }
      const kept = keptBlocks.reduce((sum, { block }) => sum + block.sizeBytes, 0)
      const heaviest = Math.max(...keptBlocks.map(({ block }) => block.sizeBytes))
      assert.isAtMost(kept, 20_000)
      assert.isAbove(kept, 20_000 - heaviest - 200)
      for (let block = 0; block < index.blockCount; block++) {
        assert.strictEqual(index.blockOffset(block), read.blockOffset(block))
        assert.strictEqual(index.blockEnd(block), read.blockEnd(block))
        assert.deepStrictEqual(index.separator(block), read.separator(block))
        const payload = keptBlocks[block]?.block.payload
        if (payload !== undefined) assert.strictEqual(keptBlocks[block]?.index, block)
        if (payload === undefined) continue
        const [start, end] = [read.blockOffset(block), read.blockEnd(block)]
        assert.deepStrictEqual(payload, Result.getOrThrow(SsTableReader.block(bytes, 0, start, end, info, codecs)))
        assert.isAtMost(payload.buffer.byteLength, keptBlocks[block]?.block.sizeBytes ?? 0)
      }
      assert.deepStrictEqual(filter, Result.getOrThrow(SsTableReader.filter(bytes, 0, info, codecs)))
    }
  )

  it("says how much it has written, the block it is in included", () => {
    const table = writer()
    let before = -1
    for (let i = 0; i < 500; i++) {
      assert.isAbove(table.sizeBytes, before)
      before = table.sizeBytes
      table.add(view(put(`key/${1_000 + i}`, 1, "value")))
    }
    const { sizeBytes } = table
    const { info } = table.finish()
    // The last block's checksum is all that was missing.
    assert.strictEqual(info.filterOffset, sizeBytes + 4)
  })

  it("takes little memory for a small table, and a chunk a megabyte for a large one", () => {
    const [only, ...more] = write([put("a", 1)]).body
    assert.isEmpty(more)
    assert.isAtMost(only?.buffer.byteLength ?? Infinity, 16_384)
    const rows = Array.from({ length: 5_000 }, (_, i) => put(`key/${10_000 + i}`, 1, "x".repeat(1_000)))
    const { body, sizeBytes } = write(rows, { blockSizeBytes: 4_096 })
    assert.isAbove(sizeBytes, 5_000_000)
    assert.isBelow(body.length, 16)
    for (const chunk of body) assert.isAtMost(chunk.length, 1 << 20)
  })

  it("stores a value larger than any chunk", () => {
    const value = new Uint8Array(3_000_000).fill(7)
    const bytes = bytesOf(write([put("a", 2, "x"), put("b", 1, value), put("c", 1, "y")]))
    const rows = Result.getOrThrow(SsTableReader.decodeTable(bytes, codecs))
    assert.deepStrictEqual(
      rows.map((row) => row.value.length),
      [1, 3_000_000, 1]
    )
  })

  it("copies what it is given", () => {
    const row = view(put("key", 1, "value"))
    const table = writer()
    table.add(row)
    row.key.fill(0)
    row.value.fill(0)
    assert.deepStrictEqual(Result.getOrThrow(SsTableReader.decodeTable(bytesOf(table.finish()), codecs)), [
      put("key", 1, "value")
    ])
  })

  it.prop(
    "says in each block what its rows are, for any block size",
    [Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 65_536 })))],
    ([blockSizeBytes]) => {
      const rows = Array.from({ length: 300 }, (_, i) => put(`key/${1_000 + i}`, 1, "x".repeat((i * 7) % 200)))
      const bytes = bytesOf(write(rows, { blockSizeBytes }))
      assert.deepStrictEqual(Result.getOrThrow(SsTableReader.decodeTable(bytes, codecs)), rows)
    }
  )
})

describe("the reader", () => {
  const rows = Array.from({ length: 200 }, (_, i) => put(`key/${1_000 + i}`, 1, "value"))
  const table = write(rows)
  const bytes = bytesOf(table)
  const { info } = table

  it("takes any part of the object, and tells offsets of the object", () => {
    const base = info.filterOffset
    const part = bytes.slice(base)
    const index = Result.getOrThrow(SsTableReader.index(part, base, info, codecs))
    assert.strictEqual(index.blockCount, openTable(bytes).index.blockCount)
    assert.isDefined(Result.getOrThrow(SsTableReader.filter(part, base, info, codecs)))
    const [start, end] = [index.blockOffset(2), index.blockEnd(2)]
    const block = SsTableReader.block(bytes.slice(start, end), start, start, end, info, codecs)
    assert.isTrue(Result.isSuccess(block))

    const damaged = part.slice()
    damaged[info.indexOffset - base + 3] = 9
    const crcAt = info.indexOffset + info.indexLength - 4
    const refused = failure(SsTableReader.index(damaged, base, info, codecs))
    assert.match(refused, new RegExp(`^corrupt sst index crc: offset=${crcAt} expected=0x[0-9a-f]+ found=0x`))
    for (const [from, to] of [
      [base + 1, bytes.length],
      [0, info.filterOffset + 3]
    ]) {
      const cut = SsTableReader.filter(bytes.slice(from, to), from ?? 0, info, codecs)
      assert.match(failure(cut), new RegExp(`^corrupt sst filter: offset=${info.filterOffset} `))
    }
  })

  it("refuses a section that is shorter than its checksum, or begins in front of the bytes", () => {
    // All zeros: the checksum of nothing is 0, too.
    const zeros = new Uint8Array(10)
    for (const [start, end] of [
      [4, 6],
      [-2, 6],
      [4, 11]
    ] as const) {
      assert.match(failure(Section.decode("block", zeros, start, end, undefined, codecs.crc32)), /^corrupt block: /)
    }
    assert.strictEqual(failure(Section.decode("block", zeros, 4, 8, undefined, codecs.crc32)), "succeeded")
  })

  it("names the layer that has a codec which is not provided", () => {
    const { zlib } = codecs.codecs
    const compressed = bytesOf(write(rows, { codecName: "zlib", codec: zlib }))
    const portable = { codecs: {}, crc32: codecs.crc32 }
    for (const refused of [SsTableReader.open(compressed, portable), SsTableReader.decodeTable(compressed, portable)]) {
      assert.match(failure(refused), /^unsupported sst compression: .*NodeCompression\.layer.* found=zlib$/)
    }
  })

  it("tells a section that its codec cannot read from one that its checksum refuses", () => {
    const broken = {
      compress: () => Uint8Array.of(1, 2, 3),
      decompress: codecs.codecs.lz4?.decompress ?? (() => bytes)
    }
    const compressed = bytesOf(write(rows, { codecName: "lz4", codec: broken }))
    assert.match(
      failure(SsTableReader.open(compressed, codecs)),
      /^corrupt sst index compression: .*found=lz4: 3 bytes/
    )
  })

  it("refuses what is too short, of an unknown version, or points nowhere", () => {
    const footer = (change: (bytes: Uint8Array) => void) => {
      const changed = bytes.slice()
      change(changed)
      return failure(SsTableReader.open(changed, codecs))
    }
    for (const length of [0, 1, 10]) {
      assert.match(
        failure(SsTableReader.open(bytes.slice(0, length), codecs)),
        new RegExp(`^corrupt sst: offset=0 expected=more than 10 bytes found=${length}$`)
      )
    }
    const end = bytes.length
    const version = footer((changed) => changed.set([0, 3], end - 2))
    assert.strictEqual(version, `unsupported sst format version: offset=${end - 2} expected=1 or 2 found=3`)
    const beyond = footer((changed) => changed.set([0xff], end - 10))
    assert.match(beyond, new RegExp(`^corrupt sst info offset: offset=${end - 10} expected=below ${end - 10} found=`))
    const wrong = footer((changed) => changed.set([0, 0, 0, 0, 0, 0, 0, 0], end - 10))
    assert.match(wrong, /^corrupt sst info crc/)
  })

  it("refuses an info whose sections do not lie in front of it, in their order", () => {
    const withInfo = (changed: Partial<SsTableInfo>) => {
      const infoOffset = info.statsOffset + info.statsLength
      const encoded = SsTableInfoCodec.encode({ ...info, ...changed })
      const sealed = new Uint8Array(encoded.length + 4)
      sealed.set(encoded)
      Section.seal(sealed, 0, encoded.length, codecs.crc32)
      const footer = new Uint8Array(10)
      new DataView(footer.buffer).setBigUint64(0, BigInt(infoOffset))
      footer[9] = 2
      return failure(SsTableReader.open(concat([bytes.slice(0, infoOffset), sealed, footer]), codecs))
    }
    assert.strictEqual(withInfo({}), "succeeded")
    for (const changed of [
      { filterOffset: info.indexOffset + 1 },
      { filterLength: info.filterLength + 1 },
      { indexLength: 1e9 },
      { indexOffset: Number.MAX_SAFE_INTEGER },
      { statsOffset: info.statsOffset + 1 }
    ]) {
      assert.match(withInfo(changed), /^corrupt sst info: /)
    }
    assert.match(withInfo({ indexLength: info.indexLength - 1 }), /^corrupt sst index crc/)
    assert.match(withInfo({ filterOffset: 5, filterLength: 0 }), /^corrupt sst index block \d+ offset/)
  })

  it("bounds what a section may decompress to by its stored size, and by the longest row", () => {
    assert.strictEqual(Section.payloadSizeMax(0), 65_536)
    assert.strictEqual(Section.payloadSizeMax(1_000), 1_000 * 32_768 + 65_536)
    assert.strictEqual(Section.payloadSizeMax(1e9), 2 ** 32 + 2 ** 20)
    // The densest stream there is fits below the bound.
    const zeros = new Uint8Array(5_000_000)
    const { zlib, zstd } = codecs.codecs
    for (const codec of [zlib, zstd]) {
      const stored = codec?.compress(zeros) ?? zeros
      assert.strictEqual(codec?.decompress(stored, Section.payloadSizeMax(stored.length)).length, zeros.length)
    }
  })
})
