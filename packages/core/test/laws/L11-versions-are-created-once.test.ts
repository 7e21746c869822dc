/**
 * L11: manifest versions are created, never overwritten; an edit is a pure function re-applied
 * after a conflict.
 */
import * as DbError from "@effect-slatedb/core/DbError"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as Fault from "@effect-slatedb/testkit/Fault"
import * as FaultyObjectStore from "@effect-slatedb/testkit/FaultyObjectStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import * as ObjectPaths from "../../src/internal/store/ObjectPaths.ts"
import * as SequencedObject from "../../src/internal/store/SequencedObject.ts"
import * as UlidSource from "../../src/internal/store/UlidSource.ts"
import * as OtherProcess from "../support/OtherProcess.ts"
import * as TestDb from "../support/TestDb.ts"

const paths = ObjectPaths.make("db")

/** A register of words, as a manifest is one of tables. */
const register = (store: FaultyObjectStore.Faults["Service"]["store"]) =>
  Effect.map(UlidSource.make, (ulids) =>
    SequencedObject.make<ReadonlyArray<string>>({
      store,
      folder: paths.manifests,
      boundaryPath: paths.boundary("manifest"),
      ulids,
      decode: (bytes) =>
        Result.succeed(
          TestDb.text(bytes)
            .split(" ")
            .filter((word) => word !== "")
        ),
      encode: (words) => new TextEncoder().encode(words.join(" "))
    })
  )

/** An idempotent edit, which says how often it was made. */
const adding =
  (word: string, made: { times: number } = { times: 0 }) =>
  (words: ReadonlyArray<string>) => {
    made.times++
    return Result.succeed<ReadonlyArray<string>>(words.includes(word) ? words : [...words, word])
  }

describe("a register", () => {
  it.effect.each([1, 2, 3, 4, 5])("keeps the edits of all who race, each once, in weather: seed %i", (seed) =>
    Effect.gen(function* () {
      const bucket = MemoryObjectStore.makeState()
      const words = Array.from({ length: 30 }, (_, i) => `w${i}`)
      const seen = new Map<string, Uint8Array>()
      yield* (yield* register(MemoryObjectStore.fromState(bucket))).createFirst([])
      const edit = (word: string) =>
        Effect.gen(function* () {
          const faults = yield* FaultyObjectStore.make(MemoryObjectStore.fromState(bucket), {
            rules: [
              { fault: Fault.delayBetween("1 millis", "30 millis") },
              { fault: Fault.failBefore(), probability: 0.1 },
              { fault: Fault.failAfter(), probability: 0.2 }
            ]
          })
          const own = yield* register(faults.store)
          const attempt = Effect.flatMap(own.latest, (known) => own.update(known ?? { id: 0, value: [] }, adding(word)))
          yield* Effect.retry(attempt, { while: (error) => error.isRetryable })
        })
      const editing = yield* Effect.forkChild(Effect.forEach(words, edit, { concurrency: "unbounded", discard: true }))
      for (let i = 0; i < 5000 && editing.pollUnsafe() === undefined; i++) {
        yield* TestClock.adjust("10 millis")
        for (const [path, { bytes }] of bucket.objects) {
          assert.deepStrictEqual(bytes, seen.get(path) ?? bytes, `${path} was overwritten`)
          seen.set(path, bytes)
        }
      }
      yield* Fiber.join(editing)
      const last = yield* (yield* register(MemoryObjectStore.fromState(bucket))).latest
      assert.deepStrictEqual(last?.value.toSorted(), words.toSorted())
      assert.strictEqual(last?.id, 31, "one version for each edit: none landed twice")
    }).pipe(Random.withSeed(seed))
  )

  it.effect("makes an edit again for each version that came first, and only then", () =>
    Effect.gen(function* () {
      const bucket = MemoryObjectStore.makeState()
      const faults = yield* FaultyObjectStore.make(MemoryObjectStore.fromState(bucket))
      const ours = yield* register(faults.store)
      const theirs = yield* register(MemoryObjectStore.fromState(bucket))
      yield* ours.createFirst([])
      const made = { times: 0 }
      const first = { id: 1, value: [] }
      const gate = yield* faults.hold({ operation: "putIfAbsent", times: 1 })
      const update = yield* Effect.forkChild(ours.update(first, adding("ours", made)), { startImmediately: true })
      yield* gate.reached()
      for (const word of ["one", "two"]) {
        yield* theirs.update((yield* theirs.latest) ?? first, adding(word))
      }
      yield* gate.open
      assert.deepStrictEqual(yield* Fiber.join(update), { id: 4, value: ["one", "two", "ours"] })
      assert.strictEqual(made.times, 2)
    })
  )

  it.effect("stores nothing for an edit that changes nothing, and gives up when the edit does", () =>
    Effect.gen(function* () {
      const bucket = MemoryObjectStore.makeState()
      const own = yield* register(MemoryObjectStore.fromState(bucket))
      yield* own.createFirst(["w"])
      const first = { id: 1, value: ["w"] }
      assert.strictEqual(yield* own.update(first, adding("w")), first)
      const fenced = DbError.fail(new DbError.Closed({ kind: "fenced", detail: "by another" }))
      assert.strictEqual(yield* Effect.flip(own.update(first, () => Result.fail(fenced))), fenced)
      assert.strictEqual(bucket.objects.size, 1)
    })
  )
})

describe("a database", () => {
  it.effect("never puts, replaces or deletes a manifest, and loses no edit of another process", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const process = yield* TestDb.process(bucket)
      const db = yield* process.open({ l0MaxSsts: 1000 })
      yield* process.faults.add({ operation: "putIfAbsent", fault: Fault.delay("7 millis") })
      yield* process.faults.add({
        operation: "putIfAbsent",
        path: "manifest/",
        probability: 0.3,
        fault: Fault.failAfter()
      })
      for (let i = 0; i < 25; i++) {
        const flush = yield* Effect.forkChild(
          Effect.andThen(db.put(`k${i}`, `${i}`, { awaitDurable: false }), db.flush("memtable")),
          { startImmediately: true }
        )
        yield* TestClock.adjust(`${i % 9} millis`)
        if (i % 3 === 0) yield* OtherProcess.compact(bucket)
        yield* TestDb.awaitWithTime(Fiber.join(flush))
      }
      const { counts } = { counts: yield* process.faults.counts }
      assert.deepStrictEqual([counts.put.count, counts.delete.count], [0, 1], "but for the probe's own object")
      const versions = yield* OtherProcess.history(bucket)
      const compactions = versions.map(({ compactorEpoch }) => compactorEpoch)
      assert.deepStrictEqual(
        compactions,
        compactions.toSorted((a, b) => a - b)
      )
      assert.isAbove(compactions.at(-1) ?? 0, 3)
      assert.lengthOf(yield* TestDb.awaitWithTime(TestDb.lines(db, KeyRange.all)), 25)
      assert.strictEqual(versions.at(-1)?.lastL0Sequence, 25)
    }).pipe(Random.withSeed(3))
  )
})
