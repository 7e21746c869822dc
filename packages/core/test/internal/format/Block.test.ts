/**
 * Blocks: the builder against the rules of the format, the cursor against a sorted
 * array, and against bytes that no builder made.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { BlockBuilder, blockBytesMax, restartInterval } from "../../../src/internal/format/BlockBuilder.ts"
import { BlockCursor, BlockStep } from "../../../src/internal/format/BlockCursor.ts"
import * as SsTableReader from "../../../src/internal/format/SsTableReader.ts"
import { compare } from "../../../src/internal/model/ByteOrder.ts"
import { KeyNumber } from "../../../src/internal/model/KeyNumber.ts"
import { copy, Kind, type RowEntry } from "../../../src/internal/model/RowEntry.ts"
import * as FixtureStore from "./FixtureStore.ts"
import * as Hostile from "./Hostile.ts"
import * as Result from "effect/Result"
import { codecs, concat, put, sortedRows, text, told, view, walRows } from "./TableRows.ts"

/** One block of as many rows as the block size lets in, and how many these are. */
const build = (rows: ReadonlyArray<RowEntry>, blockSizeBytes: number) => {
  const builder = new BlockBuilder(blockSizeBytes)
  builder.begin(new Uint8Array(0), 0)
  let count = 0
  for (const row of rows) {
    const window = view(row)
    if (!builder.add(window, builder.sharedWithLast(window))) break
    count++
  }
  const sizeBytes = builder.sizeBytes
  const end = builder.end()
  assert.strictEqual(end, sizeBytes)
  return { payload: builder.buffer.slice(0, end), count }
}

/** The block with all of the rows. */
const blockOf = (rows: ReadonlyArray<RowEntry>): Uint8Array => build(rows, Infinity).payload

const walk = (move: () => BlockStep, first: BlockStep, cursor: BlockCursor): ReadonlyArray<RowEntry> => {
  const rows: Array<RowEntry> = []
  for (let step = first; step === BlockStep.row; step = move()) rows.push(copy(cursor.row))
  assert.isUndefined(cursor.error, cursor.error?.message)
  return rows
}

const forwards = (cursor: BlockCursor, first: BlockStep) => walk(() => cursor.next(), first, cursor)
const backwards = (cursor: BlockCursor, first: BlockStep) => walk(() => cursor.previous(), first, cursor)

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

describe("a block", () => {
  it("shares a row's key with the row before, and stores times only where there are some", () => {
    const rows: ReadonlyArray<RowEntry> = [
      { ...put("abc", 5, "v"), createTime: -Infinity },
      { ...put("abd", 4), createTime: 0x01a205b9c544, expireTime: -1 },
      { ...put("abd", 3), kind: Kind.tombstone, createTime: 7, expireTime: 9 },
      { ...put("b", 2, "x"), kind: Kind.merge }
    ]
    assert.strictEqual(
      hex(blockOf(rows)),
      "00" +
        "03" +
        "01" +
        hex(text("abcv")) +
        "0000000000000005" +
        "00" +
        "02" +
        "01" +
        "00" +
        hex(text("d")) +
        "0000000000000004" +
        "06" +
        "ffffffffffffffff" +
        "000001a205b9c544" +
        "03" +
        "00" +
        "00" +
        "0000000000000003" +
        "05" +
        "0000000000000007" +
        "00" +
        "01" +
        "01" +
        hex(text("bx")) +
        "0000000000000002" +
        "0c" +
        "0000018bcfe56802" +
        "0000" +
        "0001"
    ) // oxfmt keeps one row a line
  })

  it("has a restart at every sixteenth row, whose key is stored whole", () => {
    const rows = Array.from({ length: 40 }, (_, i) => put(`key/${String(i).padStart(3, "0")}`, 100 - i))
    const payload = blockOf(rows)
    const count = (payload.at(-2) as number) * 256 + (payload.at(-1) as number)
    assert.strictEqual(count, Math.ceil(rows.length / restartInterval))
    const restarts = Array.from(
      { length: count },
      (_, i) => (payload.at(2 * (i - count) - 2) as number) * 256 + (payload.at(2 * (i - count) - 1) as number)
    )
    for (const [i, restart] of restarts.entries()) {
      const key = (rows[i * restartInterval] as RowEntry).key
      assert.strictEqual(payload[restart], 0)
      assert.deepStrictEqual(payload.slice(restart + 3, restart + 3 + key.length), key)
    }
  })

  it("ends before the row that would make it longer than the block size, and not a byte sooner", () => {
    // The first row takes 3 + 1 + 17 = 21 bytes, each other 3 + 1 + 17, the sixteenth a restart: 2 more.
    const rows = Array.from({ length: 40 }, (_, i) => put(String.fromCharCode(48 + i), 1))
    const sizeOf = (count: number) => blockOf(rows.slice(0, count)).length
    for (let count = 1; count < rows.length; count++) {
      assert.strictEqual(build(rows, sizeOf(count)).count, count)
      assert.strictEqual(build(rows, sizeOf(count + 1) - 1).count, count)
    }
    assert.strictEqual(sizeOf(17) - sizeOf(16), 21 + 2)
    assert.strictEqual(sizeOf(16) - sizeOf(15), 21)
  })

  it("takes a first row of any size, and nothing after it", () => {
    const rows = [put("a", 2, "x".repeat(5000)), put("b", 1)]
    assert.strictEqual(build(rows, 1024).count, 1)
  })

  it("of the largest size keeps every restart offset in 16 bits", () => {
    const rows = Array.from({ length: 6000 }, (_, i) => ({ ...put(`${i}`.padStart(4, "0"), 1), createTime: -Infinity }))
    const { count, payload } = build(rows, blockBytesMax)
    assert.isAtMost(payload.length, blockBytesMax)
    const cursor = new BlockCursor(payload)
    assert.deepStrictEqual(forwards(cursor, cursor.next()), rows.slice(0, count))
  })
})

