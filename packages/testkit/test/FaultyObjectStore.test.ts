import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Fault from "../src/Fault.ts"
import * as FaultyObjectStore from "../src/FaultyObjectStore.ts"

const body = new Uint8Array([1, 2, 3])

const setUp = Effect.fnUntraced(function* (options?: FaultyObjectStore.Options) {
  const state = MemoryObjectStore.makeState()
  const faults = yield* FaultyObjectStore.make(MemoryObjectStore.fromState(state), options)
  return { state, faults, store: faults.store }
})

const outcomes = (requests: ReadonlyArray<FaultyObjectStore.Request>) => requests.map(({ outcome }) => outcome)

/** How long an effect takes by the clock, which is moved on until it ends. */
const timed = Effect.fnUntraced(function* <A, E>(effect: Effect.Effect<A, E>) {
  const start = yield* Clock.currentTimeMillis
  const fiber = yield* Effect.forkChild(
    Effect.flatMap(effect, () => Clock.currentTimeMillis),
    { startImmediately: true }
  )
  yield* TestClock.adjust("1 hour")
  return (yield* Fiber.join(fiber)) - start
})

const names = (store: ObjectStore.ObjectStore["Service"], prefix = "") =>
  Effect.map(Stream.runCollect(store.list({ prefix })), (metas) => metas.map(({ path }) => path))

describe("rules", () => {
  it.effect("a failure before the request leaves the store untouched", () =>
    Effect.gen(function* () {
      const { faults, state, store } = yield* setUp()
      yield* faults.add({ operation: "put", fault: Fault.failBefore() })
      const error = yield* Effect.flip(store.put("a", body))
      assert.strictEqual(error.reason._tag, "Unavailable")
      assert.isTrue(error.isRetryable)
      assert.strictEqual(error.reason.path, "a")
      assert.strictEqual(error.reason.operation, "put")
      assert.strictEqual(state.requests.put.count, 0)
    })
  )

  it.effect("a failure after the request loses the answer, not the effect", () =>
    Effect.gen(function* () {
      const { faults, state, store } = yield* setUp()
      yield* faults.add({ times: 1, fault: Fault.failAfter() })
      const create = store.putIfAbsent("a", body, { putId: "1" })
      assert.strictEqual((yield* Effect.flip(create)).reason._tag, "Unavailable")
      assert.isTrue(state.objects.has("a"))
      yield* create
      const [lost, repeated] = yield* faults.requests()
      assert.deepInclude(lost, { outcome: "Unavailable", landed: true, bytes: 3 })
      assert.deepInclude(repeated, { outcome: "success", landed: true, bytes: 3 })
    })
  )

  it.effect("a failure may carry any reason", () =>
    Effect.gen(function* () {
      const { faults, store } = yield* setUp()
      yield* faults.add({ fault: Fault.failBefore((details) => new ObjectStore.Denied(details)) })
      assert.strictEqual((yield* Effect.flip(store.head("a"))).reason._tag, "Denied")
    })
  )

  it.effect("rules of one kind are a queue: each request is struck by the first that takes it", () =>
    Effect.gen(function* () {
      const { faults, store } = yield* setUp()
      yield* faults.add({ times: 1, fault: Fault.failBefore((details) => new ObjectStore.Denied(details)) })
      yield* faults.add({ times: 2, fault: Fault.failBefore() })
      for (let i = 0; i < 4; i++) yield* Effect.exit(store.put("a", body))
      assert.deepStrictEqual(outcomes(yield* faults.requests()), ["Denied", "Unavailable", "Unavailable", "success"])
    })
  )

  it.effect("rules of different kinds combine, in their fixed order", () =>
    Effect.gen(function* () {
      const { faults, store } = yield* setUp()
      yield* faults.add({ fault: Fault.failBefore() })
      yield* faults.add({ fault: Fault.delay("2 seconds") })
      assert.strictEqual(yield* timed(Effect.flip(store.put("a", body))), 2000)
    })
  )

  it.effect("skip lets requests pass first, and only those that match count", () =>
    Effect.gen(function* () {
      const { faults, store } = yield* setUp()
      const rule = yield* faults.add({ operation: "put", path: "wal/", skip: 1, times: 1, fault: Fault.failBefore() })
      yield* store.put("db/manifest/1", body)
      yield* store.put("db/wal/1", body)
      yield* store.head("db/wal/1")
      assert.strictEqual(yield* rule.strikes, 0)
      yield* Effect.flip(store.put("db/wal/2", body))
      yield* store.put("db/wal/2", body)
      assert.strictEqual(yield* rule.strikes, 1)
    })
  )

  it.effect("matches by several operations and by pattern, also one with the global flag", () =>
    Effect.gen(function* () {
      const { faults, store } = yield* setUp()
      yield* faults.add({ operation: ["get", "head"], path: /wal\/\d+$/g, fault: Fault.failBefore() })
      yield* store.put("wal/1", body)
      yield* store.put("wal/x", body)
      yield* Effect.flip(store.get("wal/1"))
      yield* Effect.flip(store.head("wal/1"))
      yield* Effect.flip(store.get("wal/1"))
      yield* store.get("wal/x")
      yield* store.getRange("wal/1", { offset: 0 })
    })
  )

  it.effect("a removed rule strikes no more; clear takes all out", () =>
    Effect.gen(function* () {
      const { faults, store } = yield* setUp({ rules: [{ operation: "delete", fault: Fault.failBefore() }] })
      const rule = yield* faults.add({ operation: "put", fault: Fault.failBefore() })
      yield* Effect.flip(store.put("a", body))
      yield* rule.remove
      yield* store.put("a", body)
      yield* Effect.flip(store.delete("a"))
      yield* faults.clear
      yield* store.delete("a")
    })
  )

  it.effect("chance comes from the seed of make: the same seed strikes the same requests", () =>
    Effect.gen(function* () {
      const run = Effect.fnUntraced(function* (seed: string) {
        const { faults, store } = yield* Random.withSeed(
          setUp({ rules: [{ probability: 0.3, fault: Fault.failBefore() }] }),
          seed
        )
        for (let i = 0; i < 200; i++) yield* Effect.exit(store.put("a", body))
        return outcomes(yield* faults.requests())
      })
      const first = yield* run("one")
      assert.deepStrictEqual(yield* run("one"), first)
      assert.notDeepEqual(yield* run("two"), first)
      const failed = first.filter((outcome) => outcome === "Unavailable").length
      assert.isTrue(failed > 30 && failed < 90, `failed=${failed}`)
    })
  )
})

