import type * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as ObjectStoreSuite from "@effect-slatedb/testkit/ObjectStoreSuite"
import * as S3Server from "@effect-slatedb/testkit/S3Server"
import * as S3Suite from "@effect-slatedb/testkit/S3Suite"
import { assert, it } from "@effect/vitest"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as S3ObjectStore from "../src/S3ObjectStore.ts"

/** Bytes that tell which object they are of and whether any are missing. */
const contentOf = (seed: number, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (Math.imul(seed + i, 2654435761) >>> 24) & 0xff)

const open = Effect.fnUntraced(function* (server: S3Server.S3Server, options: Partial<S3ObjectStore.Options> = {}) {
  const bucket = options.bucket ?? (yield* S3Server.makeBucket(server))
  return yield* S3ObjectStore.make({ ...server, bucket, prefix: "p", ...options })
})

const pathsOf = (store: ObjectStore.ObjectStore["Service"]) =>
  Effect.map(Stream.runCollect(store.list({ prefix: "" })), (listed) => listed.map(({ path }) => path))

S3Suite.suite("S3ObjectStore on a real server", (server) => {
  // Without a prefix, which would shorten the longest path.
  ObjectStoreSuite.suite(
    "S3ObjectStore",
    Layer.unwrap(Effect.map(S3Server.makeBucket(server), (bucket) => S3ObjectStore.layer({ ...server, bucket })))
  )

  it.live("of 50 creators of one path exactly one succeeds, and its object is there, whole", () =>
    Effect.gen(function* () {
      const store = yield* open(server)
      for (const [round, size] of [16, 70_000, 300_000].entries()) {
        const path = `race/${round}`
        const outcomes = yield* Effect.forEach(
          Array.range(1, 50),
          (i) => Effect.result(store.putIfAbsent(path, contentOf(i, size), { putId: `creator-${i}` })),
          { concurrency: "unbounded" }
        )
        const winners = outcomes.flatMap((outcome, i) => (Result.isSuccess(outcome) ? [i + 1] : []))
        const reasons = outcomes.flatMap((outcome) => (Result.isFailure(outcome) ? [outcome.failure.reason._tag] : []))
        assert.strictEqual(winners.length, 1)
        assert.deepStrictEqual(new Set(reasons), new Set(["AlreadyExists"]))
        assert.deepStrictEqual(yield* store.get(path), contentOf(winners[0] ?? 0, size))
        assert.strictEqual((yield* store.head(path)).putId, `creator-${winners[0]}`)
      }
    })
  )

  it.live("50 concurrent tries of one create all succeed", () =>
    Effect.gen(function* () {
      const store = yield* open(server)
      const create = store.putIfAbsent("a", contentOf(1, 5000), { putId: "one" })
      yield* Effect.all(
        Array.makeBy(50, () => create),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(yield* store.get("a"), contentOf(1, 5000))
      const other = yield* Effect.flip(store.putIfAbsent("a", contentOf(2, 10), { putId: "two" }))
      assert.strictEqual(other.reason._tag, "AlreadyExists")
    })
  )

  it.live("what is not allowed or not there is said so", () =>
    Effect.gen(function* () {
      const bucket = yield* S3Server.makeBucket(server)
      const stranger = { accessKeyId: "nobody", secretAccessKey: "wrong" }
      const impostor = { ...server.credentials, secretAccessKey: "wrong" }
      for (const credentials of [stranger, impostor]) {
        const store = yield* open(server, { bucket, credentials })
        assert.strictEqual((yield* Effect.flip(store.get("a"))).reason._tag, "Denied")
        assert.strictEqual((yield* Effect.flip(pathsOf(store))).reason._tag, "Denied")
      }
      const nowhere = yield* open(server, { bucket: "effect-slatedb-no-such-bucket" })
      assert.strictEqual((yield* Effect.flip(nowhere.get("a"))).reason._tag, "Invalid")
      const { reason } = yield* Effect.flip(nowhere.putIfAbsent("a", new Uint8Array(1), { putId: "1" }))
      assert.strictEqual(reason._tag, "Invalid")
      assert.include(reason.message, "the bucket does not exist")
    })
  )

  it.live("two prefixes of one bucket do not see each other", () =>
    Effect.gen(function* () {
      const bucket = yield* S3Server.makeBucket(server)
      const one = yield* open(server, { bucket, prefix: "p" })
      const other = yield* open(server, { bucket, prefix: "p2" })
      const whole = yield* open(server, { bucket, prefix: "" })
      yield* one.put("a", new Uint8Array(1))
      yield* other.put("b", new Uint8Array(1))
      assert.deepStrictEqual(yield* pathsOf(one), ["a"])
      assert.deepStrictEqual(yield* pathsOf(other), ["b"])
      assert.deepStrictEqual(yield* pathsOf(whole), ["p/a", "p2/b"])
    })
  )
})
