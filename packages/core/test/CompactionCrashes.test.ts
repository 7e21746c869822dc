/**
 * A compactor that dies: at every store request of a whole compaction, before the
 * store has seen it and after. Whoever comes next, alone or with a database of its
 * own, finishes what was begun: the contents are what they were, the registers agree
 * with them, and nothing is compacted twice.
 */
import * as CompactionPolicy from "@effect-slatedb/core/CompactionPolicy"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import type * as Settings from "@effect-slatedb/core/Settings"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as Fault from "@effect-slatedb/testkit/Fault"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import type { Manifest } from "../src/internal/model/Manifest.ts"
import * as Compactors from "./support/Compactors.ts"
import * as OtherProcess from "./support/OtherProcess.ts"
import * as TestDb from "./support/TestDb.ts"

const settings: Settings.Input = {
  compactorPollInterval: "1 second",
  manifestPollInterval: "1 second",
  maxSstSizeBytes: 1500,
  blockSizeBytes: 1024,
  minFilterKeys: 0
}

type Bucket = MemoryObjectStore.State

/** A bucket that a test may do with what it likes. */
const copyOf = Effect.fnUntraced(function* (bucket: Bucket) {
  const copy = TestDb.bucket()
  const store = MemoryObjectStore.fromState(copy)
  for (const [path, { bytes }] of bucket.objects) yield* store.put(path, bytes)
  return copy
})

/** A database with three tables in level 0 above a run, which is the result of an earlier compaction. */
const prepared = Effect.gen(function* () {
  const bucket = TestDb.bucket()
  const db = yield* (yield* TestDb.process(bucket)).open({ ...settings, compactorEnabled: false })
  yield* Compactors.fill(db, { from: 0, to: 2, keys: 80 })
  yield* Effect.scoped(
    Effect.flatMap((yield* Compactors.process(bucket)).make(settings), ({ untilIdle }) =>
      TestDb.awaitWithTime(untilIdle)
    )
  )
  yield* Compactors.fill(db, { from: 2, to: 5, keys: 80 })
  const contents = yield* TestDb.lines(db, KeyRange.all)
  yield* TestDb.awaitWithTime(db.close)
  return { bucket, contents }
}).pipe(Effect.scoped)

type Next = "alone" | "with a database"

/** Until there is nothing to do. */
const compactAll = Effect.fnUntraced(function* (bucket: Bucket, next: Next) {
  if (next === "alone") {
    const compactor = yield* (yield* Compactors.process(bucket)).make(settings, CompactionPolicy.full)
    return yield* TestDb.awaitWithTime(compactor.untilIdle)
  }
  const db = yield* (yield* TestDb.process(bucket))
    .open(settings)
    .pipe(Effect.provideService(CompactionPolicy.CompactionPolicy, CompactionPolicy.full))
  yield* TestClock.adjust("5 seconds")
  assert.deepStrictEqual((yield* db.status).warnings, [])
}, Effect.scoped)

const tableIds = ({ runs }: Manifest) => runs.flatMap(({ tables }) => tables.map(({ id }) => id))

/** Everything that must be true when all is compacted. */
const check = Effect.fnUntraced(function* (bucket: Bucket, contents: ReadonlyArray<string>) {
  const manifest = yield* OtherProcess.manifest(bucket)
  assert.lengthOf(manifest.l0, 0)
  assert.lengthOf(manifest.runs, 1)
  const reader = yield* (yield* TestDb.process(bucket)).reader()
  assert.deepStrictEqual(yield* TestDb.lines(reader, KeyRange.all), contents)
  assert.deepStrictEqual(yield* Compactors.faults(bucket), [])
  assert.deepStrictEqual(Compactors.active(bucket), [], "no job is left")
  const versions = yield* OtherProcess.history(bucket)
  const changes = versions.filter(
    (version, i) => i > 0 && tableIds(version).join() !== tableIds(versions[i - 1] as Manifest).join()
  )
  assert.lengthOf(changes, 2, "the compaction before, and this one")
  assert.lengthOf(manifest.checkpoints, 2)
  for (const { manifestId } of manifest.checkpoints) {
    const pinned = yield* OtherProcess.version(bucket, manifestId)
    assert.isAbove(pinned.l0.length, 0, "a checkpoint pins a manifest that names the inputs")
  }
})

/** What a compactor asked the store for, when it was let alone. */
const requestsOf = Effect.fnUntraced(function* (bucket: Bucket, where: Compactors.Where) {
  const { faults, make } = yield* Compactors.process(bucket, where)
  const compactor = yield* make(settings, CompactionPolicy.full)
  yield* TestDb.awaitWithTime(compactor.untilIdle)
  return yield* faults.requests()
}, Effect.scoped)