describe("time", () => {
  it.effect("a delay passes before the store sees the request", () =>
    Effect.gen(function* () {
      const { faults, state, store } = yield* setUp()
      yield* faults.add({ fault: Fault.delay("100 millis") })
      const fiber = yield* Effect.forkChild(store.put("a", body))
      yield* TestClock.adjust("99 millis")
      assert.isFalse(state.objects.has("a"))
      yield* TestClock.adjust("1 millis")
      assert.isTrue(state.objects.has("a"))
      yield* Fiber.join(fiber)
    })
  )

  it.effect("a drawn delay lies between its bounds and varies", () =>
    Effect.gen(function* () {
      const { faults, store } = yield* setUp()
      yield* faults.add({ fault: Fault.delayBetween("10 millis", "20 millis") })
      const delays: Array<number> = []
      for (let i = 0; i < 50; i++) delays.push(yield* timed(store.put("a", body)))
      assert.isTrue(delays.every((delay) => delay >= 10 && delay <= 20))
      assert.isTrue(new Set(delays).size > 5)
    })
  )

  it.effect("a throttle is one link: bodies wait for those before them, both ways", () =>
    Effect.gen(function* () {
      const { faults, store } = yield* setUp()
      yield* faults.add({ fault: Fault.throttle(1000) })
      const bodies = Effect.all([store.put("a", new Uint8Array(500)), store.put("b", new Uint8Array(1000))], {
        concurrency: 2
      })
      assert.strictEqual(yield* timed(bodies), 1500)
      assert.strictEqual(yield* timed(store.get("b")), 1000)
      assert.strictEqual(yield* timed(store.head("b")), 0)
    })
  )

  it.effect("a slow listing takes its delay for every page", () =>
    Effect.gen(function* () {
      const { faults, store } = yield* setUp()
      for (let i = 0; i < 1001; i++) yield* store.put(`k/${i}`, body)
      yield* faults.add({ operation: "list", fault: Fault.delay("1 second") })
      // Two pages, and the pull that finds the end.
      assert.strictEqual(yield* timed(Stream.runDrain(Stream.take(store.list({ prefix: "" }), 1000))), 1000)
      assert.strictEqual(yield* timed(Stream.runDrain(Stream.take(store.list({ prefix: "" }), 1001))), 2000)
    })
  )
})

