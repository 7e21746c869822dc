import * as Compression from "@effect-slatedb/core/Compression"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as WriteBatch from "@effect-slatedb/core/WriteBatch"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as OtherProcess from "../../support/OtherProcess.ts"
import * as TestDb from "../../support/TestDb.ts"

it.effect("a table's id is above those that were compacted away, though the clock went back (L16)", () =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    yield* TestClock.setTime(600_000)
    const ahead = yield* (yield* TestDb.process(bucket)).open()
    yield* TestDb.awaitWithTime(ahead.put("a", "1"))
    yield* TestDb.awaitWithTime(ahead.flush("memtable"))
    yield* TestDb.awaitWithTime(ahead.close)
    yield* OtherProcess.compact(bucket)

    yield* TestClock.setTime(0)
    const behind = yield* (yield* TestDb.process(bucket)).open()
    yield* TestDb.awaitWithTime(behind.put("b", "2"))
    yield* TestDb.awaitWithTime(behind.flush("memtable"))
    const { l0, lastCompactedViewId } = yield* OtherProcess.manifest(bucket)
    assert.isAbove((l0[0]?.id ?? "").localeCompare(lastCompactedViewId ?? ""), 0)
    assert.deepStrictEqual(yield* TestDb.lines(behind, KeyRange.all), ["a=1", "b=2"])
  })
)

it.effect("tables are built one after the other, so that memory holds one that is half built", () =>
  Effect.gen(function* () {
    const built: Array<string> = []
    const watched = {
      ...(yield* Compression.Compression),
      crc32: (bytes: Uint8Array, start: number, end: number) => {
        const memtable = /memtable (\d)/.exec(TestDb.text(bytes.subarray(start, end)))?.[1]
        if (memtable !== undefined && built.at(-1) !== memtable) built.push(memtable)
        return Compression.portable.crc32(bytes, start, end)
      }
    }
    const db = yield* (yield* TestDb.alone)
      .open({ walEnabled: false, l0FlushParallelism: 4 })
      .pipe(Effect.provideService(Compression.Compression, watched))
    const flushes = yield* Effect.forEach([1, 2, 3], (memtable) =>
      Effect.gen(function* () {
        let batch = WriteBatch.empty
        for (let n = 1000; n < 6000; n++) batch = WriteBatch.put(batch, String(n), `memtable ${memtable}`)
        yield* db.write(batch, { awaitDurable: false })
        const flush = yield* Effect.forkChild(db.flush("memtable"), { startImmediately: true })
        while ((yield* db.status).immutableMemtables < memtable) yield* Effect.yieldNow
        return flush
      })
    )
    yield* TestDb.awaitWithTime(Effect.forEach(flushes, Fiber.join))
    assert.deepStrictEqual(built, ["1", "2", "3"])
    assert.strictEqual((yield* db.status).l0Tables, 3)
  })
)
