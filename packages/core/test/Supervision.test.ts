/**
 * What happens when something in a task goes wrong that nobody expected: the
 * database closes with the cause, everybody who waits or comes later is told, and
 * nobody waits for ever. What is only a store in trouble is waited out.
 */
import * as CompactionPolicy from "@effect-slatedb/core/CompactionPolicy"
import * as Db from "@effect-slatedb/core/Db"
import type * as DbError from "@effect-slatedb/core/DbError"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as MergeOperator from "@effect-slatedb/core/MergeOperator"
import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import type * as Settings from "@effect-slatedb/core/Settings"
import * as WriteBatch from "@effect-slatedb/core/WriteBatch"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as Fault from "@effect-slatedb/testkit/Fault"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Fibers from "./support/Fibers.ts"
import * as TestDb from "./support/TestDb.ts"

type Store = ObjectStore.ObjectStore["Service"]

/** A request that goes wrong, once the store is told to: which, and how. */
interface Plant {
  readonly operation: "putIfAbsent" | "list"
  readonly path: string
  readonly act: () => Effect.Effect<never>
}

const planted = (inner: Store, plant: Plant, isRipe: () => boolean): Store => {
  const strikes = (operation: Plant["operation"], path: string) =>
    isRipe() && operation === plant.operation && path.includes(plant.path)
  return {
    ...inner,
    putIfAbsent: (path, body, options) =>
      strikes("putIfAbsent", path) ? plant.act() : inner.putIfAbsent(path, body, options),
    list: (options) => (strikes("list", options.prefix) ? Stream.fromEffect(plant.act()) : inner.list(options))
  }
}

/** Opens a database whose store goes wrong after `ripen`. */
const openPlanted = Effect.fnUntraced(function* (plant: Plant, settings?: Settings.Input) {
  let isRipe = false
  const store = planted(MemoryObjectStore.fromState(TestDb.bucket()), plant, () => isRipe)
  const db = yield* Db.make({ path: "db", settings }).pipe(Effect.provideService(ObjectStore.ObjectStore, store))
  const ripen = () => {
    isRipe = true
  }
  return { db, ripen }
})

/** Every call that a database answers. */
const calls = (db: Db.Db["Service"]): Readonly<Record<string, Effect.Effect<unknown, DbError.DbError>>> => ({
  put: db.put("k", "v"),
  "put without waiting": db.put("k", "v", { awaitDurable: false }),
  delete: db.delete("k"),
  write: db.write(WriteBatch.put(WriteBatch.empty, "k", "v")),
  "write of an empty batch": db.write(WriteBatch.empty),
  get: Effect.catchTag(db.get("k"), "KeyNotFound", () => Effect.succeed("not found")),
  getOption: db.getOption("k"),
  getMany: db.getMany(["k"]),
  scan: Stream.runDrain(db.scan(KeyRange.all)),
  "flush wal": db.flush("wal"),
  "flush memtable": db.flush("memtable")
})

const closedOf = (exit: Exit.Exit<unknown, DbError.DbError> | undefined): DbError.Closed => {
  if (exit === undefined) return assert.fail("it still waits")
  if (Exit.isSuccess(exit)) return assert.fail("it succeeded")
  const { reason } = Cause.squash(exit.cause) as DbError.DbError
  return reason._tag === "Closed" ? reason : assert.fail(`it failed with ${reason._tag}`)
}

const failNow = (): Effect.Effect<never> => {
  throw new Error("planted")
}
const hows: ReadonlyArray<readonly [how: string, act: Plant["act"], says: string]> = [
  ["throws", failNow, "planted"],
  ["dies", () => Effect.die(new Error("planted")), "planted"],
  ["is interrupted from inside", () => Effect.interrupt, ""]
]
const wheres: ReadonlyArray<readonly [task: string, operation: Plant["operation"], path: string]> = [
  ["WalFlushTask", "putIfAbsent", "wal/"],
  ["MemtableFlushTask", "putIfAbsent", "compacted/"],
  ["ManifestKeeper", "putIfAbsent", "manifest/"],
  ["ManifestKeeper", "list", "manifest/"]
]
const plants = wheres.flatMap(([task, operation, path]) =>
  hows.map(([how, act, says]) => ({ name: `${operation} of ${path} ${how}`, task, operation, path, act, says }))
)