describe("gates", () => {
  it.effect("a request held before the store has not happened; opened, it goes on", () =>
    Effect.gen(function* () {
      const { faults, state, store } = yield* setUp()
      const gate = yield* faults.hold({ operation: "putIfAbsent", path: "wal/" })
      const fiber = yield* Effect.forkChild(store.putIfAbsent("db/wal/1", body, { putId: "1" }))
      yield* gate.reached()
      assert.isFalse(state.objects.has("db/wal/1"))
      assert.deepStrictEqual(outcomes(yield* faults.requests()), ["pending"])
      yield* gate.open
      yield* Fiber.join(fiber)
      assert.isTrue(state.objects.has("db/wal/1"))
      yield* store.putIfAbsent("db/wal/2", body, { putId: "2" })
    })
  )

  it.effect("a request held after the store has happened, and its answer can then be lost", () =>
    Effect.gen(function* () {
      const { faults, state, store } = yield* setUp()
      const gate = yield* faults.hold({ operation: "put", at: "after" })
      yield* faults.add({ operation: "put", fault: Fault.failAfter() })
      const fiber = yield* Effect.forkChild(Effect.flip(store.put("a", body)))
      yield* gate.reached()
      assert.isTrue(state.objects.has("a"))
      yield* gate.open
      assert.strictEqual((yield* Fiber.join(fiber)).reason._tag, "Unavailable")
    })
  )

  it.effect("reached waits until so many stand at the gate together", () =>
    Effect.gen(function* () {
      const { faults, store } = yield* setUp()
      const gate = yield* faults.hold({ operation: "put" })
      const fibers = yield* Effect.forEach(["a", "b", "c"], (path) => Effect.forkChild(store.put(path, body)))
      yield* gate.reached(3)
      assert.strictEqual(yield* gate.waiting, 3)
      yield* gate.open
      yield* Fiber.joinAll(fibers)
      yield* gate.reached(100)
    })
  )

  it.effect("an interrupted request leaves the gate and the store untouched", () =>
    Effect.gen(function* () {
      const { faults, state, store } = yield* setUp()
      const gate = yield* faults.hold({ operation: "put" })
      const fiber = yield* Effect.forkChild(store.put("a", body))
      yield* gate.reached()
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(yield* gate.waiting, 0)
      yield* gate.open
      assert.isFalse(state.objects.has("a"))
      assert.deepStrictEqual(outcomes(yield* faults.requests()), ["interrupted"])
    })
  )

  it.effect("clear opens the gates", () =>
    Effect.gen(function* () {
      const { faults, store } = yield* setUp()
      const gate = yield* faults.hold({})
      const fiber = yield* Effect.forkChild(store.put("a", body))
      yield* gate.reached()
      yield* faults.clear
      yield* Fiber.join(fiber)
    })
  )
})

describe("listings", () => {
  it.effect("fail before, lose their answer after the first page, and can be held", () =>
    Effect.gen(function* () {
      const { faults, store } = yield* setUp()
      for (let i = 0; i < 1001; i++) yield* store.put(`k/${i}`, body)
      const listed: Array<string> = []
      const walk = Stream.runForEach(store.list({ prefix: "k/" }), ({ path }) => Effect.sync(() => listed.push(path)))

      yield* faults.add({ operation: "list", times: 1, fault: Fault.failBefore() })
      assert.strictEqual((yield* Effect.flip(walk)).reason.path, "k/")
      assert.strictEqual(listed.length, 0)

      yield* faults.add({ operation: "list", times: 1, fault: Fault.failAfter() })
      yield* Effect.flip(walk)
      assert.strictEqual(listed.length, 1000)
      yield* faults.add({ operation: "list", times: 1, fault: Fault.failAfter() })
      yield* Effect.flip(names(store, "none/"))

      const gate = yield* faults.hold({ operation: "list", path: "k/" })
      const fiber = yield* Effect.forkChild(names(store, "k/"))
      yield* gate.reached()
      yield* store.put("k/late", body)
      yield* gate.open
      assert.include(yield* Fiber.join(fiber), "k/late")
    })
  )

  it.effect("a listing is one request, ended with its stream", () =>
    Effect.gen(function* () {
      const { faults, store } = yield* setUp()
      for (let i = 0; i < 1001; i++) yield* store.put(`k/${i}`, body)
      yield* faults.reset
      const stream = store.list({ prefix: "k/" })
      assert.strictEqual((yield* faults.requests()).length, 0)
      yield* Stream.runDrain(stream)
      yield* Stream.runDrain(Stream.take(stream, 1))
      assert.deepStrictEqual(outcomes(yield* faults.requests({ operation: "list" })), ["success", "success"])
    })
  )

  it.effect("a stale listing lags behind creates, deletes and replacements, and catches up", () =>
    Effect.gen(function* () {
      const { faults, store } = yield* setUp()
      yield* store.put("b", body)
      yield* store.put("d", body)
      const rule = yield* faults.add({ operation: "list", fault: Fault.staleList("10 seconds") })
      yield* TestClock.adjust("1 minute")
      yield* store.put("a", body)
      yield* store.putIfAbsent("c", body, { putId: "1" })
      yield* store.delete("b")
      yield* store.put("d", new Uint8Array(50))
      yield* store.put("d", new Uint8Array(60))
      yield* TestClock.adjust("9999 millis")

      assert.deepStrictEqual(yield* names(store), ["b", "d"])
      const sizes = yield* Stream.runCollect(Stream.map(store.list({ prefix: "d" }), ({ size }) => size))
      assert.deepStrictEqual(sizes, [3])
      const after = yield* Stream.runCollect(store.list({ prefix: "", startAfter: "b" }))
      assert.deepStrictEqual(
        after.map(({ path }) => path),
        ["d"]
      )
      // Only listings lag.
      assert.isTrue(Exit.isFailure(yield* Effect.exit(store.get("b"))))
      assert.strictEqual((yield* store.head("d")).size, 60)

      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(yield* names(store), ["a", "c", "d"])
      yield* store.put("e", body)
      assert.notInclude(yield* names(store), "e")
      yield* rule.remove
      assert.include(yield* names(store), "e")
    })
  )
})

