import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as CountedObjectStore from "../src/CountedObjectStore.ts"

describe("CountedObjectStore", () => {
  it.effect("counts requests and bytes by operation and kind of object, failed ones included", () => {
    const counted = CountedObjectStore.make(MemoryObjectStore.layer)
    return Effect.gen(function* () {
      const store = yield* ObjectStore.ObjectStore
      const create = store.putIfAbsent("db/wal/1.sst", [new Uint8Array(3), new Uint8Array(4)], { putId: "a" })
      yield* create
      yield* Effect.flip(store.putIfAbsent("db/wal/1.sst", new Uint8Array(1), { putId: "b" }))
      yield* store.put("db/manifest/1.manifest", new Uint8Array(5))
      assert.strictEqual((yield* store.get("db/wal/1.sst")).length, 7)
      assert.strictEqual((yield* store.getRange("db/wal/1.sst", { offset: 2, length: 2 })).length, 2)
      yield* Effect.flip(store.get("db/wal/2.sst"))
      assert.strictEqual((yield* store.head("db/wal/1.sst")).size, 7)
      assert.strictEqual((yield* Stream.runCollect(store.list({ prefix: "db/wal/" }))).length, 1)
      yield* store.delete("db/other")
      assert.deepStrictEqual(counted.counters(), {
        "putIfAbsent wal": 2,
        "putIfAbsent wal bytes": 8,
        "put manifest": 1,
        "put manifest bytes": 5,
        "get wal": 2,
        "get wal bytes": 7,
        "getRange wal": 1,
        "getRange wal bytes": 2,
        "head wal": 1,
        "list wal": 1,
        "delete other": 1
      })
    }).pipe(Effect.provide(counted.layer))
  })

  it.effect("counts a request each time its effect runs, and none that never runs", () => {
    const counted = CountedObjectStore.make(MemoryObjectStore.layer)
    return Effect.gen(function* () {
      const store = yield* ObjectStore.ObjectStore
      const head = Effect.flip(store.head("db/wal/1.sst"))
      assert.deepStrictEqual(counted.counters(), {})
      yield* head
      yield* head
      assert.deepStrictEqual(counted.counters(), { "head wal": 2 })
    }).pipe(Effect.provide(counted.layer))
  })
})
