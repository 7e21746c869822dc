/** Jobs that are carried out elsewhere: how they fail, and what is then. `CompactionCrashes.test.ts` has the rest. */
import * as BlockCache from "@effect-slatedb/core/BlockCache"
import * as CompactionPolicy from "@effect-slatedb/core/CompactionPolicy"
import * as Compactor from "@effect-slatedb/core/Compactor"
import * as DbError from "@effect-slatedb/core/DbError"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as MergeOperator from "@effect-slatedb/core/MergeOperator"
import { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Compactors from "../../support/Compactors.ts"
import * as OtherProcess from "../../support/OtherProcess.ts"
import * as TestDb from "../../support/TestDb.ts"

/** A database with three tables in level 0, its contents, and compactors with an executor. */
const world = Effect.gen(function* () {
  const bucket = TestDb.bucket()
  const db = yield* (yield* TestDb.process(bucket)).open({ compactorEnabled: false })
  yield* Compactors.fill(db, { from: 0, to: 3, keys: 80 })
  const contents = yield* TestDb.lines(db, KeyRange.all)
  const store = MemoryObjectStore.fromState(bucket)
  const compactor = (executor: Compactor.Executor) =>
    Compactor.make({ path: "db", settings: { compactorPollInterval: "1 second" } }).pipe(
      Effect.provideService(ObjectStore, store),
      Effect.provideService(CompactionPolicy.CompactionPolicy, CompactionPolicy.full),
      Effect.provideService(Compactor.Executor, executor)
    )
  const isCompacted = Effect.gen(function* () {
    assert.lengthOf((yield* OtherProcess.manifest(bucket)).runs, 1)
    assert.deepStrictEqual(yield* TestDb.lines(db, KeyRange.all), contents)
    assert.deepStrictEqual(yield* Compactors.faults(bucket), [])
  })
  return { bucket, compactor, isCompacted, execute: Compactors.elsewhere(store) }
})

const unavailable = DbError.fail(new DbError.Unavailable({ operation: "compact", path: "db" }))

describe("what fails for the moment goes on later:", () => {
  it.effect.each([
    ["an executor that is gone at once", () => Stream.fail(unavailable)],
    [
      "one that is gone after some events",
      (job: Stream.Stream<Compactor.Event, DbError.DbError>) =>
        Stream.concat(Stream.take(job, 1), Stream.fail(unavailable))
    ],
    ["one that says nothing", () => Stream.empty],
    [
      "one that ends before it is done",
      (job: Stream.Stream<Compactor.Event, DbError.DbError>) => Stream.filter(job, ({ _tag }) => _tag !== "Done")
    ]
  ] as const)("%s", ([, spoilt]) =>
    Effect.gen(function* () {
      const { bucket, compactor, execute, isCompacted } = yield* world
      let tries = 0
      const { status, untilIdle } = yield* compactor((job) => (tries++ === 0 ? spoilt(execute(job)) : execute(job)))
      const first = yield* Effect.flip(TestDb.awaitWithTime(untilIdle))
      assert.strictEqual(first.reason._tag, "Unavailable")
      assert.lengthOf(Compactors.active(bucket), 1)
      assert.strictEqual((yield* status).failed, 0)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(tries, 2)
      const { completed, warnings } = yield* status
      assert.deepStrictEqual([completed, warnings], [1, []])
      yield* isCompacted
    })
  )
})

it.effect("what fails for good is the job's end, with its reason", () =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    const store = MemoryObjectStore.fromState(bucket)
    const db = yield* (yield* TestDb.process(bucket)).open({ compactorEnabled: false })
    for (const table of [1, 2, 3]) {
      yield* db.merge("k", `${table}`, { awaitDurable: false })
      yield* TestDb.awaitWithTime(db.flush("memtable"))
    }
    const refuses: MergeOperator.Merge = () => {
      throw new Error("no")
    }
    const { status, untilIdle } = yield* Compactor.make({ path: "db" }).pipe(
      Effect.provideService(ObjectStore, store),
      Effect.provideService(CompactionPolicy.CompactionPolicy, CompactionPolicy.full),
      Effect.provideService(Compactor.Executor, (job) =>
        Stream.provideService(Compactors.elsewhere(store)(job), MergeOperator.MergeOperator, refuses)
      )
    )
    const error = yield* Effect.flip(TestDb.awaitWithTime(untilIdle))
    assert.include(error.message, "invalid merge operator: it threw")
    assert.isAtLeast((yield* status).failed, 1)
  }).pipe(Effect.provideService(MergeOperator.MergeOperator, MergeOperator.append))
)

