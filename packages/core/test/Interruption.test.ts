/**
 * Callers may be interrupted at any moment. Each call is made again and again in
 * worlds that are alike, and interrupted after 0, 1, 2, ... moments, until it ends
 * by itself before. Every request takes a millisecond on its way there and one on
 * its way back, and fibers yield after few steps: a moment is a turn of the
 * scheduler at first, then a millisecond. What is left behind must be a database
 * that goes on, and no fiber.
 */
import * as BlockCache from "@effect-slatedb/core/BlockCache"
import * as Db from "@effect-slatedb/core/Db"
import type * as DbError from "@effect-slatedb/core/DbError"
import * as DbReader from "@effect-slatedb/core/DbReader"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as MergeOperator from "@effect-slatedb/core/MergeOperator"
import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Fibers from "./support/Fibers.ts"
import * as OtherProcess from "./support/OtherProcess.ts"
import * as TestDb from "./support/TestDb.ts"

const turnsMax = 40

/** The store of a bucket that is two milliseconds away. */
const farStore = (bucket: MemoryObjectStore.State): ObjectStore.ObjectStore["Service"] => {
  const store = MemoryObjectStore.fromState(bucket)
  const far = <A, E>(request: Effect.Effect<A, E>) =>
    Effect.sleep("1 millis").pipe(
      Effect.andThen(request),
      Effect.tap(() => Effect.sleep("1 millis"))
    )
  return {
    get: (path) => far(store.get(path)),
    getRange: (path, range) => far(store.getRange(path, range)),
    head: (path) => far(store.head(path)),
    put: (path, body) => far(store.put(path, body)),
    putIfAbsent: (path, body, options) => far(store.putIfAbsent(path, body, options)),
    delete: (path) => far(store.delete(path)),
    list: (options) => Stream.fromIterableEffect(far(Stream.runCollect(store.list(options))))
  }
}

interface World {
  readonly bucket: MemoryObjectStore.State
  readonly scope: Scope.Closeable
  readonly fibers: Fibers.Fibers
  readonly open: Effect.Effect<Db.Db["Service"], DbError.DbError>
}

const makeWorld = (bucket: MemoryObjectStore.State, fibers: Fibers.Fibers) =>
  Effect.map(Scope.make(), (scope): World => {
    const settings = {
      flushInterval: "5 millis",
      maxUnflushedBytes: 200_000,
      l0SstSizeBytes: 50_000,
      blockSizeBytes: 1024
    } as const
    const open = Db.make({ path: "db", settings }).pipe(
      Effect.provideService(ObjectStore.ObjectStore, farStore(bucket)),
      Effect.provideService(Scope.Scope, scope)
    )
    return { bucket, scope, fibers, open }
  })

interface Options<S, A, E> {
  /** Milliseconds that the call takes at least, so that a test cannot come to interrupt nothing. */
  readonly takes: number
  /** What is there before each call. */
  readonly bucket?: MemoryObjectStore.State
  readonly before: (world: World) => Effect.Effect<S, unknown>
  readonly call: (subject: S) => Effect.Effect<A, E>
  /** Looks at what is left. */
  readonly after: (subject: S, exit: Exit.Exit<A, E>, world: World) => Effect.Effect<void, unknown>
}

/** Makes the call once, in a world of its own. Answers whether it ended before it was interrupted. */
const once = Effect.fnUntraced(function* <S, A, E>(
  options: Options<S, A, E>,
  meanwhile: (fiber: Fiber.Fiber<A, E>, fibers: Fibers.Fibers) => Effect.Effect<void>
) {
  // Only what the database starts is watched, not the fibers of this test.
  const fibers = Fibers.make()
  const watched = <A2, E2>(effect: Effect.Effect<A2, E2>) => TestDb.awaitWithTime(fibers.watch(effect), "1 millis")
  const world = yield* makeWorld(MemoryObjectStore.copyState(options.bucket ?? TestDb.bucket()), fibers)
  const subject = yield* watched(options.before(world))
  const fiber = yield* Effect.forkChild(fibers.watch(options.call(subject)))
  yield* meanwhile(fiber, fibers)
  const ended = fiber.pollUnsafe()
  fibers.onStart = () => {}
  const exit = yield* TestDb.awaitWithTime(Effect.andThen(Fiber.interrupt(fiber), Fiber.await(fiber)), "1 millis")
  yield* watched(options.after(subject, exit, world))
  yield* watched(Scope.close(world.scope, Exit.void))
  assert.strictEqual(fibers.live(), 0, "fibers are left")
  return ended !== undefined && Exit.isSuccess(ended)
})

