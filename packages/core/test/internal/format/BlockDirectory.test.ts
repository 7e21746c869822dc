/**
 * Directories: what `find` answers with one, against a walk of all rows.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { Block } from "../../../src/internal/format/Block.ts"
import { BlockBuilder } from "../../../src/internal/format/BlockBuilder.ts"
import { BlockCursor, BlockStep } from "../../../src/internal/format/BlockCursor.ts"
import { compare } from "../../../src/internal/model/ByteOrder.ts"
import { KeyNumber } from "../../../src/internal/model/KeyNumber.ts"
import { copy, type RowEntry } from "../../../src/internal/model/RowEntry.ts"
import { put, sortedRows, text, told, view } from "./TableRows.ts"

/** With or without room for its directory. */
const blockOf = (rows: ReadonlyArray<RowEntry>, hasRoom = false): Block => {
  const builder = new BlockBuilder(Infinity)
  builder.begin(new Uint8Array(0), 0)
  for (const row of rows) builder.add(view(row), builder.sharedWithLast(view(row)))
  const end = builder.end()
  return hasRoom ? Block.copy(builder.buffer, 0, end) : Block.make(builder.buffer.slice(0, end), 2)
}

/** A cursor in the block, which has its directory; `undefined` where there can be none. */
const entered = (block: Block, numbering: KeyNumber): BlockCursor | undefined => {
  const cursor = new BlockCursor()
  cursor.enter(block)
  block.setDirectory(cursor.directory(numbering))
  cursor.enter(block)
  return block.directory === null ? undefined : cursor
}

const find = (cursor: BlockCursor, block: Block, numbering: KeyNumber, key: Uint8Array): BlockStep => {
  assert.exists(block.directory)
  const number = numbering.of(key, 0, key.length)
  return cursor.find(key, number, numbering.isExact(number, key, 0, key.length), block.directory)
}

/** Numberings that fit the keys, fit them badly, and not at all. */
const numberingsOf = (rows: ReadonlyArray<RowEntry>): ReadonlyArray<KeyNumber> => [
  KeyNumber.like(rows.map(({ key }) => key)),
  new KeyNumber(text("no such prefix"), 0x30, 0x39),
  new KeyNumber(new Uint8Array(0), 0x61, 0x61)
]

describe("find", () => {
  const Byte = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 0xff }))
  const Case = Arbitrary.all([sortedRows, Arbitrary.schema(Byte)])

  it.prop("stands on a key's newest row wherever there is one, and goes on from there", [Case], ([[rows, byte]]) => {
    if (rows.length === 0) return
    const targets = rows.flatMap(({ key }) => [
      key,
      key.with(key.length - 1, byte),
      key.subarray(0, key.length - 1),
      Uint8Array.from([...key, byte])
    ])
    for (const [numbering, hasRoom] of numberingsOf(rows).flatMap((each) => [
      [each, false] as const,
      [each, true] as const
    ])) {
      const block = blockOf(rows, hasRoom)
      const { payload } = block
      const cursor = entered(block, numbering)
      assert.deepStrictEqual(block.payload, payload)
      if (cursor === undefined) continue
      for (const target of targets) {
        const first = rows.findIndex(({ key }) => compare(key, target) === 0)
        const found: Array<RowEntry> = []
        for (let step = find(cursor, block, numbering, target); step === BlockStep.row; step = cursor.next()) {
          found.push(copy(cursor.row))
        }
        assert.deepStrictEqual(found.map(told), first < 0 ? [] : rows.slice(first).map(told))
      }
    }
  })

  it.prop("seeks to the first row that is not below a key, as a walk finds it", [Case], ([[rows, byte]]) => {
    if (rows.length === 0) return
    const targets = rows.flatMap(({ key }) => [key, key.with(key.length - 1, byte), Uint8Array.from([...key, byte])])
    for (const numbering of numberingsOf(rows)) {
      const block = blockOf(rows)
      const cursor = entered(block, numbering)
      if (cursor === undefined || !block.directory) continue
      for (const target of targets) {
        const first = rows.findIndex(({ key }) => compare(key, target) >= 0)
        const found: Array<RowEntry> = []
        const number = numbering.of(target, 0, target.length)
        const isExact = numbering.isExact(number, target, 0, target.length)
        let step = cursor.seekWith(target, number, isExact, block.directory)
        for (; step === BlockStep.row; step = cursor.next()) found.push(copy(cursor.row))
        assert.deepStrictEqual(found.map(told), first < 0 ? [] : rows.slice(first).map(told))
      }
    }
  })

  it("tells keys apart that differ only in what a row shares with the one before", () => {
    // Of the last key the row has but one byte; the numbers of all are the same.
    const rows = ["aa1", "aa2", "ab2", "ab2x"].map((key) => put(`stem/${key}`, 1, key))
    const numbering = new KeyNumber(text("stem/"), 0x7a, 0x7a)
    const block = blockOf(rows)
    const cursor = entered(block, numbering)
    assert.exists(cursor)
    for (const { key } of rows) {
      assert.strictEqual(find(cursor, block, numbering, key), BlockStep.row)
      assert.deepStrictEqual(copy(cursor.row).key, key)
    }
    for (const key of ["aa2x", "ab1", "ab2y", "ab", "ac2x"]) {
      assert.strictEqual(find(cursor, block, numbering, text(`stem/${key}`)), BlockStep.done)
    }
  })
})

