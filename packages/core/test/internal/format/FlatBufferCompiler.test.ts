import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { Builder, type Shape } from "../../../src/internal/format/FlatBuffer.ts"
import * as FlatBufferCompiler from "../../../src/internal/format/FlatBufferCompiler.ts"
import {
  Bool,
  Bytes,
  emptyAsAbsent,
  I32,
  I64,
  I8,
  member,
  names,
  RawU64,
  slot,
  Text,
  U16,
  U32,
  U64,
  U8
} from "../../../src/internal/format/FlatBufferSchema.ts"
import * as Hostile from "./Hostile.ts"

const optional = Schema.UndefinedOr

const Leaf = Schema.Struct({ name: slot(1, Text), count: slot(0, U32) })

const Circle = member(1, Schema.TaggedStruct("Circle", { radius: slot(0, U64) }))
const Path = member(2, Schema.TaggedStruct("Path", { points: slot(0, Schema.Array(U16)) }))

/** Everything that a schema can say. */
const Everything = Schema.Struct({
  bool: slot(0, Bool),
  u8: slot(1, U8),
  i8: slot(2, I8),
  u16: slot(3, U16),
  i32: slot(4, I32),
  u32: slot(5, U32),
  u64: slot(6, U64),
  i64: slot(7, I64),
  raw: slot(8, RawU64),
  maybe: slot(9, optional(U16)),
  bytes: slot(10, Bytes),
  text: slot(11, optional(Text)),
  leaf: slot(12, Leaf),
  leaves: slot(13, Schema.Array(Leaf)),
  some: slot(14, emptyAsAbsent(U64)),
  shape: slot(15, Schema.Union([Circle, Path])),
  hole: slot(17, optional(Schema.Union([Circle, Path]))),
  color: slot(20, names(I8, ["red", "green"]))
})

const everything = FlatBufferCompiler.compile("it", Everything)

const least: typeof Everything.Type = {
  bool: false,
  u8: 0,
  i8: 0,
  u16: 0,
  i32: 0,
  u32: 0,
  u64: 0,
  i64: 0n,
  raw: 0n,
  maybe: undefined,
  bytes: new Uint8Array(0),
  text: undefined,
  leaf: { name: "", count: 0 },
  leaves: [],
  some: [],
  shape: { _tag: "Circle", radius: 0 },
  hole: undefined,
  color: "red"
}

const greatest: typeof Everything.Type = {
  bool: true,
  u8: 255,
  i8: -128,
  u16: 65_535,
  i32: -2_147_483_648,
  u32: 4_294_967_295,
  u64: Number.MAX_SAFE_INTEGER,
  i64: -(2n ** 63n),
  raw: 2n ** 64n - 1n,
  maybe: 0,
  bytes: new Uint8Array(3000).fill(7),
  text: "\uFEFFtext, \u{1F600}",
  leaf: { name: "leaf", count: 1 },
  leaves: Array.from({ length: 100 }, (_, count) => ({ name: `leaf ${count}`, count })),
  some: [1, 2, 3],
  shape: { _tag: "Path", points: [1, 2, 3] },
  hole: { _tag: "Circle", radius: 9 },
  color: "green"
}

const decode = (bytes: Uint8Array) => everything.decode(bytes)

