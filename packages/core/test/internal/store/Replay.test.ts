import { portable } from "@effect-slatedb/core/Compression"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as MergeOperator from "@effect-slatedb/core/MergeOperator"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SsTableReader from "../../../src/internal/format/SsTableReader.ts"
import { Kind, neverExpires, noCreateTime, type RowEntry } from "../../../src/internal/model/RowEntry.ts"
import * as OtherProcess from "../../support/OtherProcess.ts"
import * as TestDb from "../../support/TestDb.ts"

const row = (sequence: number, kind: Kind, value: string, expireTime = neverExpires): RowEntry => ({
  key: KeyRange.toBytes("k"),
  value: KeyRange.toBytes(value),
  sequence,
  kind,
  createTime: 0,
  expireTime
})

const options = {
  kind: "wal",
  blockSizeBytes: 1024,
  filterBitsPerKey: 10,
  minFilterKeys: 1,
  codecName: "none",
  codec: undefined,
  crc32: portable.crc32
} as const

const storeWal = (bucket: MemoryObjectStore.State, id: number, rows: ReadonlyArray<RowEntry>) =>
  MemoryObjectStore.fromState(bucket).put(
    OtherProcess.paths.wals.path(id),
    Schema.encodeSync(SsTableReader.schema(options, portable))(rows)
  )

/** What the official engine 0.12.1 wrote for these batches, and what it shows of them. */
const batches = [
  ["delete, merge with a lifetime", [row(2, Kind.merge, "x", 1e9), row(2, Kind.tombstone, "")], []],
  ["put, merge with a lifetime", [row(2, Kind.merge, "x", 1e9), row(2, Kind.put, "p")], ["k=p"]],
  ["merge, merge with a lifetime", [row(2, Kind.merge, "2", 1e9), row(2, Kind.merge, "1")], ["k=base1"]],
  [
    "merges with three lifetimes",
    [row(2, Kind.merge, "3", 1e9), row(2, Kind.merge, "2", 2e9), row(2, Kind.merge, "1", 1e9)],
    ["k=base1"]
  ]
] as const

describe("rows of one key in one batch, as the official engine writes them where it cannot fold", () => {
  it.effect.each(batches)("%s", ([_, rows, expected]) =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const before = yield* (yield* TestDb.process(bucket)).open()
      yield* TestDb.awaitWithTime(before.put("k", "base"))
      const { nextWalId } = yield* before.status
      yield* TestDb.awaitWithTime(before.close)
      yield* storeWal(bucket, nextWalId, rows)

      const reader = yield* (yield* TestDb.process(bucket)).reader()
      const process = yield* TestDb.process(bucket)
      const db = yield* process.open()
      for (const order of ["ascending", "descending"] as const) {
        assert.deepStrictEqual(yield* TestDb.lines(reader, KeyRange.all, { order }), expected)
        assert.deepStrictEqual(yield* TestDb.lines(db, KeyRange.all, { order }), expected)
      }
      assert.deepStrictEqual(TestDb.textOption(yield* db.getOption("k")), expected[0]?.slice(2))
      yield* TestDb.awaitWithTime(db.flush("memtable"))
      assert.deepStrictEqual(yield* TestDb.lines(db, KeyRange.all), expected)
    }).pipe(Effect.provideService(MergeOperator.MergeOperator, MergeOperator.append))
  )
})

it.effect("rows that have no creation time are replayed and flushed", () =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    const before = yield* (yield* TestDb.process(bucket)).open()
    const { nextWalId } = yield* before.status
    yield* TestDb.awaitWithTime(before.close)
    yield* storeWal(bucket, nextWalId, [{ ...row(1, Kind.put, "v"), createTime: noCreateTime }])
    const db = yield* (yield* TestDb.process(bucket)).open()
    yield* TestDb.awaitWithTime(db.flush("memtable"))
    assert.isUndefined((yield* OtherProcess.manifest(bucket)).lastL0ClockTick)
    yield* TestDb.awaitWithTime(db.put("l", "w"))
    yield* TestDb.awaitWithTime(db.flush("memtable"))
    assert.deepStrictEqual(yield* TestDb.lines(db, KeyRange.all), ["k=v", "l=w"])
    assert.isNumber((yield* OtherProcess.manifest(bucket)).lastL0ClockTick)
  })
)