const Pick = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))

describe("a cursor", () => {
  it.prop("walks the rows of a block forwards and backwards", [Arbitrary.all([sortedRows, walRows])], ([both]) => {
    for (const rows of both) {
      if (rows.length === 0) continue
      const cursor = new BlockCursor(blockOf(rows), 2)
      assert.deepStrictEqual(forwards(cursor, cursor.seekToFirst()).map(told), rows.map(told))
      assert.strictEqual(cursor.next(), BlockStep.done)
      assert.deepStrictEqual(backwards(cursor, cursor.seekToLast()), rows.toReversed())
      assert.strictEqual(cursor.previous(), BlockStep.done)
      assert.deepStrictEqual(forwards(cursor, cursor.next()), rows)
    }
  })

  it.prop("finds each key, and what lies next to it, from both sides", [sortedRows], ([rows]) => {
    if (rows.length === 0) return
    const cursor = new BlockCursor(blockOf(rows))
    const keys = rows
      .map(({ key }) => key)
      .filter((key, i, all) => i === 0 || compare(key, all[i - 1] as Uint8Array) > 0)
    const targets = keys.flatMap((key) => [
      key,
      key.slice(0, -1),
      concat([key, Uint8Array.of(0)]),
      concat([key.slice(0, -1), Uint8Array.of(((key.at(-1) as number) + 1) & 0xff)])
    ])
    for (const target of [...targets, new Uint8Array(0), Uint8Array.of(0xff, 0xff, 0xff)]) {
      const padded = concat([Uint8Array.of(1, 2), target, Uint8Array.of(3)])
      const [start, end] = [2, 2 + target.length]
      const below = rows.findLastIndex((row) => compare(row.key, target) < 0)
      const notAbove = rows.findLastIndex((row) => compare(row.key, target) <= 0)
      const found = (first: BlockStep, move: () => BlockStep) => {
        const texts: Array<string> = []
        for (let step = first; step === BlockStep.row && texts.length < 3; step = move()) {
          texts.push(told(copy(cursor.row)))
        }
        return texts
      }
      const modelled = (...at: ReadonlyArray<number>) => at.flatMap((i) => rows[i] ?? []).map(told)
      assert.deepStrictEqual(
        found(cursor.seek(padded, start, end), () => cursor.next()),
        modelled(below + 1, below + 2, below + 3)
      )
      assert.deepStrictEqual(
        found(cursor.seekDescending(padded, start, end, false), () => cursor.previous()),
        modelled(below, below - 1, below - 2)
      )
      assert.deepStrictEqual(
        found(cursor.seekDescending(padded, start, end, true), () => cursor.previous()),
        modelled(notAbove, notAbove - 1, notAbove - 2)
      )
    }
  })

  it.prop(
    "may turn at any row",
    [sortedRows, Schema.Array(Schema.Literals(["next", "previous", "seek", "descend", "first", "last"])), Pick],
    ([rows, moves, pick]) => {
      if (rows.length === 0) return
      const cursor = new BlockCursor(blockOf(rows))
      // The model: where it stands, -1 before the first row, `rows.length` behind the last.
      let at = -1
      for (const move of moves) {
        pick = (pick * 48_271 + 11) % 1_000_003
        const target = (rows[pick % rows.length] as RowEntry).key
        const step = (() => {
          switch (move) {
            case "next":
              at = Math.min(rows.length, at + 1)
              return cursor.next()
            case "previous":
              at = Math.max(-1, at - 1)
              return cursor.previous()
            case "seek":
              at = rows.findIndex((row) => compare(row.key, target) >= 0)
              return cursor.seek(target, 0, target.length)
            case "descend":
              at = rows.findLastIndex((row) => compare(row.key, target) < 0)
              return cursor.seekDescending(target, 0, target.length, false)
            case "first":
              at = 0
              return cursor.seekToFirst()
            case "last":
              at = rows.length - 1
              return cursor.seekToLast()
          }
        })()
        const expected = rows[at]
        assert.strictEqual(step, expected === undefined ? BlockStep.done : BlockStep.row, move)
        if (expected !== undefined) assert.strictEqual(told(copy(cursor.row)), told(expected), move)
      }
    }
  )

  it("comes back to the last row after it walked backwards, and off the end", () => {
    const cursor = new BlockCursor(blockOf([put("a", 1), put("ab", 1)]))
    for (const move of ["seekToLast", "next", "previous", "next", "previous"] as const) cursor[move]()
    assert.strictEqual(told(copy(cursor.row)), told(put("ab", 1)))
    for (const move of ["previous", "previous", "next"] as const) cursor[move]()
    assert.strictEqual(told(copy(cursor.row)), told(put("a", 1)))
  })

  it("walks backwards through an interval that is longer than any writer's", () => {
    // Only the first row is a restart: the one thing that is left when all rows after it lie beyond 64 KiB.
    const rows = [
      put("a", 1, "x".repeat(70_000)),
      ...Array.from({ length: 100 }, (_, i) => put(`b${String(i).padStart(3, "0")}`, 1))
    ]
    const payload = blockOf(rows)
    assert.strictEqual(hex(payload.slice(-4)), "00000001")
    const cursor = new BlockCursor(payload)
    assert.deepStrictEqual(backwards(cursor, cursor.seekToLast()), rows.toReversed())
  })

  it("forgets the block before when it is loaded again, and its error", () => {
    const cursor = new BlockCursor(blockOf([put("abc", 1), put("abd", 1)]))
    cursor.seekToLast()
    cursor.load(Uint8Array.of(1), 2)
    assert.strictEqual(cursor.next(), BlockStep.corrupt)
    assert.strictEqual(cursor.seek(text("a"), 0, 1), BlockStep.corrupt)
    assert.strictEqual(cursor.seekToLast(), BlockStep.corrupt)
    assert.match(cursor.error?.message ?? "", /corrupt block restart count: offset=0/)
    cursor.load(blockOf([put("x", 1)]), 2)
    assert.isUndefined(cursor.error)
    assert.strictEqual(cursor.next(), BlockStep.row)
    assert.strictEqual(told(copy(cursor.row)), told(put("x", 1)))
  })

  it("before its first load has no rows", () => {
    const cursor = new BlockCursor()
    assert.strictEqual(cursor.next(), BlockStep.done)
    assert.strictEqual(cursor.seekToLast(), BlockStep.done)
  })
})

