/**
 * The compactor of an open database: when it does something at all, in what order it
 * does it, and what it does when a job fails or somebody else takes over.
 */
import * as BlockCache from "@effect-slatedb/core/BlockCache"
import * as CompactionPolicy from "@effect-slatedb/core/CompactionPolicy"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import type * as Settings from "@effect-slatedb/core/Settings"
import * as Fault from "@effect-slatedb/testkit/Fault"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as CompactionsCodec from "../../../src/internal/format/CompactionsCodec.ts"
import * as Compactions from "../../../src/internal/model/Compactions.ts"
import * as Compactors from "../../support/Compactors.ts"
import * as OtherProcess from "../../support/OtherProcess.ts"
import * as TestDb from "../../support/TestDb.ts"

const settings: Settings.Input = { compactorPollInterval: "1 second", blockSizeBytes: 1024, minFilterKeys: 0 }

/** A database with a policy of a test's own. */
const openWith = Effect.fnUntraced(function* (
  bucket: ReturnType<typeof TestDb.bucket>,
  policy: CompactionPolicy.CompactionPolicy,
  more: Settings.Input = {}
) {
  const process = yield* TestDb.process(bucket)
  const db = yield* process
    .open({ ...settings, ...more })
    .pipe(Effect.provideService(CompactionPolicy.CompactionPolicy, policy))
  return { ...process, db }
})

const pairs = CompactionPolicy.sizeTiered({ minSources: 2 })

/** Puts a file of version 2 with an active job into the bucket: another engine is at it. */
const leaveNewer = (bucket: ReturnType<typeof TestDb.bucket>) => {
  const bytes = Schema.encodeSync(CompactionsCodec.schema)({
    ...Compactions.empty,
    compactions: [
      {
        id: "01M82VKESZPCQ08QADFXX6RAF6",
        spec: {
          _tag: "Tiered",
          l0ViewIds: ["01M82VKEPNSB1S5X5YT721GC85"],
          runIds: [],
          destination: undefined,
          segment: new Uint8Array(0)
        },
        status: "submitted",
        outputs: []
      }
    ]
  })
  bytes[1] = 2
  return Compactors.write(bucket, bytes)
}

describe("a compactor without work", () => {
  it.effect("asks the store for nothing and writes nothing", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const { db, faults } = yield* openWith(bucket, CompactionPolicy.sizeTiered(), { manifestPollInterval: "1 day" })
      yield* Compactors.fill(db, { from: 0, to: 3, keys: 3 })
      yield* faults.reset
      yield* TestClock.adjust("11 seconds")
      assert.lengthOf(yield* faults.requests(), 0)
      assert.strictEqual((yield* OtherProcess.manifest(bucket)).compactorEpoch, 0)
      assert.deepStrictEqual(Compactors.history(bucket), [])
    })
  )

  it.effect("looks for what others ask for where a compactor was before, and claims nothing", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const { db, faults } = yield* openWith(bucket, CompactionPolicy.none, { manifestPollInterval: "1 day" })
      yield* TestDb.awaitWithTime(db.put("a", "1"))
      yield* Effect.scoped((yield* Compactors.process(bucket)).make(settings))
      yield* TestDb.awaitWithTime(db.close)
      const next = yield* openWith(bucket, CompactionPolicy.sizeTiered(), { manifestPollInterval: "1 day" })
      yield* TestClock.adjust("1 second")
      yield* next.faults.reset
      yield* TestClock.adjust("10 seconds")
      const requests = yield* next.faults.requests()
      assert.deepStrictEqual(
        new Set(requests.map(({ operation, path }) => `${operation} ${path}`)),
        new Set(["list db/compactions/"])
      )
      assert.lengthOf(requests, 10)
      assert.strictEqual((yield* OtherProcess.manifest(bucket)).compactorEpoch, 1)
      assert.lengthOf(yield* faults.requests({ operation: "putIfAbsent", path: "compactions/" }), 0)
    })
  )

  it.effect("is not there when the settings say so", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const { db } = yield* openWith(bucket, pairs, { compactorEnabled: false })
      yield* Compactors.fill(db, { from: 0, to: 4, keys: 3 })
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* db.status).l0Tables, 4)
    })
  )
})

