/**
 * What is stored is written in memory that was written and stored before. A store reads a body until its
 * effect ends, and a create whose answer was lost is asked for again: no byte may change before.
 */
import * as Fault from "@effect-slatedb/testkit/Fault"
import { assert, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { FreeChunks } from "../src/internal/model/ChunkPool.ts"
import * as ObjectPaths from "../src/internal/store/ObjectPaths.ts"
import * as Bucket from "./support/Bucket.ts"
import * as TestDb from "./support/TestDb.ts"

const valueBytes = 60_000
const keyCount = 150
const putCount = 1200

const keyOf = (n: number) => `key/${1000 + ((n * 7) % keyCount)}`

/** Tells by its bytes which put it is of. */
const valueOf = (n: number) => new Uint8Array(valueBytes).fill(n).with(0, n >>> 8)

it.effect("however late a store reads it, and however often it is asked", () =>
  Effect.gen(function* () {
    const take = vi.spyOn(FreeChunks.prototype, "take")
    const bucket = TestDb.bucket()
    const process = yield* TestDb.process(bucket)
    const db = yield* process.open({
      l0SstSizeBytes: 6 * 2 ** 20,
      maxSstSizeBytes: 4 * 2 ** 20,
      compactorPollInterval: "100 millis",
      collectorEnabled: false
    })
    const slowly = { operation: "putIfAbsent" } as const
    yield* process.faults.add({ ...slowly, path: "wal/", fault: Fault.delayBetween("1 millis", "150 millis") })
    yield* process.faults.add({ ...slowly, path: "compacted/", fault: Fault.delayBetween("500 millis", "1 second") })
    yield* process.faults.add({
      ...slowly,
      path: /\.sst$/,
      probability: 0.3,
      fault: Fault.failBefore()
    })
    const newest = new Map<string, number>()
    for (let n = 0; n < putCount; n++) {
      newest.set(keyOf(n), n)
      yield* TestDb.awaitWithTime(db.put(keyOf(n), valueOf(n), { awaitDurable: false }))
      if (n % 8 === 0) yield* TestClock.adjust("40 millis")
    }
    yield* TestDb.awaitWithTime(db.flush("memtable"))
    yield* TestClock.adjust("30 seconds")
    assert.isAtLeast((yield* db.status).compactionsCompleted, 2)
    const reused = take.mock.results.filter(({ value }) => value !== undefined)
    take.mockRestore()
    assert.isAtLeast(reused.length, putCount / 20)

    for (const [, rows] of Bucket.wals(bucket)) {
      for (const { sequence, value } of rows) assert.deepStrictEqual(value, valueOf(sequence - 1))
    }
    const ids = TestDb.paths(bucket, "db/compacted/").flatMap((path) => ObjectPaths.make("db").tableId(path) ?? [])
    assert.isAtLeast(ids.length, 10)
    for (const id of ids) {
      for (const { sequence, value } of Bucket.table(bucket, id)) assert.deepStrictEqual(value, valueOf(sequence - 1))
    }
    for (const [key, n] of newest) {
      assert.deepStrictEqual(yield* db.get(key), valueOf(n))
    }
  })
)