describe("trace", () => {
  it.effect("tells what was asked, when, with how many bytes and how it ended", () =>
    Effect.gen(function* () {
      const { faults, store } = yield* setUp({ rules: [{ operation: "get", fault: Fault.delay("5 millis") }] })
      yield* TestClock.adjust("1 second")
      yield* store.put("a", [body, body])
      const read = yield* Effect.forkChild(store.get("a"))
      yield* TestClock.adjust("5 millis")
      yield* Fiber.join(read)
      yield* Effect.flip(store.getRange("b", { offset: 0 }))
      assert.deepStrictEqual(yield* faults.requests(), [
        {
          index: 0,
          operation: "put",
          path: "a",
          bytes: 6,
          startedAt: 1000,
          endedAt: 1000,
          outcome: "success",
          landed: true
        },
        {
          index: 1,
          operation: "get",
          path: "a",
          bytes: 6,
          startedAt: 1000,
          endedAt: 1005,
          outcome: "success",
          landed: true
        },
        {
          index: 2,
          operation: "getRange",
          path: "b",
          bytes: 0,
          startedAt: 1005,
          endedAt: 1005,
          outcome: "NotFound",
          landed: false
        }
      ])
      assert.deepStrictEqual(outcomes(yield* faults.requests({ path: "b" })), ["NotFound"])
      const counts = yield* faults.counts
      assert.deepStrictEqual(counts.getRange, { count: 1, bytes: 0, failed: 1 })
      assert.deepStrictEqual(counts.put, { count: 1, bytes: 6, failed: 0 })
      yield* faults.reset
      assert.deepStrictEqual((yield* faults.counts).put, { count: 0, bytes: 0, failed: 0 })
      assert.deepStrictEqual(yield* faults.requests(), [])
    })
  )

  it.effect("keeps the newest requests and all counts", () =>
    Effect.gen(function* () {
      const { faults, store } = yield* setUp({ traceMax: 3 })
      for (let i = 0; i < 10; i++) yield* store.put(`${i}`, body)
      assert.deepStrictEqual(
        (yield* faults.requests()).map(({ path }) => path),
        ["7", "8", "9"]
      )
      assert.strictEqual((yield* faults.counts).put.count, 10)
    })
  )

  it.effect("a defect of the store stays one and is traced as one", () =>
    Effect.gen(function* () {
      const { state } = yield* setUp()
      const broken = { ...MemoryObjectStore.fromState(state), head: () => Effect.die("broken") }
      const faults = yield* FaultyObjectStore.make(broken)
      const exit = yield* Effect.exit(faults.store.head("a"))
      assert.isTrue(Exit.hasDies(exit))
      assert.deepStrictEqual(outcomes(yield* faults.requests()), ["defect"])
    })
  )
})

it.effect("the layer provides the faulty store and the hands on it", () =>
  Effect.gen(function* () {
    const faults = yield* FaultyObjectStore.Faults
    const store = yield* ObjectStore.ObjectStore
    yield* faults.add({ fault: Fault.failBefore() })
    yield* Effect.flip(store.put("a", body))
  }).pipe(Effect.provide(FaultyObjectStore.layer().pipe(Layer.provide(MemoryObjectStore.layer))))
)