describe("a compactor with work", () => {
  it.effect("claims its role, names the job before its outputs, and the result before its end", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const { db, faults } = yield* openWith(bucket, CompactionPolicy.sizeTiered(), {
        manifestPollInterval: "1 day",
        maxSstSizeBytes: 1500
      })
      yield* Compactors.fill(db, { from: 0, to: 4, keys: 40 })
      const contents = yield* TestDb.lines(db, KeyRange.all)
      yield* faults.reset
      yield* TestClock.adjust("2 seconds")
      const creates = yield* faults.requests({ operation: "putIfAbsent" })
      const kinds = creates.map(({ path }) => path.split("/")[1])
      assert.deepStrictEqual(kinds, [
        "manifest",
        "compactions",
        "compactions",
        "compacted",
        "compactions",
        "compacted",
        "compactions",
        "manifest",
        "compactions"
      ])
      assert.deepStrictEqual(
        Compactors.history(bucket).map(({ compactions, compactorEpoch }) => [
          compactorEpoch,
          ...compactions.map(({ outputs, status }) => `${status} ${outputs.length}`)
        ]),
        [[1], [1, "running 0"], [1, "running 1"], [1, "running 2"], [1, "completed 2"]]
      )
      assert.deepStrictEqual(yield* TestDb.lines(db, KeyRange.all), contents)
      const { bytesCompacted, compactionsCompleted, compactionsRunning, l0Tables, sortedRuns, warnings } =
        yield* db.status
      assert.deepStrictEqual([l0Tables, sortedRuns], [0, 1], "the writer knows it at once")
      assert.deepStrictEqual([compactionsCompleted, compactionsRunning], [1, 0])
      assert.isAbove(bytesCompacted, 1500)
      assert.deepStrictEqual(warnings, [])
      assert.deepStrictEqual(yield* Compactors.faults(bucket), [])
    })
  )

  it.effect("tidies up when level 0 has not grown for twelve polls, once", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const { db, faults } = yield* openWith(bucket, CompactionPolicy.sizeTiered(), { manifestPollInterval: "1 day" })
      yield* Compactors.fill(db, { from: 0, to: 2, keys: 3 })
      yield* TestClock.adjust("11 seconds")
      yield* Compactors.fill(db, { from: 2, to: 3, keys: 3 })
      yield* TestClock.adjust("11 seconds")
      assert.strictEqual((yield* db.status).l0Tables, 3)
      yield* TestClock.adjust("2 seconds")
      const { compactionsCompleted, l0Tables, sortedRuns } = yield* db.status
      assert.deepStrictEqual(
        { compactionsCompleted, l0Tables, sortedRuns },
        { compactionsCompleted: 1, l0Tables: 0, sortedRuns: 1 }
      )
      yield* faults.reset
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(yield* faults.requests({ operation: "putIfAbsent" }), 0)
    })
  )

  it.effect("is asked at once when level 0 is full", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const { db } = yield* openWith(bucket, pairs, { l0MaxSsts: 2, compactorPollInterval: "1 day" })
      yield* Compactors.fill(db, { from: 0, to: 5, keys: 3 })
      assert.isBelow((yield* db.status).l0Tables, 2)
    })
  )

  it.effect("carries out what another process asked for", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const first = yield* openWith(bucket, pairs)
      yield* Compactors.fill(first.db, { from: 0, to: 2, keys: 3 })
      yield* TestClock.adjust("2 seconds")
      yield* TestDb.awaitWithTime(first.db.close)
      const { db } = yield* openWith(bucket, CompactionPolicy.none)
      yield* Compactors.fill(db, { from: 2, to: 4, keys: 3 })
      const { l0, runs } = yield* OtherProcess.manifest(bucket)
      const plan = { l0: l0.map(({ viewId }) => viewId), runs: [], destination: (runs[0]?.id ?? 0) + 1 }
      yield* Compactors.submit(bucket, plan)
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(
        (yield* OtherProcess.manifest(bucket)).runs.map(({ id }) => id),
        [1, 0]
      )
    })
  )

  it.effect("does not do what its policy must not choose, and says so", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const { db } = yield* openWith(bucket, {
        choose: ({ manifest: { l0 } }) =>
          l0.length < 2 ? [] : [{ l0: l0.slice(0, 1).map(({ viewId }) => viewId), runs: [], destination: 0 }]
      })
      yield* Compactors.fill(db, { from: 0, to: 2, keys: 3 })
      yield* TestClock.adjust("3 seconds")
      const { l0Tables, warnings } = yield* db.status
      assert.strictEqual(l0Tables, 2)
      assert.include(
        warnings.join(),
        "the compaction policy chose what must not be: level 0 is consumed from its oldest end"
      )
    })
  )
})

