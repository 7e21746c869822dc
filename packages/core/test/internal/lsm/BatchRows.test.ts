import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as BatchRows from "../../../src/internal/lsm/BatchRows.ts"
import { Kind, neverExpires } from "../../../src/internal/model/RowEntry.ts"

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const string = (value: Uint8Array): string => new TextDecoder().decode(value)

const concat = (_key: Uint8Array, existing: Uint8Array | undefined, operand: Uint8Array): Uint8Array =>
  text(existing === undefined ? string(operand) : `${string(existing)}+${string(operand)}`)

const put = (key: string, value: string, expireTime = neverExpires): BatchRows.BatchRow => ({
  kind: Kind.put,
  key: text(key),
  value: text(value),
  expireTime
})
const merge = (key: string, operand: string, expireTime = neverExpires): BatchRows.BatchRow => ({
  ...put(key, operand, expireTime),
  kind: Kind.merge
})
const tombstone = (key: string): BatchRows.BatchRow => ({ ...put(key, ""), kind: Kind.tombstone })

const show = (row: BatchRows.BatchRow): string => {
  const kind = row.kind === Kind.put ? "put" : row.kind === Kind.merge ? "merge" : "delete"
  const expiry = row.expireTime === neverExpires ? "" : `@${row.expireTime}`
  return `${kind} ${string(row.key)}=${string(row.value)}${expiry}`
}

const folded = (...operations: ReadonlyArray<BatchRows.BatchRow>): ReadonlyArray<string> | string =>
  Result.match(BatchRows.fold(operations, concat), {
    onFailure: ({ key }) => `refused ${string(key)}`,
    onSuccess: (rows) => rows.map(show)
  })

describe("BatchRows", () => {
  it("gives back the operations themselves when no key repeats and they are in key order", () => {
    for (const operations of [[], [put("a", "1")], [put("a", "1"), tombstone("b"), merge("c", "x")]]) {
      assert.strictEqual(Result.getOrThrow(BatchRows.fold(operations, undefined)), operations)
    }
  })

  it("orders rows by key bytes", () => {
    const high: BatchRows.BatchRow = { ...put("", "1"), key: Uint8Array.of(0x80) }
    assert.deepStrictEqual(Result.getOrThrow(BatchRows.fold([high, put("a", "2"), put("", "3")], undefined)), [
      put("", "3"),
      put("a", "2"),
      high
    ])
  })

  it("keeps the last put or delete of a key", () => {
    assert.deepStrictEqual(folded(put("b", "1"), put("a", "1"), put("b", "2")), ["put a=1", "put b=2"])
    assert.deepStrictEqual(folded(put("a", "1", 5), tombstone("a")), ["delete a="])
    assert.deepStrictEqual(folded(tombstone("a"), put("a", "1", 5)), ["put a=1@5"])
    assert.deepStrictEqual(folded(merge("a", "x"), put("a", "1")), ["put a=1"])
    assert.deepStrictEqual(folded(merge("a", "x"), tombstone("a")), ["delete a="])
  })

  it("folds merges onto a put, a delete and each other, oldest first", () => {
    assert.deepStrictEqual(folded(put("a", "1", 5), merge("a", "x", 5), merge("a", "y", 5)), ["put a=1+x+y@5"])
    assert.deepStrictEqual(folded(tombstone("a"), merge("a", "x", 5), merge("a", "y", 5)), ["put a=x+y@5"])
    assert.deepStrictEqual(folded(merge("a", "x", 5), merge("a", "y", 5)), ["merge a=x+y@5"])
    assert.deepStrictEqual(folded(merge("a", "x"), put("a", "1"), merge("a", "y")), ["put a=1+y"])
  })

  it("refuses operations of one key that expire at different times, by the key's name", () => {
    assert.strictEqual(folded(put("b", "1"), merge("a", "x", 5), merge("a", "y", 6)), "refused a")
    assert.strictEqual(folded(put("a", "1", 5), merge("a", "y")), "refused a")
    assert.strictEqual(folded(tombstone("a"), merge("a", "x", 5), merge("a", "y", 6)), "refused a")
  })

  it("does not refuse what a later put or delete replaces", () => {
    assert.deepStrictEqual(folded(merge("a", "x", 5), merge("a", "y", 6), put("a", "1", 7)), ["put a=1@7"])
    assert.deepStrictEqual(folded(merge("a", "x", 5), merge("a", "y", 6), tombstone("a")), ["delete a="])
  })

  it("does not fold without a merge operator", () => {
    assert.throws(() => BatchRows.fold([merge("a", "x"), merge("a", "y")], undefined), /L19/)
  })

  const Operation = Schema.Struct({
    kind: Schema.Literals([Kind.put, Kind.tombstone, Kind.merge]),
    key: Schema.Literals(["", "a", "aa", "b"]),
    value: Schema.String
  })

  it.prop(
    "says of each key what its operations say one after the other",
    { operations: Schema.Array(Operation) },
    ({ operations }) => {
      const expected = new Map<string, BatchRows.BatchRow>()
      for (const { key, kind, value } of operations) {
        const before = expected.get(key)
        if (kind === Kind.put) expected.set(key, put(key, value))
        else if (kind === Kind.tombstone) expected.set(key, tombstone(key))
        else if (before === undefined) expected.set(key, merge(key, value))
        else if (before.kind === Kind.tombstone) expected.set(key, put(key, value))
        else expected.set(key, { ...before, value: text(`${string(before.value)}+${value}`) })
      }
      const rows = BatchRows.fold(
        operations.map(({ key, kind, value }) =>
          kind === Kind.tombstone ? tombstone(key) : { ...put(key, value), kind }
        ),
        concat
      )
      assert.deepStrictEqual(
        Result.getOrThrow(rows),
        ["", "a", "aa", "b"].flatMap((key) => expected.get(key) ?? [])
      )
    }
  )
})