describe("a compiled schema", () => {
  it.prop("reads what it writes", [Everything], ([value]) => {
    assert.deepStrictEqual(decode(everything.encode(value)), Result.succeed({ value, newer: undefined }))
  })

  it("holds the least and the greatest values", () => {
    for (const value of [least, greatest]) {
      assert.deepStrictEqual(decode(everything.encode(value)), Result.succeed({ value, newer: undefined }))
    }
  })

  it("leaves out what is zero, and shares the vtable of tables with the same slots", () => {
    const Numbers = FlatBufferCompiler.compile("it", Schema.Struct({ a: slot(0, U64), b: slot(3, U8) }))
    // Root offset, then a vtable of 4 bytes, then a table of 4 bytes.
    assert.strictEqual(Numbers.encode({ a: 0, b: 0 }).length, 12)
    const many = FlatBufferCompiler.compile("it", Schema.Struct({ leaves: slot(0, Schema.Array(Leaf)) }))
    const grown = (count: number) =>
      many.encode({ leaves: Array.from({ length: count }, () => ({ name: "abc", count: 1 })) }).length
    // An offset in the vector, 12 bytes of table, 8 of text.
    assert.strictEqual(grown(101) - grown(100), 24)
  })

  it("keeps room for an envelope before the buffer", () => {
    const bytes = everything.encode(greatest, 2)
    assert.deepStrictEqual(bytes.slice(2), everything.encode(greatest))
    assert.deepStrictEqual(bytes.slice(0, 2), new Uint8Array(2))
  })

  it("reads copies, also from the middle of a larger array", () => {
    const bytes = everything.encode(greatest)
    // A Node Buffer, whose own slice would be a view.
    const larger = Buffer.alloc(bytes.length + 20, 0xff)
    larger.set(bytes, 5)
    const value = Result.getOrThrow(decode(larger.subarray(5, 5 + bytes.length))).value
    assert.deepStrictEqual(value, greatest)
    larger.fill(0)
    assert.deepStrictEqual(value, greatest)
  })

  it("refuses or reads, never more, when cut off or with a bit flipped", () => {
    Hostile.endures(everything.encode({ ...greatest, bytes: new Uint8Array(3), leaves: [] }), decode)
  })

  it("tells a slot that it does not know, unless it is absent", () => {
    const read = FlatBufferCompiler.compile("old", Schema.Struct({ a: slot(0, U8) }))
    const write = FlatBufferCompiler.compile("new", Schema.Struct({ a: slot(0, U8), b: slot(4, U8) }))
    assert.deepStrictEqual(
      read.decode(write.encode({ a: 1, b: 2 })),
      Result.succeed({ value: { a: 1 }, newer: "old slot=4" })
    )
    assert.deepStrictEqual(
      read.decode(write.encode({ a: 1, b: 0 })),
      Result.succeed({ value: { a: 1 }, newer: undefined })
    )
  })

  it("is refused when it cannot lie in a buffer", () => {
    const compile = (schema: Schema.Constraint) => () => FlatBufferCompiler.compile("it", schema)
    assert.throws(compile(Schema.String), /no FlatBuffers form for it: String is no table/)
    assert.throws(compile(Schema.Struct({ a: Text })), /it.a: a key has a slot or is a literal/)
    assert.throws(compile(Schema.Struct({ a: slot(0, Schema.String) })), /it.a: String is no table/)
    const Untagged = Schema.Struct({ a: slot(0, Schema.Union([Leaf, Circle])) })
    assert.throws(compile(Untagged), /it.a: a member of a union has a number/)
    assert.throws(compile(Schema.Struct({ a: slot(0, Schema.Tuple([U8])) })), /it.a: a vector has one type/)
  })
})

describe("a compiled schema of a union", () => {
  const UnionAt = <S extends Schema.Top>(shape: S) => FlatBufferCompiler.compile("it", Schema.Struct({ shape }))
  const Square = member(3, Schema.TaggedStruct("Square", { side: slot(0, U8) }))
  const write = UnionAt(slot(0, Schema.Union([Circle, Square])))
  const square = write.encode({ shape: { _tag: "Square", side: 1 } })

  it("refuses a member that it does not know, where one is required", () => {
    const error = Result.getOrThrow(Result.flip(UnionAt(slot(0, Schema.Union([Circle, Path]))).decode(square)))
    assert.strictEqual(error.kind, "unsupported")
    assert.match(error.message, /it.shape: .* expected=1 \(Circle\), 2 \(Path\) found=3/)
  })

  it("leaves out a member that it does not know, and tells, where one is optional", () => {
    assert.deepStrictEqual(
      UnionAt(slot(0, optional(Schema.Union([Circle])))).decode(square),
      Result.succeed({ value: { shape: undefined }, newer: "it.shape type=3" })
    )
  })

  it("refuses a type without a value, and a value without a type", () => {
    const halves = FlatBufferCompiler.compile(
      "it",
      Schema.Struct({ type: slot(0, U8), value: slot(1, optional(Schema.Struct({ radius: slot(0, U64) }))) })
    )
    const read = UnionAt(slot(0, optional(Schema.Union([Circle]))))
    for (const half of [
      { type: 1, value: undefined },
      { type: 0, value: { radius: 1 } }
    ]) {
      const error = Result.getOrThrow(Result.flip(read.decode(halves.encode(half))))
      assert.match(error.message, /corrupt it.shape: .* expected=a type and a value, or neither/)
    }
    assert.deepStrictEqual(
      read.decode(halves.encode({ type: 0, value: undefined })),
      Result.succeed({ value: { shape: undefined }, newer: undefined })
    )
  })
})