it.effect("progress is told", () =>
  Effect.gen(function* () {
    const { compactor, execute, isCompacted } = yield* world
    const told: Array<number> = []
    const compactors: Array<Compactor.Compactor["Service"]> = []
    const look = Effect.suspend(() => compactors[0]?.status ?? Effect.die("no compactor yet"))
    const made = yield* compactor((job) =>
      Stream.tap(Stream.concat(Stream.make({ _tag: "Merged", bytes: 77 } as const), execute(job)), () =>
        Effect.map(look, ({ running }) => told.push(...running.map(({ mergedBytes }) => mergedBytes)))
      )
    )
    compactors.push(made)
    yield* TestDb.awaitWithTime(made.untilIdle)
    assert.include(told, 77)
    yield* isCompacted
  })
)

describe("in the process that has the database, an output", () => {
  /** Compacts a database elsewhere, and says what a lookup and a walk over all keys ask the store for after that. */
  const requestsAfter = Effect.fnUntraced(function* (isRead: boolean) {
    const bucket = TestDb.bucket()
    const { faults, open } = yield* TestDb.process(bucket)
    const cache = BlockCache.makeMemory({ blockBytesMax: 2 ** 20, metaBytesMax: 2 ** 20 })
    const db = yield* open({ compactorPollInterval: "1 second", blockSizeBytes: 1024, minFilterKeys: 1 }).pipe(
      Effect.provideService(BlockCache.BlockCache, cache),
      Effect.provideService(CompactionPolicy.CompactionPolicy, CompactionPolicy.sizeTiered({ minSources: 3 })),
      Effect.provideService(Compactor.Executor, Compactors.elsewhere(MemoryObjectStore.fromState(bucket)))
    )
    const get = (n: number) => db.getOption(`k${1000 + n}`)
    const all = Effect.forEach(
      Array.from({ length: 1000 }, (_, n) => n),
      get,
      { discard: true }
    )
    for (let table = 0; table < 3; table++) {
      for (let n = 0; n < 1000; n++) yield* db.put(`k${1000 + n}`, "v".repeat(100), { awaitDurable: false })
      yield* TestDb.awaitWithTime(db.flush("memtable"))
      if (isRead) yield* all
    }
    yield* TestClock.adjust("10 seconds")
    assert.strictEqual((yield* db.status).sortedRuns, 1)
    assert.strictEqual((yield* db.status).l0Tables, 0)
    yield* faults.reset
    const counts: Array<number> = []
    for (const reads of [get(3), all]) {
      yield* reads
      counts.push((yield* faults.requests({ operation: "getRange" })).length)
    }
    return counts
  })

  it.effect("is in the cache, if its inputs were read", () =>
    Effect.gen(function* () {
      const [first = 0, walk = 0] = yield* requestsAfter(true)
      assert.deepStrictEqual([first, walk], [0, 0])
    })
  )

  it.effect("has index and filter there in any case", () =>
    Effect.gen(function* () {
      const [first = 0, walk = 0] = yield* requestsAfter(false)
      assert.strictEqual(first, 1)
      assert.isAbove(walk, 50)
    })
  )
})

it("failures keep their reason on the way, but not its cause", () => {
  const json = Schema.fromJsonString(Schema.toCodecJson(Compactor.Failure))
  const reasons: ReadonlyArray<DbError.Reason> = [
    new DbError.Unavailable({ operation: "get", path: "p", cause: new Error("why") }),
    new DbError.Closed({ kind: "fenced", detail: "d" }),
    new DbError.Invalid({ field: "f", detail: "d" }),
    new DbError.Unsupported({ what: "w", detail: "d" }),
    new DbError.Corrupt({ object: "o", offset: 7, expected: "e", found: "f" })
  ]
  for (const reason of reasons) {
    const arrived = Schema.decodeSync(json)(Schema.encodeSync(json)(DbError.fail(reason)))
    assert.isTrue(DbError.isDbError(arrived))
    assert.strictEqual(arrived.message, reason.message)
    assert.deepStrictEqual([arrived.reason._tag, arrived.isRetryable], [reason._tag, reason.isRetryable])
    assert.isUndefined(arrived.reason.cause)
  }
})
