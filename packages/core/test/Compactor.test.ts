/** A compactor of its own: what it takes, what it is asked, and how it ends. */
import * as CompactionPolicy from "@effect-slatedb/core/CompactionPolicy"
import * as Compactor from "@effect-slatedb/core/Compactor"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Compactors from "./support/Compactors.ts"
import * as OtherProcess from "./support/OtherProcess.ts"
import * as TestDb from "./support/TestDb.ts"

type Bucket = MemoryObjectStore.State

/** A database of its writer, who does not compact. */
const database = Effect.fnUntraced(function* (bucket: Bucket, tables: number) {
  const db = yield* (yield* TestDb.process(bucket)).open({ compactorEnabled: false })
  yield* Compactors.fill(db, { from: 0, to: tables, keys: 10 })
  return db
})

const on = (bucket: Bucket) => Effect.provideService(ObjectStore, MemoryObjectStore.fromState(bucket))

const reasonOf = <A, E extends { readonly reason: { readonly _tag: string }; readonly message: string }, R>(
  effect: Effect.Effect<A, E, R>
) => Effect.map(Effect.flip(effect), (error) => `${error.reason._tag}: ${error.message}`)

describe("a compactor of its own", () => {
  it.effect("compacts beside the writer until there is nothing to do, then as it comes", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const db = yield* database(bucket, 4)
      const compactor = yield* (yield* Compactors.process(bucket)).make({ compactorPollInterval: "1 second" })
      yield* TestDb.awaitWithTime(compactor.untilIdle)
      const { l0, runs } = yield* OtherProcess.manifest(bucket)
      assert.deepStrictEqual([l0.length, runs.length], [0, 1])
      yield* Compactors.fill(db, { from: 4, to: 6, keys: 10 })
      const contents = yield* TestDb.lines(db, KeyRange.all)
      yield* TestClock.adjust("5 seconds")
      const status = yield* compactor.status
      assert.strictEqual(status.epoch, 1)
      assert.isAtLeast(status.completed, 2)
      assert.deepStrictEqual([status.state, status.running, status.failed, status.warnings], ["open", [], 0, []])
      assert.deepStrictEqual(yield* TestDb.lines(db, KeyRange.all), contents)
      assert.deepStrictEqual(yield* Compactors.faults(bucket), [])
    })
  )

  it.effect("takes the role at once, and is fenced by the next one: then everything fails", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      yield* database(bucket, 3)
      const { faults, make } = yield* Compactors.process(bucket)
      const output = yield* faults.hold({ operation: "putIfAbsent", path: "compacted/" })
      const first = yield* make({ compactorPollInterval: "1 second" })
      const waiting = yield* Effect.forEach([first.untilIdle, first.closed], (wait) =>
        Effect.forkChild(Effect.flip(wait), { startImmediately: true })
      )
      yield* output.reached()
      const [running] = (yield* first.status).running
      assert.lengthOf(running?.plan.l0 ?? [], 3)
      assert.isAbove(running?.sourceBytes ?? 0, 0)
      const second = yield* (yield* Compactors.process(bucket)).make()
      assert.strictEqual((yield* second.status).epoch, 2)
      yield* TestClock.adjust("2 seconds")
      for (const fiber of waiting) {
        const { reason } = yield* Fiber.join(fiber)
        assert.deepStrictEqual([reason._tag, reason._tag === "Closed" && reason.kind], ["Closed", "fenced"])
      }
      assert.include(yield* reasonOf(first.untilIdle), "another compactor took over: our epoch=1 theirs=2")
      const { closed, running: left, state } = yield* first.status
      assert.deepStrictEqual([state, closed?.kind, left.length], ["closed", "fenced", 0])
      yield* TestDb.awaitWithTime(second.untilIdle)
      assert.lengthOf((yield* OtherProcess.manifest(bucket)).runs, 1)
    })
  )

  it.effect("fails where there is no database, and creates none", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const { make } = yield* Compactors.process(bucket)
      const plan = { l0: [], runs: [], destination: 0 }
      for (const call of [
        Effect.asVoid(make()),
        Effect.asVoid(Compactor.list({ path: "db" }).pipe(on(bucket))),
        Effect.asVoid(Compactor.submit({ path: "db", plan }).pipe(on(bucket)))
      ]) {
        assert.include(yield* reasonOf(call), "Invalid: invalid path: there is no database at path=db")
      }
      assert.strictEqual(bucket.objects.size, 0)
    })
  )

  it.effect("the end of its scope leaves its job for the next one", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      yield* database(bucket, 2)
      const { faults, make } = yield* Compactors.process(bucket)
      const output = yield* faults.hold({ operation: "putIfAbsent", path: "compacted/" })
      const scope = yield* TestDb.manualScope
      const compactor = yield* make().pipe(Effect.provideService(Scope.Scope, scope.scope))
      const waiting = yield* Effect.forkChild(Effect.exit(compactor.untilIdle), { startImmediately: true })
      yield* output.reached()
      yield* scope.close
      assert.isTrue(Exit.isFailure(yield* Fiber.join(waiting)))
      assert.strictEqual((yield* compactor.status).closed?.kind, "clean")
      assert.lengthOf(Compactors.active(bucket), 1)
    })
  )

  it.effect("comes as a layer, also from the configuration", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      yield* database(bucket, 2)
      const store = Layer.succeed(ObjectStore, MemoryObjectStore.fromState(bucket))
      const epoch = Effect.flatMap(Compactor.Compactor, ({ status }) => Effect.map(status, ({ epoch }) => epoch))
      const layers = [
        Compactor.layer({ path: "db" }),
        Compactor.layerConfig({ path: Config.String("DATABASE") }).pipe(
          Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ DATABASE: "db" })))
        )
      ]
      for (const [i, layer] of layers.entries()) {
        assert.strictEqual(yield* Effect.provide(epoch, Layer.provide(layer, store)), i + 1)
      }
    })
  )
})

