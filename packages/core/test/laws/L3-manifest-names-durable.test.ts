/** L3: no manifest names an object that is not durable. */
import * as Db from "@effect-slatedb/core/Db"
import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as Fault from "@effect-slatedb/testkit/Fault"
import * as FaultyObjectStore from "@effect-slatedb/testkit/FaultyObjectStore"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import * as ManifestCodec from "../../src/internal/format/ManifestCodec.ts"
import * as Bucket from "../support/Bucket.ts"
import * as TestDb from "../support/TestDb.ts"

it.effect("while the PUT of a table is held, no manifest is asked for", () =>
  Effect.gen(function* () {
    const process = yield* TestDb.alone
    const db = yield* process.open()
    yield* TestDb.awaitWithTime(db.put("a", "1"))
    yield* process.faults.reset
    const gate = yield* process.faults.hold({ operation: "putIfAbsent", path: "compacted/" })
    const manifestPuts = process.faults.requests({ operation: "putIfAbsent", path: "manifest/" })
    const flush = yield* Effect.forkChild(db.flush("memtable"), { startImmediately: true })
    yield* TestClock.adjust("5 seconds")
    yield* gate.reached()
    assert.lengthOf(yield* manifestPuts, 0)
    yield* gate.open
    yield* TestDb.awaitWithTime(Fiber.join(flush))
    assert.lengthOf(yield* manifestPuts, 1)
  })
)

it.effect.each([1, 2, 3, 4])(
  "in any weather, every table is there when a manifest that names it arrives: seed %i",
  (seed) =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const inner = MemoryObjectStore.fromState(bucket)
      let arrived = 0
      /** Looks at each manifest at the moment at which the store carries the request out. */
      const watched: ObjectStore.ObjectStore["Service"] = {
        ...inner,
        putIfAbsent: (path, body, options) =>
          Effect.suspend(() => {
            if (path.includes("/manifest/") && body instanceof Uint8Array) {
              const manifest = Result.getOrThrow(ManifestCodec.decode(body))
              assert.isTrue(Bucket.hasTablesOf(bucket, manifest), path)
              arrived += manifest.l0.length
            }
            return inner.putIfAbsent(path, body, options)
          })
      }
      const faults = yield* FaultyObjectStore.make(watched)
      const db = yield* Db.make({ path: "db", settings: { l0SstSizeBytes: 100, l0MaxSsts: 1000 } }).pipe(
        Effect.provideService(ObjectStore.ObjectStore, faults.store)
      )
      yield* faults.add({ fault: Fault.delayBetween("1 millis", "90 millis") })
      yield* faults.add({ fault: Fault.failBefore(), probability: 0.1, operation: "putIfAbsent" })
      yield* faults.add({ fault: Fault.failAfter(), probability: 0.1, operation: "putIfAbsent" })
      for (let i = 0; i < 30; i++) {
        yield* db.put(`k${i}`, "v".repeat(50), { awaitDurable: false })
        yield* TestClock.adjust("60 millis")
      }
      yield* TestDb.awaitWithTime(db.flush("memtable"))
      assert.isAbove(arrived, 10)
    }).pipe(Random.withSeed(seed))
)
