/**
 * A writer, a compactor of another process, checkpoints and two collectors beside the writer's own, in weather, by
 * seeds: at every moment everything is there that an active manifest names, and at the end the contents agree.
 */
import * as Admin from "@effect-slatedb/core/Admin"
import * as Checkpoint from "@effect-slatedb/core/Checkpoint"
import * as GarbageCollector from "@effect-slatedb/core/GarbageCollector"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as Fault from "@effect-slatedb/testkit/Fault"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as UlidSource from "../../src/internal/store/UlidSource.ts"
import * as Collector from "../support/Collector.ts"
import * as TestDb from "../support/TestDb.ts"
import * as Dice from "./Dice.ts"

const weather = [
  { fault: Fault.delayBetween("1 millis", "20 seconds") },
  { fault: Fault.failBefore(), probability: 0.02 },
  { fault: Fault.failAfter(), probability: 0.03 },
  { fault: Fault.staleList("30 seconds"), probability: 0.3 }
]

const settings = {
  l0MaxSsts: 100_000,
  collectorInterval: "7 minutes",
  manifestPollInterval: "30 seconds",
  // The compactor is that of another process, which keeps its register but does not look for a successor.
  compactorEnabled: false
} as const

const simulate = Effect.fnUntraced(function* (steps: number) {
  yield* TestClock.adjust("1000 days")
  const bucket = TestDb.bucket()
  const ulids = yield* UlidSource.make
  const model = new Map<string, string>()
  let collected = 0

  const open = Effect.gen(function* () {
    const scope = yield* Scope.make()
    const process = yield* TestDb.process(bucket)
    const db = yield* TestDb.awaitWithTime(process.open(settings).pipe(Effect.provideService(Scope.Scope, scope)))
    return { db, scope, process }
  })
  let writer = yield* open
  yield* writer.db.put("key", "first", { awaitDurable: false })
  model.set("key", "first")
  yield* TestDb.awaitWithTime(writer.db.flush("memtable"))

  const collector = Effect.gen(function* () {
    const { faults } = yield* TestDb.process(bucket)
    for (const rule of weather) yield* faults.add(rule)
    const { collect } = yield* Effect.provideService(
      GarbageCollector.make({ path: "db", kinds: GarbageCollector.kinds }),
      ObjectStore,
      faults.store
    )
    const pass = Effect.map(collect(), ({ objects }) => void (collected += objects.length))
    return yield* Effect.ignore(pass).pipe(Effect.andThen(Effect.sleep("1 minute")), Effect.forever)
  })
  const collectors = yield* Effect.forEach([1, 2], () => Effect.forkChild(collector))

  const checkpoints = yield* Effect.provideService(
    Checkpoint.make({ path: "db" }),
    ObjectStore,
    MemoryObjectStore.fromState(bucket)
  )
  let compaction = Collector.compaction(bucket, ulids)

  for (let i = 0; i < steps; i++) {
    const action = yield* Dice.below(100)
    const key = `key ${yield* Dice.below(20)}`
    if (action < 40) {
      yield* writer.db.put(key, String(i), { awaitDurable: false })
      model.set(key, String(i))
    } else if (action < 50) {
      yield* writer.db.delete(key, { awaitDurable: false })
      model.delete(key)
    } else if (action < 65) {
      yield* TestDb.awaitWithTime(writer.db.flush("memtable"))
    } else if (action < 85) {
      const [step, ...rest] = compaction
      if (step !== undefined) yield* step
      // A compactor reads for at most as long as the inputs of its job are pinned.
      compaction = rest.length === 0 ? Collector.compaction(bucket, ulids) : rest
    } else if (action < 90) {
      const [known] = yield* checkpoints.list()
      yield* checkpoints.create({ lifetime: "20 minutes", source: (yield* Dice.oneIn(2)) ? known?.id : undefined })
    } else if (action < 93) {
      // Dies and is opened again: what was not durable is lost with it.
      yield* TestDb.awaitWithTime(writer.db.flush("wal"))
      yield* TestDb.crash(writer.process)
      const old = writer
      writer = yield* open
      yield* old.process.faults.clear
      yield* TestDb.awaitWithTime(Scope.close(old.scope, Exit.void))
    }
    yield* TestClock.adjust(yield* Dice.pick(["1 second", "1 minute", "10 minutes"] as const))
    yield* Collector.assertWhole(bucket, `after step ${i}`)
  }
  yield* Fiber.interruptAll(collectors)
  const expected = Array.from(model, ([key, value]) => `${key}=${value}`).toSorted()
  assert.deepStrictEqual(
    (yield* TestDb.lines(writer.db, KeyRange.all, { readLevel: "uncommitted" })).toSorted(),
    expected
  )
  yield* TestDb.awaitWithTime(Scope.close(writer.scope, Exit.void))
  const store = MemoryObjectStore.fromState(bucket)
  const admin = yield* Effect.provideService(Admin.make({ path: "db" }), ObjectStore, store)
  const checked = Array.from(yield* Stream.runCollect(admin.check))
  assert.deepStrictEqual(
    checked.flatMap(({ faults, object }) => faults.map(({ detail }) => `${object}: ${detail}`)),
    []
  )
  assert.isAbove(collected, 10)
})

const range = /^(\d+)-(\d+)$/.exec(process.env["SLATEDB_SEEDS"] ?? "")
const first = Number(range?.[1] ?? 1)
const last = Number(range?.[2] ?? 8)

describe("simulation of collection", () => {
  it.effect.each(Array.from({ length: last - first + 1 }, (_, i) => first + i))("seed %i", (seed) =>
    simulate(120).pipe(Random.withSeed(seed))
  )
})