describe("a compactor that is superseded", () => {
  it.effect("before its first job: it never claims, and the database goes on", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const { db } = yield* openWith(bucket, pairs)
      yield* TestDb.awaitWithTime(db.put("a", "1"))
      yield* Effect.scoped((yield* Compactors.process(bucket)).make(settings, CompactionPolicy.none))
      yield* Compactors.fill(db, { from: 0, to: 4, keys: 3 })
      yield* TestClock.adjust("1 minute")
      const { l0Tables, state, warnings } = yield* db.status
      assert.deepStrictEqual([l0Tables, state], [4, "open"])
      assert.include(warnings.join(), "another compactor took over: found at open=0 theirs=1")
      assert.strictEqual((yield* OtherProcess.manifest(bucket)).compactorEpoch, 1)
    })
  )

  it.effect.each(["compacted/", "compactions/", "manifest/"])("while a request to %s is under way", (path) =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const { db, faults } = yield* openWith(bucket, pairs)
      yield* Compactors.fill(db, { from: 0, to: 1, keys: 3 })
      const contents = Effect.flatMap(TestDb.process(bucket), ({ reader }) =>
        Effect.flatMap(reader(), (reader) => TestDb.lines(reader, KeyRange.all))
      )
      yield* Compactors.fill(db, { from: 1, to: 2, keys: 3 })
      const before = yield* contents
      // Of the manifest: not the claim, but the commit.
      const gate = yield* faults.hold({ operation: "putIfAbsent", path, skip: path === "manifest/" ? 1 : 0 })
      yield* TestClock.adjust("2 seconds")
      yield* gate.reached()
      const other = yield* (yield* Compactors.process(bucket)).make(settings, CompactionPolicy.full)
      yield* TestDb.awaitWithTime(other.untilIdle)
      yield* gate.open
      yield* TestClock.adjust("5 seconds")
      const { state, warnings } = yield* db.status
      assert.strictEqual(state, "open")
      assert.include(warnings.join(), "another compactor took over")
      assert.lengthOf((yield* OtherProcess.manifest(bucket)).runs, 1)
      assert.deepStrictEqual(yield* contents, before)
      assert.deepStrictEqual(yield* Compactors.faults(bucket), [])
      yield* TestDb.awaitWithTime(db.put("b", "1"))
    })
  )

  it.effect("as either register says: a successor in the manifest alone keeps it from committing", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const { db, faults } = yield* openWith(bucket, pairs)
      yield* Compactors.fill(db, { from: 0, to: 2, keys: 3 })
      const commit = yield* faults.hold({ operation: "putIfAbsent", path: "manifest/", skip: 1 })
      yield* TestClock.adjust("1 second")
      yield* commit.reached()
      yield* OtherProcess.edit(bucket, (manifest) => ({ ...manifest, compactorEpoch: manifest.compactorEpoch + 1 }))
      yield* commit.open
      yield* TestClock.adjust("5 seconds")
      assert.include((yield* db.status).warnings.join(), "another compactor took over: our epoch=1 theirs=2")
      assert.lengthOf((yield* OtherProcess.manifest(bucket)).l0, 2)
    })
  )

  it.effect("as either register says: a successor in the compactions file alone keeps it from writing that", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const { db, faults } = yield* openWith(bucket, pairs)
      yield* Compactors.fill(db, { from: 0, to: 2, keys: 3 })
      // The first creates the file, the second names the job, the third its output.
      const output = yield* faults.hold({ operation: "putIfAbsent", path: "compactions/", skip: 2 })
      yield* TestClock.adjust("1 second")
      yield* output.reached()
      yield* Compactors.edit(bucket, (compactions) => ({ ...compactions, compactorEpoch: 2 }))
      yield* output.open
      yield* TestClock.adjust("5 seconds")
      assert.include((yield* db.status).warnings.join(), "another compactor took over: our epoch=1 theirs=2")
      assert.lengthOf(Compactors.history(bucket), 3)
      assert.lengthOf((yield* OtherProcess.manifest(bucket)).l0, 2)
    })
  )

  it.effect("a writer that was superseded does not claim behind its successor", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const zombie = yield* openWith(bucket, pairs, { manifestPollInterval: "1 day" })
      yield* Compactors.fill(zombie.db, { from: 0, to: 2, keys: 3 })
      const claim = yield* zombie.faults.hold({ operation: "putIfAbsent", path: "manifest/" })
      yield* TestClock.adjust("1 second")
      yield* claim.reached()
      const { db } = yield* openWith(bucket, CompactionPolicy.none)
      yield* claim.open
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* OtherProcess.manifest(bucket)).compactorEpoch, 0)
      assert.include((yield* zombie.db.status).warnings.join(), "another writer opened this database")
      assert.deepStrictEqual((yield* db.status).warnings, [])
    })
  )

  it.effect("a claim whose answer was lost was its own", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const { db, faults } = yield* openWith(bucket, pairs)
      yield* Compactors.fill(db, { from: 0, to: 2, keys: 3 })
      yield* faults.add({ operation: "putIfAbsent", path: "manifest/", times: 1, fault: Fault.failAfter() })
      yield* TestClock.adjust("5 seconds")
      const { compactionsCompleted, l0Tables } = yield* db.status
      assert.deepStrictEqual([compactionsCompleted, l0Tables], [1, 0])
      assert.strictEqual((yield* OtherProcess.manifest(bucket)).compactorEpoch, 2)
    })
  )
})