/** A block made by hand, its restarts behind the rows. */
const crafted = (rows: string, ...restarts: ReadonlyArray<number>): Uint8Array =>
  concat([
    Uint8Array.from(Buffer.from(rows.replaceAll(" ", ""), "hex")),
    Uint8Array.from([...restarts, restarts.length].flatMap((value) => [value >>> 8, value & 0xff]))
  ])

describe("a block that no writer writes", () => {
  const sequence = "0000000000000001"
  const cases: ReadonlyArray<readonly [what: string, payload: Uint8Array, message: RegExp]> = [
    ["has no bytes", new Uint8Array(0), /block restart count: offset=0/],
    ["has no restart", crafted(`00 01 00 61 ${sequence} 00`), /block restart count: offset=13 expected=1 to 6 found=0/],
    ["has more restarts than bytes", Uint8Array.of(0, 0, 0, 9), /block restart count/],
    ["has no rows", Uint8Array.of(0, 0, 0, 1), /block restart count/],
    ["begins with no restart", crafted(`00 01 00 61 ${sequence} 00`, 1), /block restart: offset=13/],
    ["has a restart behind its rows", crafted(`00 01 00 61 ${sequence} 00`, 0, 13), /block restart: offset=15/],
    ["has restarts that go back", crafted(`00 01 00 61 ${sequence} 00`, 0, 5, 5), /block restart: offset=17/],
    ["shares with nothing", crafted(`01 01 00 61 ${sequence} 00`, 0), /row shared key bytes: offset=0 .* found=1/],
    [
      "shares more than there is",
      crafted(`00 01 00 61 ${sequence} 00 02 01 00 62 ${sequence} 00`, 0),
      /row shared key bytes: offset=13 expected=at most the 1 of the key before found=2/
    ],
    ["has an empty key", crafted(`00 00 00 ${sequence} 00`, 0), /row key length: offset=0/],
    ["has a key of 65,536 bytes", crafted(`00 808004 00 61 ${sequence} 00`, 0), /row key length: .* found=65536/],
    ["has a value longer than itself", crafted(`00 01 ffffffff0f 61 ${sequence} 00`, 0), /row length: offset=0/],
    ["has a varint of 33 bits", crafted(`00 01 ffffffff1f 61 ${sequence} 00`, 0), /row length: .* found=Infinity/],
    ["has a varint of six bytes", crafted(`00 01 808080808000 61 ${sequence} 00`, 0), /row length/],
    ["has a varint without end", Uint8Array.of(0x80, 0x80, 0x80, 0, 0, 0, 1), /row key length/],
    ["ends inside its times", crafted(`00 01 00 61 ${sequence} 04 0000`, 0), /row length: .* found=21/],
    ["has flags of a newer writer", crafted(`00 01 00 61 ${sequence} 10`, 0), /unsupported row flags: offset=12 .*=16/],
    ["has a tombstone to be merged", crafted(`00 01 00 61 ${sequence} 09`, 0), /corrupt row flags: offset=12 .*=9/],
    ["has a tombstone with a value", crafted(`00 01 01 6161 ${sequence} 01`, 0), /row value length/],
    ["has a sequence of 54 bits", crafted(`00 01 00 61 0020000000000000 00`, 0), /row sequence: offset=4/],
    ["has a creation beyond 53 bits", crafted(`00 01 00 61 ${sequence} 04 0020000000000000`, 0), /row create time/],
    ["has an expiry below 53 bits", crafted(`00 01 00 61 ${sequence} 02 8000000000000000`, 0), /row expire time/]
  ]

  it.each(cases)("%s", (_, payload, message) => {
    const cursor = new BlockCursor(payload)
    const moves = [
      () => cursor.seekToFirst(),
      () => cursor.next(),
      () => cursor.seekToLast(),
      () => cursor.seek(text("zz"), 0, 2),
      () => cursor.seekDescending(text("zz"), 0, 2, true)
    ]
    for (const move of moves) {
      cursor.load(payload, 2)
      let rows = 0
      let step = move()
      for (; step === BlockStep.row; step = cursor.next()) assert.isBelow(rows++, payload.length)
      // A search reads only the lengths of what it passes; what it stands on is read whole.
      if (step === BlockStep.done) continue
      assert.strictEqual(step, BlockStep.corrupt)
      assert.match(cursor.error?.message ?? "", message)
      assert.strictEqual(cursor.next(), BlockStep.corrupt)
      assert.strictEqual(cursor.previous(), BlockStep.corrupt)
    }
    cursor.load(payload, 2)
    while (cursor.next() === BlockStep.row);
    assert.match(cursor.error?.message ?? "walked to its end", message)
  })

  it("drops the expiry of a tombstone", () => {
    const cursor = new BlockCursor(crafted(`00 01 00 61 ${sequence} 03 0000000000000005`, 0))
    assert.strictEqual(cursor.next(), BlockStep.row)
    assert.strictEqual(cursor.row.kind, Kind.tombstone)
    assert.strictEqual(cursor.row.expireTime, Infinity)
  })

  it("that shares more than there is, is refused by each way that comes past", () => {
    const payload = crafted(`00 01 00 61 ${sequence} 00 02 01 00 62 ${sequence} 00`, 0)
    const target = text("zz")
    for (const move of ["seekToLast", "seek", "seekDescending"] as const) {
      const cursor = new BlockCursor(payload)
      assert.strictEqual(cursor[move](target, 0, 2, true), BlockStep.corrupt, move)
      assert.match(cursor.error?.message ?? "", /row shared key bytes: offset=13/)
    }
  })

  it("whose restart row shares is refused by a search", () => {
    // The search passes it on its way to the third row; a walk would take it for a row like others.
    const payload = crafted(
      `00 01 00 61 ${sequence} 00 01 01 00 62 ${sequence} 00 00 01 00 63 ${sequence} 00`,
      0,
      13,
      26
    )
    const cursor = new BlockCursor(payload)
    assert.strictEqual(cursor.seek(text("zz"), 0, 2), BlockStep.corrupt)
    assert.match(cursor.error?.message ?? "", /row shared key bytes: offset=13 expected=at most the 0 /)
  })

  it("whose restart lies inside a row is refused when rows do not end where the next begins", () => {
    // Read from the restart, at the value of the first row, there are rows at 4, 22 and 35, and none that ends at 25.
    const inner = `00 01 05 62 ${sequence}`
    const payload = crafted(`00 01 0c 61 ${inner} ${sequence} 00 00 01 00 63 ${sequence} 00`, 0, 4)
    const cursor = new BlockCursor(payload)
    assert.deepStrictEqual(
      [cursor.next(), cursor.next(), cursor.previous()],
      [BlockStep.row, BlockStep.row, BlockStep.corrupt]
    )
    assert.match(cursor.error?.message ?? "", /block rows: offset=25 expected=a row to end here found=35/)
  })

  it("may say that a restart is inside a row: a search then refuses or answers, within bounds", () => {
    const rows = Array.from({ length: 40 }, (_, i) => put(`key/${i}`, 1, "value"))
    const honest = blockOf(rows)
    for (let at = 1; at < honest.length - 8; at++) {
      const payload = honest.slice()
      payload[payload.length - 6] = at >>> 8
      payload[payload.length - 5] = at
      exercise(payload, 2)
    }
  })

  const blocks = FixtureStore.cases.flatMap((name) =>
    FixtureStore.paths(name, ".sst").flatMap((path) => {
      const bytes = FixtureStore.bytes(name, path)
      const { formatVersion, index, info } = Result.getOrThrow(SsTableReader.open(bytes, codecs))
      const small = Array.from({ length: Math.min(1, index.blockCount) }, (_, i) =>
        Result.getOrThrow(SsTableReader.block(bytes, 0, index.blockOffset(i), index.blockEnd(i), info, codecs))
      )
      return small.map((payload) => ({ title: `${name} ${path.slice(3)}`, payload, formatVersion, name }))
    })
  )
  const distinct = blocks.filter(
    ({ name, title }) => ["basic", "versions", "sst-v1"].includes(name) || title.startsWith("compacted compacted")
  )

  it.each(distinct)("$title, with any bit flipped or cut off anywhere, ends in rows or in a refusal", (block) => {
    Hostile.endures(block.payload, (payload) => {
      const error = exercise(payload, block.formatVersion)
      return error === undefined ? Result.void : Result.fail(error)
    })
  })
})