describe("a copy has room for the directory", () => {
  const rows = Array.from({ length: 100 }, (_, n) => put(`stem/${1000 + n}`, 1, "value"))
  const numbering = KeyNumber.like(rows.map(({ key }) => key))

  it("so both are in one memory, which is not that of the original", () => {
    const original = blockOf(rows).payload.slice()
    const bytes = Uint8Array.from([1, 2, 3, ...original, 4])
    const block = Block.copy(bytes, 3, bytes.length - 1)
    bytes.fill(0)
    const { payload } = block
    assert.deepStrictEqual(payload, original)
    assert.exists(entered(block, numbering))
    assert.strictEqual(block.payload, payload)
    assert.strictEqual(block.directory?.buffer, payload.buffer)
    assert.isAtMost(payload.buffer.byteLength, block.sizeBytes)
  })

  it("but not where its count of restarts asks for more than twice the block", () => {
    for (const tail of [[], [7], [0xff, 0xff]]) {
      const damaged = Uint8Array.from([...blockOf(rows).payload.subarray(0, 500), ...tail])
      const block = Block.copy(damaged, 0, damaged.length)
      assert.deepStrictEqual(block.payload, damaged)
      assert.isAtMost(block.payload.buffer.byteLength, 3 * damaged.length)
      assert.strictEqual(block.error?.message, Block.make(damaged, 2).error?.message)
    }
    assert.isDefined(Block.copy(new Uint8Array(0), 0, 0).error)
  })
})

describe("a block has no directory", () => {
  const numbering = new KeyNumber(new Uint8Array(0), 0, 0xff)

  it("where a row begins beyond 64 KiB", () => {
    const rows = (bytes: number) => [put("a", 1, new Uint8Array(bytes)), put("b", 1), put("c", 1)]
    assert.exists(entered(blockOf(rows(60_000)), numbering))
    assert.isUndefined(entered(blockOf(rows(0x10000)), numbering))
  })

  it("where its rows cannot be read, and then keeps its payload", () => {
    const { payload } = blockOf([put("a", 1), put("ab", 1)])
    const damaged = payload.slice()
    damaged[0] = 1
    const block = Block.make(damaged, 2)
    assert.isUndefined(entered(block, numbering))
    assert.deepStrictEqual(block.payload, damaged)
    const cursor = new BlockCursor()
    cursor.enter(block)
    assert.strictEqual(cursor.seek(text("a"), 0, 1), BlockStep.corrupt)
  })

  it("where a parent is farther than a byte counts", () => {
    // Without restarts between them, each row shares one byte more than its parent, the first row.
    const crafted = (rows: number): Block => {
      const bytes: Array<number> = []
      const stamp = [0, 0, 0, 0, 0, 0, 0, 1, 0]
      bytes.push(0, 2, 0, 0x61, 0x00, ...stamp)
      for (let i = 1; i < rows; i++) bytes.push(1, 2, 0, i >> 8, i & 0xff, ...stamp)
      return Block.make(Uint8Array.from([...bytes, 0, 0, 0, 1]), 2)
    }
    assert.exists(entered(crafted(256), numbering))
    assert.isUndefined(entered(crafted(257), numbering))
  })
})