describe("a compactor that must not write", () => {
  it.effect("leaves a file of a newer engine alone, fences nobody, says so, and goes on when it may", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      yield* leaveNewer(bucket)
      const { db } = yield* openWith(bucket, pairs)
      yield* Compactors.fill(db, { from: 0, to: 2, keys: 3 })
      yield* TestClock.adjust("1 minute")
      const { state, warnings } = yield* db.status
      assert.strictEqual(state, "open")
      assert.include(warnings.join(), "an active compaction of a newer engine: id=01M82VKESZPCQ08QADFXX6RAF6")
      assert.lengthOf(Compactors.history(bucket), 1)
      assert.strictEqual((yield* OtherProcess.manifest(bucket)).compactorEpoch, 0)
      const refused = yield* (yield* Compactors.process(bucket)).make(settings).pipe(Effect.flip)
      assert.strictEqual(refused.reason._tag, "Unsupported")
      // It has finished.
      yield* Compactors.write(bucket, CompactionsCodec.encode(Compactions.empty))
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual([(yield* db.status).l0Tables, (yield* db.status).warnings], [0, []])
    })
  )
})

describe("a job that fails", () => {
  it.effect("is marked so and tried again with growing pauses; the database goes on", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const { db } = yield* openWith(bucket, pairs, { compactorPollInterval: "100 millis" }).pipe(
        Effect.provideService(BlockCache.BlockCache, BlockCache.makeMemory({ blockBytesMax: 0, metaBytesMax: 0 }))
      )
      yield* Compactors.fill(db, { from: 0, to: 1, keys: 3 })
      const table = TestDb.paths(bucket, "db/compacted/")[0] ?? ""
      const whole = bucket.objects.get(table)?.bytes ?? new Uint8Array(0)
      yield* OtherProcess.damage(bucket, table, (bytes) => bytes.fill(0))
      yield* Compactors.fill(db, { from: 1, to: 2, keys: 3 })
      yield* TestClock.adjust("1 minute")
      const { compactionsFailed, state, warnings } = yield* db.status
      assert.strictEqual(state, "open")
      assert.isAtLeast(compactionsFailed, 4)
      assert.isAtMost(compactionsFailed, 8)
      assert.match(warnings.join(), /a compaction failed: id=\w+ corrupt object/)
      assert.deepStrictEqual(
        Compactors.history(bucket)
          .at(-1)
          ?.compactions.map(({ status }) => status),
        ["failed"]
      )
      yield* OtherProcess.damage(bucket, table, () => whole)
      yield* TestClock.adjust("2 minutes")
      const after = yield* db.status
      assert.deepStrictEqual([after.l0Tables, after.compactionsCompleted, after.warnings], [0, 1, []])
    })
  )

  it.effect("while the store does not answer it waits, and goes on", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const { db, faults } = yield* openWith(bucket, pairs)
      yield* Compactors.fill(db, { from: 0, to: 2, keys: 3 })
      const { remove } = yield* faults.add({ path: "compacted/", fault: Fault.failBefore() })
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(Compactors.active(bucket), 1)
      assert.strictEqual((yield* db.status).compactionsFailed, 0)
      yield* remove
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual([(yield* db.status).l0Tables, (yield* db.status).compactionsCompleted], [0, 1])
    })
  )
})
