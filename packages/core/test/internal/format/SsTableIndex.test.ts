/**
 * The index: searched like a sorted array, and read from bytes that nobody wrote.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as FlatBufferCompiler from "../../../src/internal/format/FlatBufferCompiler.ts"
import { Bytes, slot, U64 } from "../../../src/internal/format/FlatBufferSchema.ts"
import * as SsTableIndex from "../../../src/internal/format/SsTableIndex.ts"
import { SsTableIndexBuilder } from "../../../src/internal/format/SsTableIndexBuilder.ts"
import { compare } from "../../../src/internal/model/ByteOrder.ts"
import * as Hostile from "./Hostile.ts"
import { text } from "./TableRows.ts"

interface Block {
  readonly offset: number
  readonly separator: Uint8Array
}

const encode = (blocks: ReadonlyArray<Block>): Uint8Array => {
  const builder = new SsTableIndexBuilder()
  for (const { offset, separator } of blocks) builder.add(offset, separator, 0, separator.length)
  return builder.encode()
}

/** The same table by the schema compiler: another reader and another writer of the same bytes. */
const other = FlatBufferCompiler.compile(
  "sst index",
  Schema.Struct({
    blocks: slot(0, Schema.Array(Schema.Struct({ offset: slot(0, U64), separator: slot(1, Bytes) })))
  })
)

const Separators = Schema.Array(Schema.Uint8Array)

const blocksOf = (separators: ReadonlyArray<Uint8Array>, step = 1_000): ReadonlyArray<Block> =>
  separators.toSorted(compare).map((separator, i) => ({ offset: i * step, separator }))

const described = (index: SsTableIndex.SsTableIndex): ReadonlyArray<Block> =>
  Array.from({ length: index.blockCount }, (_, i) => ({
    offset: index.blockOffset(i),
    separator: index.separator(i).slice()
  }))

