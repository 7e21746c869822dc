import * as Checkpoint from "@effect-slatedb/core/Checkpoint"
import type * as DbError from "@effect-slatedb/core/DbError"
import { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as Fault from "@effect-slatedb/testkit/Fault"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as OtherProcess from "./support/OtherProcess.ts"
import * as TestDb from "./support/TestDb.ts"

/** A closed database with one table, and a process of its own that keeps checkpoints of it. */
const setUp = Effect.gen(function* () {
  yield* TestClock.adjust("1000 seconds")
  const bucket = TestDb.bucket()
  yield* Effect.scoped(
    Effect.gen(function* () {
      const db = yield* (yield* TestDb.process(bucket)).open()
      yield* db.put("a", "1", { awaitDurable: false })
      yield* TestDb.awaitWithTime(db.flush("memtable"))
      yield* TestDb.awaitWithTime(db.close)
    })
  )
  const { faults } = yield* TestDb.process(bucket)
  const checkpoints = yield* Effect.provideService(Checkpoint.make({ path: "db" }), ObjectStore, faults.store)
  return { bucket, faults, checkpoints }
})

const refusal = <A>(effect: Effect.Effect<A, DbError.DbError>): Effect.Effect<object, A> =>
  Effect.map(Effect.flip(effect), ({ reason }) => reason)

describe("a checkpoint", () => {
  it.effect("pins the version of the manifest that it writes, for its lifetime", () =>
    Effect.gen(function* () {
      const { bucket, checkpoints } = yield* setUp
      const before = yield* OtherProcess.latest(bucket)
      const seconds = Math.floor((yield* Clock.currentTimeMillis) / 1000)
      const made = yield* checkpoints.create({ name: "today", lifetime: "90s" })
      assert.deepStrictEqual(made, {
        id: made.id,
        manifestId: before.id + 1,
        createTimeSeconds: seconds,
        expireTimeSeconds: seconds + 90,
        metadata: undefined,
        name: "today"
      })
      const after = yield* OtherProcess.latest(bucket)
      assert.deepStrictEqual(after, { id: before.id + 1, value: { ...before.value, checkpoints: [made] } })
      assert.deepStrictEqual(yield* checkpoints.list(), [made])
    })
  )

  it.effect("without a lifetime stays for ever; seconds that have begun count whole", () =>
    Effect.gen(function* () {
      const { checkpoints } = yield* setUp
      assert.isUndefined((yield* checkpoints.create()).expireTimeSeconds)
      const { createTimeSeconds, expireTimeSeconds } = yield* checkpoints.create({ lifetime: 1001 })
      assert.strictEqual(expireTimeSeconds, createTimeSeconds + 2)
    })
  )

  it.effect("with a source pins what that one pins, and fails when the source is gone", () =>
    Effect.gen(function* () {
      const { checkpoints } = yield* setUp
      const source = yield* checkpoints.create()
      const copy = yield* checkpoints.create({ source: source.id })
      assert.strictEqual(copy.manifestId, source.manifestId)
      yield* checkpoints.delete(source.id)
      const reason = yield* refusal(checkpoints.create({ source: source.id }))
      assert.deepInclude(reason, {
        _tag: "Invalid",
        field: "source",
        detail: `there is no checkpoint ${source.id} at path=db`
      })
      assert.deepStrictEqual(yield* checkpoints.list(), [copy])
    })
  )

  it.effect("is refreshed, deleted, and listed by name", () =>
    Effect.gen(function* () {
      const { checkpoints } = yield* setUp
      const a = yield* checkpoints.create({ name: "a", lifetime: "1m" })
      const b = yield* checkpoints.create({ name: "b" })
      yield* TestClock.adjust("30 seconds")
      const refreshed = yield* checkpoints.refresh(a.id, { lifetime: "1m" })
      assert.deepStrictEqual(refreshed, { ...a, expireTimeSeconds: (a.expireTimeSeconds ?? 0) + 30 })
      assert.deepStrictEqual(yield* checkpoints.list({ name: "a" }), [refreshed])
      assert.isUndefined((yield* checkpoints.refresh(a.id)).expireTimeSeconds)
      yield* checkpoints.delete(a.id)
      assert.deepStrictEqual(yield* checkpoints.list(), [b])
      for (const gone of [checkpoints.refresh(a.id), checkpoints.delete(a.id), checkpoints.delete("nonsense")]) {
        assert.deepInclude(yield* refusal(gone), { _tag: "Invalid", field: "checkpoint" })
      }
    })
  )

  it.effect("has a lifetime of a second to 2106, and a name of some length", () =>
    Effect.gen(function* () {
      const { bucket, checkpoints } = yield* setUp
      const { id } = yield* checkpoints.create()
      const lifetimes = [0, 999, "0s", Duration.infinity, Duration.days(36_500 * 2), Number.NaN] as const
      for (const lifetime of lifetimes) {
        for (const refused of [checkpoints.create({ lifetime }), checkpoints.refresh(id, { lifetime })]) {
          assert.deepInclude(yield* refusal(refused), { _tag: "Invalid", field: "lifetime" })
        }
      }
      const most = 2 ** 32 - 1 - 1001
      assert.isDefined((yield* checkpoints.create({ lifetime: Duration.seconds(most) })).expireTimeSeconds)
      for (const name of ["", "x".repeat(1025)]) {
        assert.deepInclude(yield* refusal(checkpoints.create({ name })), { _tag: "Invalid", field: "name" })
      }
      assert.lengthOf((yield* OtherProcess.manifest(bucket)).checkpoints, 2)
    })
  )

  it.effect("needs a database", () =>
    Effect.gen(function* () {
      const store = MemoryObjectStore.fromState(TestDb.bucket())
      const checkpoints = yield* Effect.provideService(Checkpoint.make({ path: "db" }), ObjectStore, store)
      for (const refused of [
        checkpoints.create(),
        checkpoints.list(),
        checkpoints.refresh("x"),
        checkpoints.delete("x")
      ]) {
        assert.deepInclude(yield* refusal(refused), { _tag: "Invalid", field: "path" })
      }
    })
  )
})

describe("in races", () => {
  it.effect("each pins the version that it came with", () =>
    Effect.gen(function* () {
      const { bucket, checkpoints } = yield* setUp
      const made = yield* Effect.forEach(Array.from({ length: 12 }), () => checkpoints.create(), {
        concurrency: "unbounded"
      })
      assert.lengthOf(new Set(made.map(({ manifestId }) => manifestId)), 12)
      for (const checkpoint of made) {
        const { checkpoints } = yield* OtherProcess.version(bucket, checkpoint.manifestId)
        assert.deepStrictEqual(checkpoints.at(-1), checkpoint)
      }
    })
  )

  it.effect("pins another version when the one it was to come with was written by somebody else", () =>
    Effect.gen(function* () {
      const { bucket, checkpoints, faults } = yield* setUp
      const gate = yield* faults.hold({ operation: "putIfAbsent", times: 1 })
      const creating = yield* Effect.forkChild(checkpoints.create())
      yield* gate.reached()
      const { id } = yield* OtherProcess.latest(bucket)
      yield* OtherProcess.edit(bucket, (manifest) => ({ ...manifest, compactorEpoch: manifest.compactorEpoch + 1 }))
      yield* gate.open
      const made = yield* Fiber.join(creating)
      assert.strictEqual(made.manifestId, id + 2)
      assert.strictEqual((yield* OtherProcess.latest(bucket)).id, id + 2)
    })
  )

  it.effect("one that was made, but whose answer was lost, is in the list, once", () =>
    Effect.gen(function* () {
      const { checkpoints, faults } = yield* setUp
      yield* faults.add({ operation: "putIfAbsent", fault: Fault.failAfter(), times: 1 })
      assert.deepInclude(yield* refusal(checkpoints.create({ name: "x" })), { _tag: "Unavailable" })
      assert.lengthOf(yield* checkpoints.list({ name: "x" }), 1)
    })
  )
})