/** Interrupts a call after each of its moments, and at each start of a fiber meanwhile. Answers how many there were. */
const everywhere = <S, A, E>(options: Options<S, A, E>) =>
  Effect.gen(function* () {
    yield* TestClock.adjust(1)
    const moments = yield* firstWhere((n) =>
      once(options, () =>
        Effect.forEach(
          Array.from({ length: n }, (_, i) => i),
          (i) => (i < turnsMax ? Effect.yieldNow : TestClock.adjust("1 millis")),
          { discard: true }
        )
      )
    )
    const starts = yield* firstWhere((n) =>
      once(options, (fiber, fibers) => {
        let started = 0
        fibers.onStart = () => {
          if (started++ === n) fiber.interruptUnsafe()
        }
        return Effect.asVoid(TestDb.awaitWithTime(Fiber.await(fiber), "1 millis"))
      })
    )
    assert.isAtLeast(moments, turnsMax + options.takes)
    return { moments, starts }
  }).pipe(
    Effect.provideService(Scheduler.MaxOpsBeforeYield, 30),
    Effect.provideService(BlockCache.BlockCache, BlockCache.makeMemory({ blockBytesMax: 0, metaBytesMax: 0 }))
  )

/** The first number for which the effect answers `true`. */
const firstWhere = <E>(effect: (n: number) => Effect.Effect<boolean, E>) =>
  Effect.gen(function* () {
    for (let n = 0; n < 1000; n++) if (yield* effect(n)) return n
    return assert.fail("it never ended by itself")
  })

/** 100 KB in level 0, and a row in the WAL. */
const populated = Effect.gen(function* () {
  const bucket = TestDb.bucket()
  const db = yield* (yield* TestDb.process(bucket)).open({ blockSizeBytes: 1024 })
  for (let i = 0; i < 100; i++) yield* db.put(`k${i + 100}`, "v".repeat(1000), { awaitDurable: false })
  yield* TestDb.awaitWithTime(db.flush("memtable"))
  yield* db.put("last", "in the WAL", { awaitDurable: false })
  return bucket
}).pipe(Effect.scoped)

const openDb = (world: World) => world.open