describe("a defect in a task closes the database, and everybody is told the cause", () => {
  it.effect.each(plants)("$name", (plant) =>
    Effect.gen(function* () {
      const { db, ripen } = yield* openPlanted(plant)
      ripen()
      const waiting = yield* Effect.forEach([db.put("a", "1"), db.flush("memtable"), db.put("b", "2")], (call) =>
        Effect.forkChild(Effect.exit(call), { startImmediately: true })
      )
      yield* TestClock.adjust("3 seconds")
      const status = yield* db.status
      const { closed } = status
      if (closed === undefined) return assert.fail("it is open")
      assert.strictEqual(status.state, "closed")
      assert.strictEqual(closed.kind, "failed")
      assert.include(closed.detail, `task=${plant.task}`)
      assert.include(closed.detail, plant.says)
      assert.isDefined(closed.cause)
      // What the planted defect left undone waits no longer; what was done before it is answered.
      for (const fiber of waiting) {
        const exit = yield* Fiber.join(fiber)
        if (plant.path === "wal/" || exit._tag === "Failure") assert.strictEqual(closedOf(exit), closed)
      }
      for (const [name, call] of Object.entries(calls(db))) {
        assert.strictEqual(closedOf(yield* Effect.exit(call)), closed, name)
      }
      const closing = yield* TestDb.exitWithTime(db.close)
      if (plant.path === "wal/") assert.strictEqual(closedOf(closing), closed)
      else assert.isTrue(Exit.isSuccess(closing), "nothing that was accepted is lost")
    })
  )

  it.effect("a merge function that throws in a flush", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const process = yield* TestDb.process(bucket)
      const db = yield* process.open()
      yield* TestDb.awaitWithTime(db.merge("a", "1"))
      yield* TestDb.awaitWithTime(db.merge("a", "2"))
      const { closed } = yield* Effect.andThen(TestDb.exitWithTime(db.flush("memtable")), db.status)
      assert.strictEqual(closed?.kind, "failed")
      assert.include(closed?.detail, "task=MemtableFlushTask cause=no such merge")
      assert.strictEqual(closedOf(yield* Effect.exit(db.put("a", "3"))), closed)
    }).pipe(
      Effect.provideService(MergeOperator.MergeOperator, () => {
        throw new Error("no such merge")
      })
    )
  )

  it.effect("a refusal that trying again does not change, as bad credentials", () =>
    Effect.gen(function* () {
      const process = yield* TestDb.alone
      const db = yield* process.open()
      const denied = (details: ObjectStore.ReasonDetails) => new ObjectStore.Denied(details)
      yield* process.faults.add({ operation: "putIfAbsent", path: "wal/", fault: Fault.failBefore(denied) })
      const { detail, kind } = closedOf(yield* TestDb.exitWithTime(db.put("a", "1")))
      assert.strictEqual(kind, "failed")
      assert.include(detail, "task=WalFlushTask cause=invalid object store: object store denies access")
    })
  )

  it.effect("writers that wait for memory are told, too", () =>
    Effect.gen(function* () {
      const { db, ripen } = yield* openPlanted(
        { operation: "list", path: "manifest/", act: failNow },
        { maxUnflushedBytes: 100_000, l0SstSizeBytes: 50_000, l0MaxSsts: 1 }
      )
      const write = Effect.forEach(
        Array.from({ length: 200 }, (_, i) => `k${i}`),
        (key) => db.put(key, "v".repeat(2000), { awaitDurable: false })
      )
      const writer = yield* Effect.forkChild(Effect.exit(write), { startImmediately: true })
      yield* TestClock.adjust("900 millis")
      assert.include((yield* db.status).warnings.join(), "writers wait for memory")
      assert.isUndefined(writer.pollUnsafe())
      ripen()
      yield* TestClock.adjust("1 second")
      assert.strictEqual(closedOf(yield* Fiber.join(writer)), (yield* db.status).closed)
    })
  )
})

describe("a merge function that throws in a call", () => {
  it.effect("is a defect of that call, and the database stays open", () =>
    Effect.gen(function* () {
      const process = yield* TestDb.alone
      const db = yield* process.open()
      yield* TestDb.awaitWithTime(db.merge("a", "1"))
      const batch = WriteBatch.merge(WriteBatch.merge(WriteBatch.empty, "b", "1"), "b", "2")
      for (const call of [db.get("a"), Stream.runDrain(db.scan(KeyRange.all)), db.write(batch)]) {
        const exit = yield* Effect.exit(call)
        assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      }
      assert.strictEqual((yield* db.status).state, "open")
      yield* TestDb.awaitWithTime(db.put("c", "1"))
      assert.strictEqual(TestDb.text(yield* db.get("c")), "1")
    }).pipe(
      Effect.provideService(MergeOperator.MergeOperator, () => {
        throw new Error("no such merge")
      })
    )
  )
})