describe("a hostile buffer", () => {
  const One = Schema.Struct({ all: slot(0, Schema.Array(Schema.Struct({ bytes: slot(0, Bytes) }))) })
  const one = FlatBufferCompiler.compile("it", One)
  const offsets: Shape = { vtable: [6, 8, 4], key: "6,8,4", alignment: 4 }

  const refusal = (build: (builder: Builder) => number) => {
    const builder = new Builder(0)
    return Result.getOrThrow(Result.flip(one.decode(builder.finish(build(builder)))))
  }

  /** A root table whose vector has `count` times the same element. */
  const repeated = (builder: Builder, count: number, element: (builder: Builder) => number): number => {
    const root = builder.table(offsets)
    const vector = builder.vector(count, 4)
    builder.link(root + 4, vector)
    const target = element(builder)
    for (let i = 0; i < count; i++) builder.link(vector + 4 + 4 * i, target)
    return root
  }

  const bytesTable = (builder: Builder, length: number): number => {
    const table = builder.table(offsets)
    builder.link(table + 4, builder.byteVector(new Uint8Array(length)))
    return table
  }

  it("cannot name one big vector many times", () => {
    // 2 MiB of file would become 256 GiB of copies.
    const error = refusal((builder) => repeated(builder, 1 << 18, (inner) => bytesTable(inner, 1 << 20)))
    assert.match(error.message, /at most 8 visits of a byte/)
  })

  it("may name one thing twice, as writers that pool their values do", () => {
    const builder = new Builder(0)
    const bytes = builder.finish(repeated(builder, 2, (inner) => bytesTable(inner, 3)))
    assert.deepStrictEqual(Result.getOrThrow(one.decode(bytes)).value, {
      all: [{ bytes: new Uint8Array(3) }, { bytes: new Uint8Array(3) }]
    })
  })

  it("cannot make a reader visit a long vtable many times", () => {
    const vtable = Array.from({ length: 16_384 }, (_, i) => (i === 0 ? 32_768 : i === 1 ? 8 : i === 2 ? 4 : 0))
    const long: Shape = { vtable, key: "long", alignment: 4 }
    const error = refusal((builder) =>
      repeated(builder, 1000, (inner) => {
        const table = inner.table(long)
        inner.link(table + 4, inner.byteVector(new Uint8Array(0)))
        return table
      })
    )
    assert.match(error.message, /at most 8 visits of a byte/)
  })

  it("cannot claim more elements than it has room for", () => {
    const error = refusal((builder) => {
      const root = builder.table(offsets)
      const vector = builder.vector(0, 4)
      builder.u32(vector, 0xffff_ffff)
      builder.link(root + 4, vector)
      return root
    })
    assert.match(error.message, /corrupt it.all: .* expected=at most 0 elements in what is left found=4294967295/)
  })

  it("cannot have 64-bit elements that are not aligned", () => {
    const builder = new Builder(0)
    const root = builder.table(offsets)
    const vector = builder.reserve(4 + 8, 8)
    builder.u32(vector, 1)
    builder.link(root + 4, vector)
    const numbers = FlatBufferCompiler.compile("it", Schema.Struct({ all: slot(0, Schema.Array(U64)) }))
    const error = Result.getOrThrow(Result.flip(numbers.decode(builder.finish(root))))
    assert.match(error.message, /corrupt it.all: offset=28 expected=a position aligned to 8/)
  })

  const Small = Schema.Struct({ a: slot(0, U64), c: slot(1, Text), b: slot(2, Bool) })
  const small = FlatBufferCompiler.compile("it", Small)
  const honest = (): Uint8Array => small.encode({ a: 1, b: true, c: "hi" })

  it("is an honest one, edited", () => {
    const root = "14000000"
    const vtable = "0a00 1100 0400 0c00 1000 000000000000"
    const table = "10000000 0100000000000000 08000000 01 000000"
    const text = "02000000 6869 00"
    const hex = [root, vtable, table, text].join("").replaceAll(" ", "")
    assert.strictEqual(Buffer.from(honest()).toString("hex"), hex)
  })

  it.each<readonly [string, (view: DataView) => void, RegExp]>([
    ["a root outside", (view) => view.setUint32(0, 1 << 30, true), /corrupt it: offset=0 .* found=1073741824/],
    ["a root that points at itself", (view) => view.setUint32(0, 0, true), /corrupt it: offset=0 .* found=0/],
    ["a root that is not aligned", (view) => view.setUint32(0, 21, true), /aligned to 4 found=21/],
    ["a table that is cut off", (view) => view.setUint32(0, 44, true), /corrupt it: offset=44 expected=4 bytes inside/],
    ["a vtable before the buffer", (view) => view.setInt32(20, 1000, true), /offset=20 .* found=position -980/],
    ["a vtable behind the buffer", (view) => view.setInt32(20, -1000, true), /it vtable: .* found=position 1020/],
    ["a vtable that is not aligned", (view) => view.setInt32(20, 15, true), /it vtable: .* aligned to 2 found=5/],
    ["a vtable of odd length", (view) => view.setUint16(4, 7, true), /an even length of at least 4 found=7/],
    ["a vtable too short", (view) => view.setUint16(4, 2, true), /an even length of at least 4 found=2/],
    ["a vtable too long", (view) => view.setUint16(4, 0x7ffe, true), /it vtable: offset=4 expected=32766 bytes inside/],
    [
      "a table too short",
      (view) => view.setUint16(6, 3, true),
      /offset=6 expected=a table of at least 4 bytes found=3/
    ],
    [
      "a table too long",
      (view) => view.setUint16(6, 0xffff, true),
      /corrupt it: offset=20 expected=65535 bytes inside/
    ],
    ["a slot before the table's values", (view) => view.setUint16(8, 2, true), /it.a: offset=8 .* found=2/],
    ["a slot behind the table's end", (view) => view.setUint16(8, 10, true), /it.a: offset=8 .* found=10/],
    ["a slot that is not aligned", (view) => view.setUint16(8, 5, true), /it.a: offset=25 .* aligned to 8 found=25/],
    ["a slot that is required, absent", (view) => view.setUint16(10, 0, true), /it.c: offset=20 expected=a value/],
    [
      "a count above 2^53 - 1",
      (view) => view.setUint32(28, 1 << 21, true),
      /it.a: offset=24 .* found=9007199254740993/
    ],
    ["a bool that is neither", (view) => view.setUint8(36, 2), /it.b: offset=36 expected=0 or 1 found=2/],
    ["a string outside", (view) => view.setUint32(32, 15, true), /it.c: offset=32 expected=an offset inside 47 bytes/],
    ["a string that is cut off", (view) => view.setUint32(32, 12, true), /it.c: offset=44 expected=4 bytes inside/],
    ["a string too long", (view) => view.setUint32(40, 4, true), /it.c: offset=40 expected=at most 3 elements/],
    ["a string without its end", (view) => view.setUint8(46, 1), /it.c: offset=46 expected=a zero byte/],
    ["a string up to the end", (view) => view.setUint32(40, 3, true), /it.c: offset=47 .* found=end/],
    ["a string that is not UTF-8", (view) => view.setUint8(44, 0xff), /it.c: offset=44 expected=UTF-8/]
  ])("with %s is refused, by what and where", (_, edit, message) => {
    const bytes = honest()
    edit(new DataView(bytes.buffer))
    const error = Result.getOrThrow(Result.flip(small.decode(bytes)))
    assert.strictEqual(error.kind, "corrupt")
    assert.match(error.message, message)
  })
})