/** Moves about in a block in all ways; each walk must end, and every row must lie inside it. */
const exercise = (payload: Uint8Array, formatVersion: 1 | 2) => {
  const cursor = new BlockCursor()
  const target = text("key/00050")
  const starts = [
    () => cursor.seekToFirst(),
    () => cursor.seek(target, 0, target.length),
    () => cursor.seekDescending(target, 0, target.length, true)
  ]
  for (const [i, start] of starts.entries()) {
    cursor.load(payload, formatVersion)
    let left = payload.length
    for (let step = start(); step === BlockStep.row; step = i === 2 ? cursor.previous() : cursor.next()) {
      const { row } = cursor
      const isInside =
        row.keyStart >= 0 &&
        row.keyEnd > row.keyStart &&
        row.keyEnd <= row.key.length &&
        row.valueStart >= 0 &&
        row.valueEnd >= row.valueStart &&
        row.valueEnd <= row.value.length &&
        row.sequence >= 0 &&
        --left > 0
      if (!isInside) assert.fail(`a row outside of its block: ${JSON.stringify({ ...row, key: "", value: "" })}`)
    }
  }
  const found = cursor.error
  cursor.load(payload, formatVersion)
  const numbering = new KeyNumber(text("key/"), 0x30, 0x39)
  const directory = cursor.directory(numbering)
  if (directory === null) return found ?? cursor.error
  for (const key of [target, text("key/00049"), text("a")]) {
    const number = numbering.of(key, 0, key.length)
    const step = cursor.find(key, number, numbering.isExact(number, key, 0, key.length), directory)
    if (step === BlockStep.row) assert.isAtMost(cursor.row.valueEnd, cursor.row.value.length)
  }
  return found ?? cursor.error
}
