/** L18: a `Uint8Array` given to a caller never changes; inputs are copied before the call returns. */
import type * as Db from "@effect-slatedb/core/Db"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as MergeOperator from "@effect-slatedb/core/MergeOperator"
import * as WriteBatch from "@effect-slatedb/core/WriteBatch"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestDb from "../support/TestDb.ts"

const later = { awaitDurable: false } as const

/** Sizes that are copied in different ways. */
const sizes = [1, 20, 64, 65, 128, 129, 1000, 1024, 1025, 5000]

const bytes = (size: number, fill: number) => new Uint8Array(size).fill(fill)

/** Writes over bytes whose borrowing has ended. */
const scribble = (array: Uint8Array) => array.fill(0xee)

/** Rows of every size: key `size` bytes of 1, value `size` bytes of 2. */
const expectAll = (db: Db.Db["Service"]) =>
  Effect.gen(function* () {
    const entries = yield* Stream.runCollect(db.scan(KeyRange.all, { readLevel: "uncommitted" }))
    assert.deepStrictEqual(
      Array.from(entries, ({ key, value }) => [key, value]),
      sizes.map((size) => [bytes(size, 1), bytes(size, 2)])
    )
    for (const size of sizes) {
      assert.deepStrictEqual(yield* db.get(bytes(size, 1), { readLevel: "uncommitted" }), bytes(size, 2))
    }
  })

describe("inputs", () => {
  it.effect("of put, merge and batches may be written over as soon as the call has returned", () =>
    Effect.gen(function* () {
      const db = yield* (yield* TestDb.alone).open({ walFlush: "manual", blockSizeBytes: 1024 })
      const borrowed: Array<Uint8Array> = []
      const borrow = (size: number, fill: number) => {
        const array = bytes(size, fill)
        borrowed.push(array)
        return array
      }
      const [first, second, ...rest] = sizes
      yield* db.put(borrow(first ?? 0, 1), borrow(first ?? 0, 2), later)
      yield* db.merge(borrow(second ?? 0, 1), borrow(second ?? 0, 2), later)
      const batch = rest.reduce(
        (batch, size) => WriteBatch.put(batch, borrow(size, 1), borrow(size, 2)),
        WriteBatch.empty
      )
      yield* db.write(batch, later)
      borrowed.forEach(scribble)
      yield* expectAll(db)
      yield* db.flush("wal")
      yield* expectAll(db)
      yield* db.flush("memtable")
      yield* expectAll(db)
    }).pipe(Effect.provideService(MergeOperator.MergeOperator, MergeOperator.append))
  )

  it.effect("that are parts of a larger array, or of a Node Buffer, are taken for what they show", () =>
    Effect.gen(function* () {
      const db = yield* (yield* TestDb.alone).open()
      const large = bytes(100, 9)
      large.set([1, 2, 3], 50)
      yield* db.put(large.subarray(50, 52), large.subarray(51, 53), later)
      yield* db.put(Buffer.from("key"), Buffer.from("value"), later)
      large.fill(0)
      assert.deepStrictEqual(yield* db.get(Uint8Array.of(1, 2), { readLevel: "uncommitted" }), Uint8Array.of(2, 3))
      assert.strictEqual(TestDb.text(yield* db.get("key", { readLevel: "uncommitted" })), "value")
    })
  )

  it.effect("of a range are copied when it is made", () =>
    Effect.gen(function* () {
      const db = yield* (yield* TestDb.alone).open({ walFlush: "manual" })
      for (const key of ["a", "b", "c"]) yield* db.put(key, "1", later)
      const [from, to] = [Uint8Array.of(0x61), Uint8Array.of(0x63)]
      const range = KeyRange.make({ from, to })
      scribble(from)
      scribble(to)
      assert.deepStrictEqual(yield* TestDb.lines(db, range, { readLevel: "uncommitted" }), ["a=1", "b=1"])
    })
  )
})

describe("outputs", () => {
  it.effect("may be written over: the database, its caches, and what others were given stay as they were", () =>
    Effect.gen(function* () {
      const db = yield* (yield* TestDb.alone).open({ walFlush: "manual", blockSizeBytes: 1024 })
      for (const size of sizes) yield* db.put(bytes(size, 1), bytes(size, 2), later)
      const level = { readLevel: "uncommitted" } as const
      for (const target of ["buffer", "wal", "memtable"] as const) {
        if (target !== "buffer") yield* db.flush(target)
        const kept: Array<Uint8Array> = []
        for (const size of sizes) {
          const key = bytes(size, 1)
          kept.push(yield* db.get(key, level))
          scribble(yield* db.get(key, level))
          for (const option of yield* db.getMany([key, key], level)) if (option._tag === "Some") scribble(option.value)
        }
        for (const order of ["ascending", "descending"] as const) {
          const entries = yield* Stream.runCollect(db.scan(KeyRange.all, { ...level, order, cacheBlocks: true }))
          for (const { key, value } of entries) {
            scribble(key)
            scribble(value)
          }
        }
        yield* expectAll(db)
        assert.deepStrictEqual(
          kept,
          sizes.map((size) => bytes(size, 2)),
          target
        )
      }
    })
  )

  it.effect("stay as they are while the database writes, flushes and closes", () =>
    Effect.gen(function* () {
      const db = yield* (yield* TestDb.alone).open({ walFlush: "manual", blockSizeBytes: 1024 })
      for (const size of sizes) yield* db.put(bytes(size, 1), bytes(size, 2), later)
      const entries = yield* Stream.runCollect(db.scan(KeyRange.all, { readLevel: "uncommitted" }))
      const values = yield* Effect.forEach(sizes, (size) => db.get(bytes(size, 1), { readLevel: "uncommitted" }))
      for (let round = 3; round < 10; round++) {
        for (const size of sizes) yield* db.put(bytes(size, 1), bytes(size, round), later)
        yield* db.flush("memtable")
      }
      yield* db.close
      assert.deepStrictEqual(
        Array.from(entries, ({ key, value }) => [key, value]),
        sizes.map((size) => [bytes(size, 1), bytes(size, 2)])
      )
      assert.deepStrictEqual(
        values,
        sizes.map((size) => bytes(size, 2))
      )
    })
  )
})
