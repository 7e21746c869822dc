/** Keys, values and batches: bytes or text, whole, dated, and each in its place. */
import * as BlockCache from "@effect-slatedb/core/BlockCache"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import type * as Settings from "@effect-slatedb/core/Settings"
import * as WriteBatch from "@effect-slatedb/core/WriteBatch"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as OtherProcess from "./support/OtherProcess.ts"
import * as TestDb from "./support/TestDb.ts"

const later = { awaitDurable: false } as const

const opened = (settings?: Settings.Input) =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    return { bucket, db: yield* (yield* TestDb.process(bucket)).open(settings) }
  })

const encoder = new TextEncoder()

describe("keys and values", () => {
  it.effect("may be text, which is its UTF-8 bytes, or bytes: they are the same keys", () =>
    Effect.gen(function* () {
      const { db } = yield* opened()
      const texts = ["plain", "ü", "日本", "😀", "\u0000", "a\u0000b"]
      for (const text of texts) yield* db.put(text, `${text}!`, later)
      yield* db.flush("memtable")
      for (const text of texts) {
        assert.deepStrictEqual(yield* db.get(encoder.encode(text)), encoder.encode(`${text}!`))
        yield* db.put(encoder.encode(text), encoder.encode("again"), later)
        assert.strictEqual(TestDb.text(yield* db.get(text, { readLevel: "uncommitted" })), "again")
      }
      yield* db.delete(encoder.encode("ü"), later)
      assert.isTrue(Option.isNone(yield* db.getOption("ü", { readLevel: "uncommitted" })))
    })
  )

  it.effect("are ordered by unsigned bytes, shorter before longer", () =>
    Effect.gen(function* () {
      const { db } = yield* opened()
      const keys = [[0], [0, 0], [1], [0x7f], [0x80], [0xff], [0xff, 0], [0xff, 0xff]].map((key) =>
        Uint8Array.from(key)
      )
      for (const key of keys.toReversed()) yield* db.put(key, "", later)
      for (const isFlushed of [false, true]) {
        if (isFlushed) yield* db.flush("memtable")
        const entries = yield* Stream.runCollect(db.scan(KeyRange.all, { readLevel: "uncommitted" }))
        assert.deepStrictEqual(
          Array.from(entries, ({ key }) => Array.from(key)),
          keys.map((key) => Array.from(key))
        )
      }
    })
  )

  it.effect("may be empty, as values, and larger than a block, a WAL or a memtable", () =>
    Effect.gen(function* () {
      const { db } = yield* opened({ blockSizeBytes: 1024, walMaxBytes: 5000, l0SstSizeBytes: 20_000 })
      const sizes = [0, 1, 1023, 1024, 1025, 6000, 65_536, 200_000]
      for (const size of sizes) yield* db.put(`size ${size}`, "v".repeat(size), later)
      yield* TestDb.awaitWithTime(db.flush("memtable"))
      for (const size of sizes) {
        const value = yield* TestDb.awaitWithTime(db.get(`size ${size}`))
        assert.strictEqual(TestDb.text(value), "v".repeat(size))
      }
    })
  )
})

describe("getMany", () => {
  it.effect("answers in the order of the keys, repeated and missing ones too, from every level", () =>
    Effect.gen(function* () {
      const { db } = yield* opened()
      yield* db.put("table", "1", later)
      yield* db.flush("memtable")
      yield* db.put("memtable", "2", later)
      yield* db.flush("wal")
      yield* db.put("buffer", "3", later)
      const keys = ["buffer", "missing", "table", "memtable", "table", new Uint8Array([1])]
      const uncommitted = yield* db.getMany(keys, { readLevel: "uncommitted" })
      assert.deepStrictEqual(uncommitted.map(TestDb.textOption), ["3", undefined, "1", "2", "1", undefined])
      const committed = yield* db.getMany(keys)
      assert.deepStrictEqual(committed.map(TestDb.textOption), [undefined, undefined, "1", "2", "1", undefined])
      assert.deepStrictEqual(yield* db.getMany([]), [])
    })
  )

  it.effect("is of one moment, however long its fetches take", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const process = yield* TestDb.process(bucket)
      const db = yield* process.open().pipe(Effect.provide(BlockCache.layerNoop))
      for (let i = 0; i < 100; i++) yield* db.put(`k${i}`, `old ${"v".repeat(1000)}`, later)
      yield* db.flush("memtable")
      const gate = yield* process.faults.hold({ operation: "getRange" })
      const many = yield* Effect.forkChild(db.getMany(["k1", "k50", "k99"]), { startImmediately: true })
      yield* gate.reached()
      for (let i = 0; i < 100; i++) yield* db.put(`k${i}`, "new", later)
      yield* db.flush("memtable")
      yield* gate.open
      const values = yield* Fiber.join(many)
      for (const value of values) assert.match(TestDb.textOption(value) ?? "", /^old/)
    })
  )
})