describe("a plan of somebody's own", () => {
  const plan = Effect.fnUntraced(function* (bucket: Bucket) {
    const { l0, runs } = yield* OtherProcess.manifest(bucket)
    return { l0: l0.slice(1).map(({ viewId }) => viewId), runs: [], destination: (runs[0]?.id ?? -1) + 1 }
  })

  it.effect("is carried out whatever the policy says, and refused where it must not be", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      yield* database(bucket, 3)
      const compactor = yield* (yield* Compactors.process(bucket)).make({}, CompactionPolicy.none)
      yield* TestDb.awaitWithTime(compactor.compact(yield* plan(bucket)))
      const { l0, runs } = yield* OtherProcess.manifest(bucket)
      assert.deepStrictEqual([l0.length, runs.map(({ id }) => id)], [1, [0]])
      const wrong = TestDb.awaitWithTime(compactor.compact({ l0: [], runs: [7], destination: 7 }))
      assert.strictEqual(yield* reasonOf(wrong), "Invalid: invalid plan: a source is not among the runs: run=7")
      assert.deepStrictEqual(Compactors.active(bucket), [])
      yield* TestDb.awaitWithTime(compactor.untilIdle)
    })
  )

  it.effect("is submitted and listed, beside a compactor and without one", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      yield* database(bucket, 3)
      const list = Compactor.list({ path: "db" }).pipe(on(bucket))
      assert.deepStrictEqual(yield* list, [])
      const chosen = yield* plan(bucket)
      const id = yield* Compactors.submit(bucket, chosen)
      assert.deepStrictEqual(
        (yield* list).map(({ id, status }) => [id, status]),
        [[id, "submitted"]]
      )
      assert.include(yield* reasonOf(Compactors.submit(bucket, chosen)), "level 0 is being compacted")
      const compactor = yield* (yield* Compactors.process(bucket)).make({}, CompactionPolicy.none)
      yield* TestDb.awaitWithTime(compactor.untilIdle)
      assert.deepStrictEqual(
        (yield* list).map(({ id, status }) => [id, status]),
        [[id, "completed"]]
      )
      assert.lengthOf((yield* OtherProcess.manifest(bucket)).l0, 1)
    })
  )
})
