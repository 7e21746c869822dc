/** L19: one batch holds at most one row per key in the store. */
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as MergeOperator from "@effect-slatedb/core/MergeOperator"
import * as WriteBatch from "@effect-slatedb/core/WriteBatch"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as BatchRows from "../../src/internal/lsm/BatchRows.ts"
import * as ByteOrder from "../../src/internal/model/ByteOrder.ts"
import { Kind, neverExpires } from "../../src/internal/model/RowEntry.ts"
import * as OtherProcess from "../support/OtherProcess.ts"
import * as RowModel from "../support/RowModel.ts"
import * as TestDb from "../support/TestDb.ts"

const Operation = Schema.Struct({
  key: Schema.Literals(["", "a", "b", "ab"]),
  kind: Schema.Literals([Kind.put, Kind.tombstone, Kind.merge]),
  lifetime: Schema.Literals([10, 20, "for ever"])
})

it.prop(
  "the rows of a batch have distinct keys, in order, and say what its operations said, at every time",
  {
    operations: Schema.Array(Operation)
  },
  ({ operations }) => {
    const rows = operations.map((operation, i): BatchRows.BatchRow => ({
      kind: operation.kind,
      key: RowModel.bytes(`k${operation.key}`),
      value: RowModel.bytes(operation.kind === Kind.tombstone ? "" : `${i}`),
      expireTime:
        operation.kind === Kind.tombstone || operation.lifetime === "for ever" ? neverExpires : operation.lifetime
    }))
    const folded = BatchRows.fold(rows, RowModel.concat)
    const isFoldable = !rows.some((row, i) => clashes(rows, row, i))
    assert.strictEqual(Result.isSuccess(folded), isFoldable, "refused if, and only if, folding is impossible")
    if (Result.isFailure(folded)) return
    const kept = folded.success
    for (let i = 1; i < kept.length; i++) {
      assert.isBelow(ByteOrder.compare(kept[i - 1]?.key ?? new Uint8Array(0), kept[i]?.key ?? new Uint8Array(0)), 0)
    }
    const entriesOf = (batch: ReadonlyArray<BatchRows.BatchRow>) =>
      batch.map((row, i) => ({ ...row, sequence: i + 1, createTime: 0 }))
    for (const now of [0, 10, 20]) {
      const reader = { maxSequence: Infinity, now }
      assert.deepStrictEqual(RowModel.visible(entriesOf(kept), reader), RowModel.visible(entriesOf(rows), reader))
    }
  }
)

/** Whether an operand would have to be folded, in what counts in the end, onto something of another lifetime. */
const clashes = (rows: ReadonlyArray<BatchRows.BatchRow>, row: BatchRows.BatchRow, at: number): boolean => {
  const same = rows.map((other, i) => ({ other, i })).filter(({ other }) => ByteOrder.compare(other.key, row.key) === 0)
  const isReplaced = same.some(({ i, other }) => i > at && other.kind !== Kind.merge)
  const before = same.findLast(({ i }) => i < at)?.other
  return (
    row.kind === Kind.merge &&
    !isReplaced &&
    before !== undefined &&
    before.kind !== Kind.tombstone &&
    before.expireTime !== row.expireTime
  )
}

it.effect("a WAL object and a table hold one row of each key of a batch", () =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    const db = yield* (yield* TestDb.process(bucket)).open({ walFlush: "manual" })
    let batch = WriteBatch.empty
    for (let i = 0; i < 30; i++) {
      const key = `k${i % 4}`
      batch =
        i % 3 === 0
          ? WriteBatch.put(batch, key, `${i}`)
          : i % 7 === 0
            ? WriteBatch.delete(batch, key)
            : WriteBatch.merge(batch, key, `+${i}`)
    }
    yield* db.write(batch, { awaitDurable: false })
    const lines = yield* TestDb.lines(db, KeyRange.all, { readLevel: "uncommitted" })
    yield* db.flush("memtable")
    const { l0 } = yield* OtherProcess.manifest(bucket)
    for (const path of [OtherProcess.paths.wals.path(2), OtherProcess.paths.table(l0[0]?.id ?? "")]) {
      const rows = OtherProcess.rows(bucket, path)
      assert.deepStrictEqual(
        rows.map(({ key, sequence }) => `${sequence} ${RowModel.text(key)}`),
        ["1 k0", "1 k1", "1 k2", "1 k3"]
      )
    }
    assert.deepStrictEqual(yield* TestDb.lines(db, KeyRange.all), lines)
  }).pipe(Effect.provideService(MergeOperator.MergeOperator, MergeOperator.append))
)
