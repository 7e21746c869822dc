import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as MemoryObjectStore from "../src/MemoryObjectStore.ts"

const bytes = (...values: ReadonlyArray<number>) => new Uint8Array(values)

describe("MemoryObjectStore", () => {
  it.effect("stores on one state see each other's objects; a copied state goes its own way", () =>
    Effect.gen(function* () {
      const state = MemoryObjectStore.makeState()
      const one = MemoryObjectStore.fromState(state)
      const other = MemoryObjectStore.fromState(state)
      yield* one.put("a", bytes(1))
      const crashed = MemoryObjectStore.copyState(state)
      yield* other.put("a", bytes(2))
      yield* other.delete("b")
      assert.deepStrictEqual(yield* one.get("a"), bytes(2))
      assert.deepStrictEqual(yield* MemoryObjectStore.fromState(crashed).get("a"), bytes(1))
    })
  )

  it.effect("layers on one state share it; plain layers do not", () =>
    Effect.gen(function* () {
      const put = Effect.flatMap(ObjectStore.ObjectStore, (store) => store.put("a", bytes(1)))
      const read = Effect.flatMap(ObjectStore.ObjectStore, (store) => store.get("a"))
      const state = MemoryObjectStore.makeState()
      yield* Effect.provide(put, MemoryObjectStore.layerState(state))
      assert.deepStrictEqual(yield* Effect.provide(read, MemoryObjectStore.layerState(state)), bytes(1))
      yield* Effect.provide(put, MemoryObjectStore.layer)
      const missing = yield* Effect.flip(Effect.provide(read, MemoryObjectStore.layer))
      assert.strictEqual(missing.reason._tag, "NotFound")
    })
  )

  it.effect("counts requests and the bytes of bodies by operation, failed requests included", () =>
    Effect.gen(function* () {
      const state = MemoryObjectStore.makeState()
      const store = MemoryObjectStore.fromState(state)
      yield* store.put("a", [bytes(1, 2), bytes(3)])
      yield* store.putIfAbsent("b", bytes(1), { putId: "1" })
      yield* Effect.flip(store.putIfAbsent("b", bytes(1, 2), { putId: "2" }))
      yield* store.get("a")
      yield* Effect.flip(store.get("missing"))
      yield* store.getRange("a", { suffix: 2 })
      yield* store.head("a")
      yield* store.delete("a")
      yield* Stream.runDrain(store.list({ prefix: "" }))
      assert.deepStrictEqual(state.requests, {
        get: { count: 2, bytes: 3 },
        getRange: { count: 1, bytes: 2 },
        head: { count: 1, bytes: 0 },
        put: { count: 1, bytes: 3 },
        putIfAbsent: { count: 2, bytes: 3 },
        delete: { count: 1, bytes: 0 },
        list: { count: 1, bytes: 0 }
      })
      MemoryObjectStore.resetRequests(state)
      assert.isTrue(Object.values(state.requests).every(({ count, bytes }) => count === 0 && bytes === 0))
    })
  )

  it.effect("a listing counts one request a page and takes a page only when it is pulled", () =>
    Effect.gen(function* () {
      const state = MemoryObjectStore.makeState()
      const store = MemoryObjectStore.fromState(state)
      const count = MemoryObjectStore.LIST_PAGE_MAX + 1
      for (let i = 0; i < count; i++) yield* store.put(`k/${String(i).padStart(5, "0")}`, bytes())
      yield* Stream.runDrain(Stream.take(store.list({ prefix: "k/" }), 1))
      assert.strictEqual(state.requests.list.count, 1)
      MemoryObjectStore.resetRequests(state)
      assert.strictEqual(yield* Stream.runCount(store.list({ prefix: "k/" })), count)
      assert.strictEqual(state.requests.list.count, 2)
    })
  )

  it.effect("an object deleted before its page is pulled is not listed, also when a whole page went", () =>
    Effect.gen(function* () {
      const store = yield* MemoryObjectStore.make
      for (let i = 0; i < 3000; i++) yield* store.put(`k/${String(i).padStart(5, "0")}`, bytes())
      const listed: Array<string> = []
      yield* Stream.runForEach(store.list({ prefix: "k/" }), (meta) => {
        listed.push(meta.path)
        if (listed.length > 1) return Effect.void
        return Effect.forEach(
          Array.from({ length: 1500 }, (_, i) => `k/${String(i + 500).padStart(5, "0")}`),
          (path) => store.delete(path),
          { discard: true }
        )
      })
      // The first page was taken whole; the second had nothing left.
      assert.strictEqual(listed.length, 2000)
      assert.strictEqual(listed[1000], "k/02000")
    })
  )

  it.effect("takes its times from Clock", () =>
    Effect.gen(function* () {
      const store = yield* MemoryObjectStore.make
      yield* store.put("a", bytes(1))
      assert.strictEqual((yield* store.head("a")).lastModified, 0)
      yield* TestClock.adjust("5 seconds")
      yield* store.put("a", bytes(1))
      assert.strictEqual((yield* store.head("a")).lastModified, 5000)
    })
  )

  it.effect("refuses a state that it did not make", () =>
    Effect.sync(() => {
      const { objects, requests } = MemoryObjectStore.makeState()
      assert.throws(() => MemoryObjectStore.fromState({ objects, requests }), /makeState/)
    })
  )
})