describe("interrupted at any moment,", () => {
  it.effect("open leaves nothing behind, though its scope goes on, and the next one opens", () =>
    Effect.gen(function* () {
      const { starts } = yield* everywhere({
        takes: 15,
        bucket: yield* populated,
        before: (world: World) => Effect.succeed(world),
        call: openDb,
        after: (world, exit) =>
          Effect.gen(function* () {
            if (Exit.isFailure(exit)) assert.strictEqual(world.fibers.live(), 0, "fibers of an interrupted open")
            const db = yield* world.open
            yield* db.put("new", "1")
            assert.lengthOf(yield* TestDb.lines(db, KeyRange.all), 102)
          })
      })
      assert.isAbove(starts, 5)
    })
  )

  it.effect("put was made or was not, and later ones are", () =>
    Effect.gen(function* () {
      const outcomes = new Set<string>()
      yield* everywhere({
        takes: 2,
        before: openDb,
        call: (db) => db.put("a", "1"),
        after: (db, exit, { bucket, scope }) =>
          Effect.gen(function* () {
            const { visibleSequence } = yield* db.status
            yield* db.put("b", "2")
            yield* Scope.close(scope, Exit.void)
            const reader = yield* (yield* TestDb.process(bucket)).reader()
            const lines = yield* TestDb.lines(reader, KeyRange.all)
            assert.deepStrictEqual(lines, visibleSequence === 0 ? ["b=2"] : ["a=1", "b=2"])
            outcomes.add(`${exit._tag} ${visibleSequence}`)
          })
      })
      assert.deepStrictEqual([...outcomes].toSorted(), ["Failure 0", "Failure 1", "Success 1"])
    })
  )

  it.effect("a put that waits for memory does not wait on", () =>
    everywhere({
      takes: 4,
      before: (world) =>
        Effect.gen(function* () {
          const db = yield* world.open
          while ((yield* db.status).unflushedBytes < 200_000) {
            yield* db.put("k", "v".repeat(9000), { awaitDurable: false })
          }
          return db
        }),
      call: (db) => db.put("a", "1"),
      after: (db) =>
        Effect.gen(function* () {
          assert.notInclude((yield* db.status).warnings.join(), "writers wait")
          yield* db.put("b", "2")
          yield* db.flush("memtable")
        })
    })
  )

  it.effect.each(["wal", "memtable"] as const)("flush of the %s leaves no lock", (target) =>
    everywhere({
      takes: 2,
      before: (world) => Effect.tap(world.open, (db) => db.put("a", "1", { awaitDurable: false })),
      call: (db) => db.flush(target),
      after: (db) =>
        Effect.gen(function* () {
          yield* db.put("b", "2", { awaitDurable: false })
          yield* db.flush(target)
          assert.deepStrictEqual(yield* TestDb.lines(db, KeyRange.all), ["a=1", "b=2"])
        })
    })
  )

  const cold = (name: string, call: (db: Db.Db["Service"]) => Effect.Effect<unknown, unknown>) =>
    it.effect(`${name} leaves no block that nobody fetches`, () =>
      Effect.gen(function* () {
        yield* everywhere({
          takes: 4,
          bucket: yield* populated,
          before: openDb,
          call,
          after: (db) => Effect.asVoid(call(db))
        })
      })
    )
  cold("get", (db) => db.get("k150"))
  cold("getMany", (db) => db.getMany(["k110", "k150", "k150", "k190", "none"]))

  it.effect("scan leaves no pin: a flush keeps one version of each key", () =>
    Effect.gen(function* () {
      yield* everywhere({
        takes: 50,
        bucket: yield* populated,
        before: (world) => Effect.tap(world.open, (db) => db.put("last", "1", { awaitDurable: false })),
        call: (db) => Stream.runDrain(db.scan(KeyRange.all, { readLevel: "uncommitted", readAheadBytes: 4096 })),
        after: (db, _exit, { bucket }) =>
          Effect.gen(function* () {
            yield* db.put("last", "2", { awaitDurable: false })
            yield* db.flush("memtable")
            const { l0 } = yield* OtherProcess.manifest(bucket)
            const rows = OtherProcess.rows(bucket, OtherProcess.paths.table(l0[0]?.id ?? ""))
            assert.deepStrictEqual(
              rows.map(({ value }) => TestDb.text(value)),
              ["2"]
            )
          })
      })
    })
  )

  it.effect("close closes all the same", () =>
    everywhere({
      takes: 2,
      before: (world) => Effect.tap(world.open, (db) => db.put("a", "1", { awaitDurable: false })),
      call: (db) => db.close,
      after: (db, _exit, { bucket }) =>
        Effect.gen(function* () {
          yield* db.close
          assert.strictEqual((yield* db.status).closed?.kind, "clean")
          const reader = yield* (yield* TestDb.process(bucket)).reader()
          assert.deepStrictEqual(yield* TestDb.lines(reader, KeyRange.all), ["a=1"])
        })
    })
  )

  it.effect("a reader's refresh leaves no lock, and what it shows is whole", () =>
    Effect.gen(function* () {
      yield* everywhere({
        takes: 4,
        bucket: yield* populated,
        before: ({ bucket }) =>
          Effect.gen(function* () {
            const reader = yield* DbReader.make({ path: "db" }).pipe(
              Effect.provideService(ObjectStore.ObjectStore, farStore(bucket))
            )
            const db = yield* (yield* TestDb.process(bucket)).open()
            for (const value of ["1", "2", "3"]) {
              yield* db.merge("counted", value, { awaitDurable: false })
              yield* db.flush("wal")
            }
            yield* db.close
            return reader
          }).pipe(Effect.scoped),
        call: (reader) => reader.refresh,
        after: (reader, exit) =>
          Effect.gen(function* () {
            const shown = TestDb.textOption(yield* reader.getOption("counted"))
            assert.strictEqual(shown, Exit.isSuccess(exit) ? "123" : undefined)
            yield* reader.refresh
            assert.strictEqual(TestDb.textOption(yield* reader.getOption("counted")), "123")
          })
      })
    }).pipe(Effect.provideService(MergeOperator.MergeOperator, MergeOperator.append))
  )
})