/** Log lines of an effect. */
const logged = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const lines: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => {
      lines.push(`${logLevel} ${String(message)}`)
    })
    return Effect.map(Effect.provide(effect, Logger.layer([logger])), (value) => ({ value, lines }))
  })

describe("the compactor stands apart", () => {
  it.effect("it starts again with growing pauses, and the database goes on", () =>
    Effect.gen(function* () {
      const polls: Array<number> = []
      let isSick = true
      let sickPolls = 0
      const clock = yield* TestClock.testClockWith(Effect.succeed)
      const policy: CompactionPolicy.CompactionPolicy = {
        choose: () => {
          polls.push(clock.currentTimeMillisUnsafe())
          if (!isSick) return []
          sickPolls++
          throw new Error("no such policy")
        }
      }
      const { lines } = yield* logged(
        Effect.gen(function* () {
          const process = yield* TestDb.alone
          const db = yield* process
            .open({ compactorPollInterval: "10 millis" })
            .pipe(Effect.provideService(CompactionPolicy.CompactionPolicy, policy))
          yield* TestClock.adjust("40 seconds")
          assert.strictEqual((yield* db.status).state, "open")
          yield* TestDb.awaitWithTime(db.put("a", "1"))
          isSick = false
          yield* TestClock.adjust("2 minutes")
          yield* TestDb.awaitWithTime(db.close)
        }).pipe(Effect.scoped)
      )
      const pauses = polls.slice(1, 6).map((at, i) => at - (polls[i] as number))
      const growing = [1, 2, 4, 8, 16]
      pauses.forEach((pause, i) => assert.closeTo(pause / 1000, growing[i] as number, 0.25 * (growing[i] as number)))
      assert.isAbove(polls.length, 1000, "once well, it polls as before")
      const failures = lines.filter((line) =>
        line.startsWith("Error effect-slatedb: Compactor failed and starts again")
      )
      assert.strictEqual(failures.length, sickPolls)
    })
  )
})

describe("a store in trouble is waited out, in sight", () => {
  const troubles: ReadonlyArray<readonly [task: string, rule: Omit<Fault.Rule, "fault">]> = [
    ["WalFlushTask", { operation: "putIfAbsent", path: "wal/" }],
    ["MemtableFlushTask", { operation: "putIfAbsent", path: "compacted/" }],
    ["ManifestKeeper", { operation: "putIfAbsent", path: "manifest/" }],
    ["ManifestKeeper", { operation: "list", path: "manifest/" }]
  ]
  it.effect.each(troubles)("%s %o", ([task, rule]) =>
    Effect.gen(function* () {
      const { lines } = yield* logged(
        Effect.gen(function* () {
          const process = yield* TestDb.alone
          const db = yield* process.open()
          const { remove, strikes } = yield* process.faults.add({ ...rule, fault: Fault.failBefore() })
          yield* Effect.forkChild(Effect.andThen(db.put("a", "1"), db.flush("memtable")), { startImmediately: true })
          yield* TestClock.adjust("4 seconds")
          const { lastRetry, retries, state, warnings } = yield* db.status
          assert.strictEqual(state, "open")
          assert.strictEqual(retries, yield* strikes)
          assert.isAtLeast(retries, 4)
          assert.include(lastRetry, `task=${task} object store unavailable: operation=${rule.operation}`)
          assert.include(warnings.join(), `retries=${retries}`)
          yield* remove
          yield* TestClock.adjust("2 seconds")
          const after = yield* db.status
          assert.strictEqual(after.l0Tables, 1)
          assert.strictEqual(after.retries, retries)
        })
      )
      assert.include(lines.join("\n"), `Warn effect-slatedb: will try again: task=${task}`)
    })
  )
})

describe("fibers", () => {
  it.effect("a closed database has none, whether it was closed, failed, or fenced", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust(1)
      for (const end of ["closed", "failed", "fenced"] as const) {
        const fibers = Fibers.make()
        yield* Effect.gen(function* () {
          const bucket = TestDb.bucket()
          const process = yield* TestDb.process(bucket)
          const db = yield* process.open()
          assert.isAbove(fibers.live(), 3, "the tasks live")
          if (end === "closed") yield* db.close
          if (end === "fenced") yield* (yield* TestDb.process(bucket)).open()
          if (end === "failed") {
            const denied = (details: ObjectStore.ReasonDetails) => new ObjectStore.Denied(details)
            yield* process.faults.add({ operation: "list", fault: Fault.failBefore(denied) })
          }
          yield* TestClock.adjust("2 seconds")
          assert.strictEqual((yield* db.status).state, "closed", end)
        }).pipe(Effect.scoped, fibers.watch)
        assert.strictEqual(fibers.live(), 0, end)
      }
    })
  )
})
