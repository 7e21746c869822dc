/**
 * L10: a fenced writer acknowledges nothing more: WAL objects and manifest versions are created
 * only if absent, so an old writer's next one collides with its successor's fence or epoch.
 *
 * What happens at particular moments is in `Fencing.test.ts`; here are all moments, in weather.
 */
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as Fault from "@effect-slatedb/testkit/Fault"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as ManifestStep from "../../src/internal/lsm/ManifestStep.ts"
import * as Manifest from "../../src/internal/model/Manifest.ts"
import * as OtherProcess from "../support/OtherProcess.ts"
import * as TestDb from "../support/TestDb.ts"

const seeds = Array.from({ length: 25 }, (_, i) => i + 1)

/** Writes one key after another, each waiting for durability, and records what was acknowledged when. */
const writer = (
  name: number,
  db: Effect.Success<ReturnType<TestDb.Process["open"]>>,
  acknowledged: Map<string, number>
) =>
  Effect.gen(function* () {
    for (let i = 0; i < 400; i++) {
      const key = `${name}-${String(i).padStart(3, "0")}`
      yield* db.put(key, "1")
      acknowledged.set(key, yield* Clock.currentTimeMillis)
      if (i % 20 === 19) yield* db.flush("memtable")
    }
  })

describe("writers that take a database from each other", () => {
  it.effect.each(seeds)(
    "lose nothing that was acknowledged; what one answers later its successor found when it opened: seed %i",
    (seed) =>
      Effect.gen(function* () {
        const bucket = TestDb.bucket()
        const acknowledged = new Map<string, number>()
        const openings: Array<{ readonly at: number; readonly found: ReadonlySet<string> }> = []
        const scopes: Array<Scope.Closeable> = []
        for (let name = 0; name < 4; name++) {
          const process = yield* TestDb.process(bucket)
          yield* process.faults.add({ fault: Fault.delayBetween("1 millis", "60 millis") })
          yield* process.faults.add({ fault: Fault.failBefore(), probability: 0.03 })
          yield* process.faults.add({ operation: "putIfAbsent", fault: Fault.failAfter(), probability: 0.1 })
          const scope = yield* Scope.make()
          scopes.push(scope)
          const open = process
            .open({
              walFlush: seed % 2 === 0 ? "eager" : "interval",
              l0MaxSsts: 1000,
              walEnabled: seed % 5 > 0 || name < 2
            })
            .pipe(Effect.provideService(Scope.Scope, scope))
          const db = yield* TestDb.awaitWithTime(Effect.retry(open, { times: 20 }), "10 millis")
          const at = yield* Clock.currentTimeMillis
          const scan = TestDb.lines(db, KeyRange.all, { readLevel: "uncommitted" })
          openings.push({
            at,
            found: new Set(yield* TestDb.awaitWithTime(Effect.retry(scan, { times: 20 }), "10 millis"))
          })
          yield* Effect.forkChild(Effect.exit(writer(name, db, acknowledged)))
          yield* TestClock.adjust(`${yield* Random.nextIntBetween(50, 1500)} millis`)
        }
        yield* TestClock.adjust("5 seconds")
        for (const [key, at] of acknowledged) {
          const successor = openings[Number(key[0]) + 1]
          // An answer may be on its way while the successor opens: then what it is about was stored before the fence.
          const isLate = successor !== undefined && at > successor.at
          assert.isTrue(
            !isLate || successor.found.has(`${key}=1`),
            `${key} was acknowledged, and is not its successor's`
          )
        }
        for (const scope of scopes) yield* TestDb.awaitWithTime(Effect.exit(Scope.close(scope, Exit.void)))
        const reader = yield* (yield* TestDb.process(bucket)).reader()
        const found = new Set(yield* TestDb.lines(reader, KeyRange.all))
        const lost = [...acknowledged.keys()].filter((key) => !found.has(`${key}=1`))
        assert.deepStrictEqual(lost, [])
        assert.isAbove(acknowledged.size, 4)
      }).pipe(Random.withSeed(seed))
  )
})

describe("epochs", () => {
  it("go up with each claim, and touch nothing else", () => {
    const claim = ManifestStep.claimWriter(0)
    assert.deepStrictEqual(claim(claim(Manifest.empty)), { ...Manifest.empty, writerEpoch: 2 })
  })

  it.effect("of all versions never go down, and every writer has its own", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const scope = yield* TestDb.manualScope
      const processes = yield* Effect.forEach(Array.from({ length: 5 }), () => TestDb.process(bucket))
      for (const { faults } of processes) yield* faults.add({ fault: Fault.delayBetween("1 millis", "20 millis") })
      const dbs = yield* TestDb.awaitWithTime(
        Effect.forEach(
          processes,
          ({ open }) => Effect.result(open().pipe(Effect.provideService(Scope.Scope, scope.scope))),
          { concurrency: "unbounded" }
        )
      )
      yield* TestClock.adjust("3 seconds")
      const opened = dbs.flatMap((db) => (Result.isSuccess(db) ? [db.success] : []))
      const epochs = yield* Effect.forEach(opened, (db) => Effect.map(db.status, ({ writerEpoch }) => writerEpoch))
      const states = yield* Effect.forEach(opened, (db) => Effect.map(db.status, ({ state }) => state))
      assert.strictEqual(states.filter((state) => state === "open").length, 1)
      const history = (yield* OtherProcess.history(bucket)).map(({ writerEpoch }) => writerEpoch)
      assert.deepStrictEqual(
        history,
        history.toSorted((a, b) => a - b)
      )
      assert.strictEqual(epochs[states.indexOf("open")], history.at(-1))
    }).pipe(Random.withSeed(7))
  )
})

it.effect("who was fenced is told so by every call that waits and every later one", () =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    const first = yield* TestDb.process(bucket)
    const older = yield* first.open({ maxUnflushedBytes: 20_000, l0SstSizeBytes: 10_000 })
    const gate = yield* first.faults.hold({ operation: "putIfAbsent" })
    const large = "v".repeat(9000)
    const waiting = yield* Effect.forEach(
      [
        older.put("a", large),
        older.put("b", large),
        older.put("c", large),
        older.flush("wal"),
        older.flush("memtable")
      ],
      (call) => Effect.forkChild(Effect.flip(call), { startImmediately: true })
    )
    yield* TestClock.adjust("200 millis")
    yield* (yield* TestDb.process(bucket)).open()
    yield* gate.open
    yield* TestClock.adjust("2 seconds")
    for (const fiber of waiting) {
      const { reason } = yield* Fiber.join(fiber)
      assert.strictEqual(reason._tag === "Closed" ? reason.kind : reason._tag, "fenced")
    }
  })
)
