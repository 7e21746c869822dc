import * as BlockCache from "@effect-slatedb/core/BlockCache"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Manifest from "../../../src/internal/model/Manifest.ts"
import { Kind, neverExpires } from "../../../src/internal/model/RowEntry.ts"
import type { SsTable } from "../../../src/internal/model/SsTable.ts"
import * as CompactionLab from "../../support/CompactionLab.ts"
import * as OtherProcess from "../../support/OtherProcess.ts"
import * as TestDb from "../../support/TestDb.ts"

const row = (key: string, value: Uint8Array) => ({
  key: KeyRange.toBytes(key),
  value,
  sequence: 1,
  kind: Kind.put,
  createTime: 0,
  expireTime: neverExpires
})

const id = "01M82VKD976JAVBX9ZGHPHK1MD"

it.effect("two views of one table show each its own range, though they share an id", () =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    const db = yield* (yield* TestDb.process(bucket)).open()
    yield* TestDb.awaitWithTime(db.close)
    const table = yield* OtherProcess.storeTable(
      bucket,
      id,
      ["a", "b", "c", "d"].map((key) => row(key, KeyRange.toBytes(key)))
    )
    const view = (from: string, to: string): SsTable => ({
      ...table,
      visibleRange: {
        start: { _tag: "Included", key: KeyRange.toBytes(from) },
        end: { _tag: "Excluded", key: KeyRange.toBytes(to) }
      }
    })
    yield* OtherProcess.edit(bucket, (manifest) => ({
      ...manifest,
      lastL0Sequence: 1,
      runs: [{ id: 0, tables: [view("a", "b"), view("c", "d")] }]
    }))
    const reader = yield* (yield* TestDb.process(bucket)).reader()
    assert.deepStrictEqual(yield* TestDb.lines(reader, KeyRange.all), ["a=a", "c=c"])
    const values = yield* Effect.forEach(["a", "b", "c", "d"], (key) =>
      Effect.map(reader.getOption(key), TestDb.textOption)
    )
    assert.deepStrictEqual(values, ["a", undefined, "c", undefined])
  })
)

it.effect("without a cache, filter and index are fetched once for a lookup, and once for a scan", () =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    const db = yield* (yield* TestDb.process(bucket)).open()
    yield* TestDb.awaitWithTime(db.close)
    const values = ["a", "b", "c", "d"].map((key) => row(`${key}/key`, new Uint8Array(50_000)))
    const table = yield* OtherProcess.storeTable(bucket, id, values)
    yield* OtherProcess.edit(bucket, (manifest) => ({ ...manifest, lastL0Sequence: 1, l0: [table] }))
    const reader = yield* (yield* TestDb.process(bucket)).reader()
    MemoryObjectStore.resetRequests(bucket)
    yield* reader.get("c/key")
    assert.strictEqual(bucket.requests.getRange.count, 2)
    MemoryObjectStore.resetRequests(bucket)
    yield* TestDb.lines(reader, KeyRange.all, { readAheadBytes: 0 })
    assert.strictEqual(bucket.requests.getRange.count, 1 + values.length)
  }).pipe(Effect.provideService(BlockCache.BlockCache, BlockCache.makeMemory({ blockBytesMax: 0, metaBytesMax: 0 })))
)

it.effect("a range ends before its end also where versions of that key begin in the block before", () =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    const db = yield* (yield* TestDb.process(bucket)).open()
    yield* TestDb.awaitWithTime(db.close)
    // Blocks of 1 KiB: the first ends between two versions, and the key is the separator of the second.
    const version = (sequence: number) => ({ ...row("k", new Uint8Array(300)), sequence })
    const rows = [{ ...row("a", KeyRange.toBytes("1")), sequence: 9 }, ...[8, 7, 6, 5, 4].map(version)]
    const table = yield* OtherProcess.storeTable(bucket, id, rows)
    yield* OtherProcess.edit(bucket, (manifest) => ({ ...manifest, lastL0Sequence: 9, l0: [table] }))
    const reader = yield* (yield* TestDb.process(bucket)).reader()
    for (const order of ["ascending", "descending"] as const) {
      const before = KeyRange.make({ to: "k" })
      const entries = yield* reader.getRange(before, { order })
      assert.deepStrictEqual(
        entries.map(({ key }) => new TextDecoder().decode(key)),
        ["a"]
      )
    }
  })
)

it.effect("what is kept of a table has no second chance, once no view of it is named any more", () =>
  Effect.gen(function* () {
    const lab = yield* CompactionLab.make()
    const rows = Array.from({ length: 3 }, (_, n) => row(`k${n}`, new Uint8Array(100)))
    const table = yield* lab.table(rows)
    const view: SsTable = {
      ...table,
      visibleRange: { start: { _tag: "Included", key: KeyRange.toBytes("k1") }, end: { _tag: "Unbounded" } }
    }
    const naming = (...l0: ReadonlyArray<SsTable>): Manifest.Manifest => ({ ...Manifest.empty, l0 })
    const { tables } = lab
    tables.adopt(naming(table, view))
    const { cached, loadMeta } = tables.reader(table)
    tables.reader(view)
    // A small table is fetched whole.
    yield* loadMeta
    assert.isDefined(cached.block(0))
    tables.adopt(naming(view))
    assert.isTrue(cached.isBlockUsed(0), "another view of it is named")
    tables.adopt(naming())
    assert.isFalse(cached.isBlockUsed(0))
    assert.isDefined(cached.block(0), "it is there still")
  })
)