describe("a batch", () => {
  it.effect("has one sequence number and one WAL object, however large", () =>
    Effect.gen(function* () {
      const { bucket, db } = yield* opened({ walMaxBytes: 1000, l0SstSizeBytes: 1000, walFlush: "manual" })
      yield* db.put("before", "1", later)
      const entries = Array.from({ length: 50 }, (_, i): readonly [string, string] => [`k${i}`, "v".repeat(100)])
      yield* db.write(WriteBatch.fromEntries(entries), later)
      yield* db.put("after", "1", later)
      yield* db.flush("wal")
      const batch = TestDb.paths(bucket, "db/wal/")
        .slice(1)
        .map((path) => OtherProcess.rows(bucket, path).filter(({ sequence }) => sequence === 2).length)
      assert.deepStrictEqual(
        batch.filter((rows) => rows > 0),
        [50]
      )
    })
  )

  it.effect("is seen whole or not at all, by uncommitted scans and after a crash", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const process = yield* TestDb.process(bucket)
      const scope = yield* TestDb.manualScope
      const db = yield* process.open().pipe(Effect.provideService(Scope.Scope, scope.scope))
      const batch = (n: number) => WriteBatch.fromEntries(["a", "b", "c"].map((key) => [key, `${n}`] as const))
      for (let n = 1; n <= 5; n++) {
        yield* db.write(batch(n), later)
        const values = yield* db.getMany(["a", "b", "c"], { readLevel: "uncommitted" })
        assert.deepStrictEqual(values.map(TestDb.textOption), [`${n}`, `${n}`, `${n}`])
        if (n === 3) yield* TestClock.adjust("100 millis")
      }
      yield* TestDb.crash(process)
      const again = yield* (yield* TestDb.process(bucket)).open()
      assert.deepStrictEqual(yield* TestDb.lines(again, KeyRange.all), ["a=3", "b=3", "c=3"])
    })
  )

  it.effect("that is empty does nothing, and waits for nothing", () =>
    Effect.gen(function* () {
      const { db } = yield* opened({ walFlush: "manual" })
      yield* db.put("a", "1", later)
      yield* db.write(WriteBatch.empty)
      assert.strictEqual((yield* db.status).visibleSequence, 1)
    })
  )
})

describe("the time of a row's creation", () => {
  it.effect("is that of the clock, and never goes back when the clock does, also over a reopening", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const times: Array<number> = []
      const rowsOf = (id: number) =>
        OtherProcess.rows(bucket, OtherProcess.paths.wals.path(id)).map(({ createTime }) => createTime)
      yield* Effect.gen(function* () {
        const db = yield* (yield* TestDb.process(bucket)).open({ walFlush: "manual" })
        for (const now of [1000, 5000, 2000, 6000]) {
          yield* TestClock.setTime(now)
          yield* db.put("k", "v", later)
        }
        yield* db.flush("wal")
        times.push(...rowsOf(2))
      }).pipe(Effect.scoped)
      assert.deepStrictEqual(times, [1000, 5000, 5000, 6000])
      yield* TestClock.setTime(0)
      const again = yield* (yield* TestDb.process(bucket)).open({ walFlush: "manual" })
      yield* again.put("k", "v", later)
      yield* again.flush("memtable")
      assert.deepStrictEqual(rowsOf(4), [6000])
      assert.strictEqual((yield* OtherProcess.manifest(bucket)).lastL0ClockTick, 6000)
      yield* TestDb.awaitWithTime(again.close)
      const third = yield* (yield* TestDb.process(bucket)).open({ walFlush: "manual" })
      yield* third.put("k", "v", later)
      yield* third.flush("wal")
      assert.deepStrictEqual(rowsOf(6), [6000], "the manifest remembers it, where no WAL does")
    })
  )
})