describe("an index", () => {
  it.prop("is read as it was written, here and by the schema compiler", [Separators], ([separators]) => {
    for (const step of [1, 1_000, 2 ** 33]) {
      const blocks = blocksOf(separators, step)
      const bytes = encode(blocks)
      assert.strictEqual(bytes.length % 4, 0)
      const index = Result.getOrThrow(SsTableIndex.decode(bytes, blocks.length * step + 1))
      assert.deepStrictEqual(described(index), blocks)
      assert.deepStrictEqual(Result.getOrThrow(other.decode(bytes)).value.blocks, blocks)
      const again = Result.getOrThrow(SsTableIndex.decode(other.encode({ blocks }), blocks.length * step + 1))
      assert.deepStrictEqual(described(again), blocks)
    }
  })

  it.prop("finds the blocks around a key", [Separators, Schema.Uint8Array], ([separators, random]) => {
    const blocks = blocksOf(separators)
    const index = Result.getOrThrow(SsTableIndex.decode(encode(blocks), blocks.length * 1_000 + 1))
    for (const key of [random, ...separators]) {
      const below = blocks.findLastIndex(({ separator }) => compare(separator, key) < 0)
      assert.strictEqual(index.findLastBelow(key, 0, key.length), below)
      assert.strictEqual(index.findFirst(key, 0, key.length), Math.max(0, below))
    }
  })

  it("ends its last block where the data ends", () => {
    const index = Result.getOrThrow(SsTableIndex.decode(encode(blocksOf([text(""), text("b")])), 1_700))
    assert.deepStrictEqual(
      [0, 1].map((i) => index.blockEnd(i)),
      [1_000, 1_700]
    )
  })

  it.each([
    ["begins with", [{ offset: 5, separator: text("") }], 100, /block 0 offset: .* expected=0.* found=5/],
    ["repeats", [0, 7, 7].map((offset) => ({ offset, separator: text("") })), 100, /block 2 offset: .*8 to 99 found=7/],
    ["goes back to", [0, 7, 3].map((offset) => ({ offset, separator: text("") })), 100, /block 2 offset/],
    ["goes beyond the data with", [0, 100].map((offset) => ({ offset, separator: text("") })), 100, /block 1 offset/]
  ] as const)("that %s an offset is refused", (_, blocks, dataEnd, message) => {
    const result = SsTableIndex.decode(encode(blocks), dataEnd)
    assert.match(Result.isFailure(result) ? result.failure.message : "read", message)
  })

  it("whose separators descend is refused, since a search would go astray", () => {
    const blocks = ["", "b", "a"].map((separator, i) => ({ offset: i, separator: text(separator) }))
    const result = SsTableIndex.decode(encode(blocks), 100)
    assert.match(Result.isFailure(result) ? result.failure.message : "read", /block 2 first_key.*not below .* block 1/)
  })

  it("whose key says it is longer than what is left is refused", () => {
    const bytes = encode(blocksOf([text(""), text("b")]))
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    const at = bytes.length - 4
    assert.strictEqual(view.getUint32(at, true), 0, "the length of the first key, which is empty")
    view.setUint32(at, 1, true)
    const result = SsTableIndex.decode(bytes, 2_000)
    assert.match(
      Result.isFailure(result) ? result.failure.message : "read",
      /block 0 first_key: .*at most 0 bytes found=1/
    )
  })

  it("whose vtable reaches beyond its bytes is refused", () => {
    const bytes = new Uint8Array(12)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, 4, true)
    view.setInt32(4, -4, true)
    view.setUint16(8, 6, true)
    view.setUint16(10, 8, true)
    assert.isTrue(Result.isFailure(SsTableIndex.decode(bytes, 100)))
  })

  it("whose block is cut off behind a vtable that an earlier one has, too, is refused", () => {
    const whole = encode(blocksOf(["", "a", "b"].map(text)))
    const bytes = new Uint8Array(whole.length + 4)
    bytes.set(whole)
    const view = new DataView(bytes.buffer)
    const root = view.getUint32(0, true)
    const slot = root + view.getUint16(root - view.getInt32(root, true) + 4, true)
    const vector = slot + view.getUint32(slot, true)
    const [second, third] = [vector + 8, vector + 12]
    const table = second + view.getUint32(second, true)
    view.setUint32(third, whole.length - third, true)
    view.setInt32(whole.length, whole.length - (table - view.getInt32(table, true)), true)
    const result = SsTableIndex.decode(bytes, 10_000)
    assert.match(
      Result.isFailure(result) ? result.failure.message : "read",
      /block 2: offset=\d+ expected=offset and first_key inside/
    )
  })

  it("cut off anywhere or with any bit flipped is refused, or points into its own bytes and ascends", () => {
    const bytes = encode(blocksOf(["", "ab", "abc", "b/0123456789"].map(text), 4_096))
    Hostile.endures(bytes, (hostile) =>
      Result.map(SsTableIndex.decode(hostile, 20_000), (index) => {
        const blocks = described(index)
        for (const [i, { offset, separator }] of blocks.entries()) {
          const before = blocks[i - 1]
          const isSound =
            offset >= (before?.offset ?? -1) + 1 &&
            offset < 20_000 &&
            separator.length <= hostile.length &&
            (before === undefined || compare(before.separator, separator) <= 0)
          if (!isSound) assert.fail(`block ${i} of a hostile index: offset=${offset}`)
        }
      })
    )
  })

  it("does not take more memory than some times its bytes, whatever count it claims", () => {
    const bytes = encode(blocksOf([text("")]))
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    for (let at = 0; at + 4 <= bytes.length; at += 4) {
      const before = view.getUint32(at, true)
      view.setUint32(at, 0x7fff_ffff, true)
      const result = SsTableIndex.decode(bytes, 1_000)
      if (Result.isSuccess(result)) assert.isAtMost(result.success.sizeBytes, 8 * bytes.length)
      view.setUint32(at, before, true)
    }
  })
})