const places: ReadonlyArray<Compactors.Where> = ["here", "elsewhere"]

describe.each(places)("a compactor that dies at any request, and whose jobs are carried out %s", (where) => {
  it.effect.each([
    ["before", "alone"],
    ["after", "alone"],
    ["before", "with a database"],
    ["after", "with a database"]
  ] as const)("%s the store has carried it out; the next one is %s", ([at, next]) =>
    Effect.gen(function* () {
      const { bucket, contents } = yield* prepared
      const whole = yield* requestsOf(yield* copyOf(bucket), where)
      const outputs = whole.filter(({ operation, path }) => operation === "putIfAbsent" && path.includes("compacted/"))
      assert.isAtLeast(outputs.length, 3, "the compaction has several outputs")
      for (let n = 0; n < whole.length; n++) {
        const mine = yield* copyOf(bucket)
        const { faults, make } = yield* Compactors.process(mine, where)
        yield* faults.hold({ skip: n, at })
        const scope = yield* Scope.make()
        const dying = make(settings, CompactionPolicy.full).pipe(
          Effect.flatMap((compactor) => compactor.untilIdle),
          Effect.provideService(Scope.Scope, scope)
        )
        const fiber = yield* Effect.forkChild(dying, { startImmediately: true })
        yield* TestClock.adjust("3 seconds")
        assert.isUndefined(fiber.pollUnsafe(), `request ${n} is not answered`)
        yield* Scope.close(scope, Exit.void)
        fiber.interruptUnsafe()
        yield* compactAll(mine, next)
        yield* check(mine, contents)
      }
    })
  )

  it.effect("goes on behind the last output in the file, and stores the others only once", () =>
    Effect.gen(function* () {
      const { bucket, contents } = yield* prepared
      const isOutput = { operation: "putIfAbsent", path: "compacted/" } as const
      const { faults, make } = yield* Compactors.process(bucket, where)
      const third = yield* faults.hold({ ...isOutput, skip: 2 })
      yield* Effect.scoped(
        Effect.gen(function* () {
          const compactor = yield* make(settings, CompactionPolicy.full)
          yield* Effect.forkChild(compactor.untilIdle)
          yield* third.reached()
        })
      )
      const [left] = Compactors.active(bucket)
      assert.strictEqual(left?.status, "running")
      assert.lengthOf(left?.outputs ?? [], 2)
      yield* faults.clear
      yield* faults.reset
      // The clock of the next one is behind that of the one before.
      yield* TestClock.setTime(0)
      const compactor = yield* make(settings, CompactionPolicy.full)
      yield* TestDb.awaitWithTime(compactor.untilIdle)
      const stored = yield* faults.requests(isOutput)
      const { runs } = yield* OtherProcess.manifest(bucket)
      const [first, second, ...rest] = runs[0]?.tables.map(({ id }) => id) ?? []
      assert.deepStrictEqual(
        [first, second],
        left?.outputs.map(({ id }) => id)
      )
      assert.deepStrictEqual(
        rest.map((id) => OtherProcess.paths.table(id)),
        stored.map(({ path }) => path)
      )
      assert.isTrue(
        rest.every((id) => id > (left?.id ?? "")),
        "outputs are younger than their job"
      )
      yield* check(bucket, contents)
    }).pipe(Effect.scoped)
  )
})

describe.each(places)("a compactor whose answers are lost, and whose jobs are carried out %s", (where) => {
  it.effect.each([
    ["every create", { operation: "putIfAbsent" }],
    ["everything", {}]
  ] as const)("once for %s: it goes on, and compacts once", ([, match]) =>
    Effect.gen(function* () {
      const { bucket, contents } = yield* prepared
      const whole = yield* requestsOf(yield* copyOf(bucket), where)
      for (let n = 0; n < whole.length; n++) {
        const mine = yield* copyOf(bucket)
        const { faults, make } = yield* Compactors.process(mine, where)
        const { strikes } = yield* faults.add({ ...match, skip: n, times: 1, fault: Fault.failAfter() })
        // What it reads first is not tried again: nothing has begun then.
        const compacted = Effect.flatMap(make(settings, CompactionPolicy.full), ({ untilIdle }) => untilIdle)
        const made = yield* TestDb.exitWithTime(Effect.scoped(compacted))
        if (Exit.isFailure(made)) assert.isBelow(n, 2)
        else yield* check(mine, contents)
        if ((yield* strikes) === 0) break
      }
    })
  )
})
