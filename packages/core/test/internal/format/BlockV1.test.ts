/**
 * Blocks of format version 1, encoded here from the format's description, since
 * nobody writes them any more.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Result from "effect/Result"
import { BlockCursor, BlockStep } from "../../../src/internal/format/BlockCursor.ts"
import * as BlockV1 from "../../../src/internal/format/BlockV1.ts"
import { copy, Kind, neverExpires, noCreateTime, type RowEntry } from "../../../src/internal/model/RowEntry.ts"
import { concat, put, sortedRows, told, walRows } from "./TableRows.ts"

const bigEndian = (value: number | bigint, bytes: number): Uint8Array => {
  const buffer = Buffer.alloc(8)
  buffer.writeBigUInt64BE(BigInt.asUintN(64, BigInt(value)))
  return Uint8Array.from(buffer.subarray(8 - bytes))
}

const encodeRow = (row: RowEntry, firstKey: Uint8Array): Uint8Array => {
  let shared = 0
  if (row.key !== firstKey) {
    while (shared < Math.min(firstKey.length, row.key.length) && firstKey[shared] === row.key[shared]) shared++
  }
  const isTombstone = row.kind === Kind.tombstone
  const hasExpiry = row.expireTime !== neverExpires
  const hasCreation = row.createTime !== noCreateTime
  const flags = (isTombstone ? 1 : 0) | (hasExpiry ? 2 : 0) | (hasCreation ? 4 : 0) | (row.kind === Kind.merge ? 8 : 0)
  return concat([
    bigEndian(shared, 2),
    bigEndian(row.key.length - shared, 2),
    row.key.subarray(shared),
    bigEndian(row.sequence, 8),
    Uint8Array.of(flags),
    hasExpiry ? bigEndian(row.expireTime, 8) : new Uint8Array(0),
    hasCreation ? bigEndian(row.createTime, 8) : new Uint8Array(0),
    isTombstone ? new Uint8Array(0) : concat([bigEndian(row.value.length, 4), row.value])
  ])
}

/** A block of the leading rows whose offsets fit into 16 bits. */
const encode = (rows: ReadonlyArray<RowEntry>): { payload: Uint8Array; rows: ReadonlyArray<RowEntry> } => {
  const firstKey = (rows[0] as RowEntry).key
  const encoded: Array<Uint8Array> = []
  const offsets: Array<Uint8Array> = []
  let at = 0
  for (const row of rows) {
    if (at > 0xffff) break
    const bytes = encodeRow(row, firstKey)
    encoded.push(bytes)
    offsets.push(bigEndian(at, 2))
    at += bytes.length
  }
  return {
    payload: concat([...encoded, ...offsets, bigEndian(offsets.length, 2)]),
    rows: rows.slice(0, encoded.length)
  }
}

describe("a block of format 1", () => {
  it.prop("is walked both ways and searched like one of format 2", [Arbitrary.all([sortedRows, walRows])], ([both]) => {
    for (const all of both) {
      if (all.length === 0) continue
      const { payload, rows } = encode(all)
      const cursor = new BlockCursor(payload, 1)
      const found: Array<string> = []
      while (cursor.next() === BlockStep.row) found.push(told(copy(cursor.row)))
      assert.deepStrictEqual(found, rows.map(told))
      const back: Array<string> = []
      while (cursor.previous() === BlockStep.row) back.push(told(copy(cursor.row)))
      assert.deepStrictEqual(back, found.toReversed())
      assert.isUndefined(cursor.error)
    }
    const [sorted] = both
    if (sorted.length === 0) return
    const { payload, rows } = encode(sorted)
    const target = (rows.at(-1) as RowEntry).key
    const cursor = new BlockCursor(payload, 1)
    assert.strictEqual(cursor.seek(target, 0, target.length), BlockStep.row)
    assert.deepStrictEqual(copy(cursor.row).key, target)
  })

  it("drops the expiry of a tombstone", () => {
    const { payload } = encode([{ ...put("a", 1), kind: Kind.tombstone, expireTime: 5 }])
    const cursor = new BlockCursor(payload, 1)
    assert.strictEqual(cursor.next(), BlockStep.row)
    assert.strictEqual(cursor.row.expireTime, neverExpires)
  })

  const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"))
  const row = "0000 0001 61 0000000000000001 00 00000001 76"
  const cases: ReadonlyArray<readonly [what: string, payload: Uint8Array, message: RegExp]> = [
    ["without rows", bytes("0000"), /block row count/],
    ["with bytes but without rows", bytes("61 0000"), /block row count: offset=1 expected=1 to 0 found=0/],
    ["with more offsets than bytes", bytes("0000 0009"), /block row count/],
    ["whose first row is not at its start", bytes(`${row} 0001 0001`), /block row offset: offset=19/],
    ["whose rows do not touch", bytes(`${row} ${row} 0000 0014 0002`), /block row offset: .* 19 found=20/],
    ["with bytes behind the last row", bytes(`${row} 00 0000 0001`), /block rows: offset=19/],
    ["whose first key shares", bytes("0001 0001 61 0000000000000001 00 00000001 76 0000 0001"), /row shared key bytes/],
    [
      "that shares more than the first key has",
      bytes(`${row} 0002 0001 61 0000000000000001 00 00000000 0000 0013 0002`),
      /row shared key bytes: offset=19/
    ],
    ["with an empty key", bytes("0000 0000 0000000000000001 00 00000001 76 0000 0001"), /row key length/],
    ["that ends in a key", bytes("0000 00ff 61 0000000000000001 00 00000001 76 0000 0001"), /row length/],
    ["that ends in times", bytes("0000 0001 61 0000000000000001 06 00000001 76 0000 0001"), /row length/],
    ["that ends before a value's length", bytes("0000 0001 61 0000000000000001 00 0000 0000 0001"), /row length/],
    ["that ends in a value", bytes("0000 0001 61 0000000000000001 00 00000002 76 0000 0001"), /row length/],
    ["with unknown flags", bytes("0000 0001 61 0000000000000001 20 00000001 76 0000 0001"), /unsupported row flags/]
  ]

  it("with a key longer than keys may be is refused", () => {
    const first = put(new Uint8Array(40_000), 2)
    const second = { ...put(new Uint8Array(80_000), 1), createTime: noCreateTime }
    const result = BlockV1.transcode(encode([first, second]).payload)
    assert.match(Result.isFailure(result) ? result.failure.message : "read", /row key length: .* found=80000/)
  })

  it.each(cases)("%s is refused", (_, payload, message) => {
    const result = BlockV1.transcode(payload)
    assert.match(Result.isFailure(result) ? result.failure.message : "read", message)
    assert.strictEqual(new BlockCursor(payload, 1).next(), BlockStep.corrupt)
  })
})
