import type * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as S3ObjectStore from "../../src/S3ObjectStore.ts"
import * as FakeS3 from "../support/FakeS3.ts"
import { onFake } from "../support/Store.ts"

type Store = ObjectStore.ObjectStore["Service"]
type Outcome = Effect.Effect<unknown, ObjectStore.ObjectStoreError>

const operations: Record<string, (store: Store) => Outcome> = {
  get: (store) => store.get("a"),
  getRange: (store) => store.getRange("a", { suffix: 1 }),
  head: (store) => store.head("a"),
  put: (store) => store.put("a", new Uint8Array(1)),
  putIfAbsent: (store) => store.putIfAbsent("a", new Uint8Array(1), { putId: "1" }),
  delete: (store) => store.delete("a"),
  list: (store) => Stream.runDrain(store.list({ prefix: "a" }))
}

/** An answer, the operations it is given to (all but `head`, which has no body to name an error, unless named), and the reason. */
const cases: ReadonlyArray<readonly [number, string, ObjectStore.Reason["_tag"], ReadonlyArray<string>?]> = [
  [400, "InvalidArgument", "Invalid"],
  [400, "ExpiredToken", "Denied"],
  [400, "InvalidToken", "Denied"],
  [400, "RequestTimeout", "Unavailable"],
  [400, "AuthorizationHeaderMalformed", "Invalid"],
  [301, "PermanentRedirect", "Invalid"],
  [401, "Unauthorized", "Denied"],
  [403, "AccessDenied", "Denied"],
  [403, "SignatureDoesNotMatch", "Denied"],
  [403, "RequestTimeTooSkewed", "Unavailable"],
  [404, "NoSuchBucket", "Invalid"],
  [404, "NoSuchKey", "NotFound", ["get", "getRange", "head"]],
  [404, "NoSuchKey", "Unavailable", ["put", "putIfAbsent"]],
  [405, "MethodNotAllowed", "Unsupported"],
  [408, "RequestTimeOut", "Unavailable"],
  [409, "ConditionalRequestConflict", "Unavailable"],
  [409, "OperationAborted", "Unavailable"],
  [412, "PreconditionFailed", "Invalid", ["put", "get"]],
  [416, "InvalidRange", "Invalid", ["getRange"]],
  [425, "TooEarly", "Unavailable"],
  [429, "TooManyRequests", "Unavailable"],
  [500, "InternalError", "Unavailable"],
  [501, "NotImplemented", "Unsupported"],
  [503, "SlowDown", "Unavailable"],
  [507, "InsufficientStorage", "Unavailable"]
]

describe("S3Failure", () => {
  it.live.each(cases)("%s %s is %s", ([status, code, tag, names]) =>
    Effect.gen(function* () {
      for (const [operation, run] of Object.entries(operations)) {
        if (!(names ?? Object.keys(operations).filter((name) => name !== "head")).includes(operation)) continue
        const { store } = yield* onFake([FakeS3.error(status, code)], { retry: Schedule.recurs(0) })
        const { reason, isRetryable } = yield* Effect.flip(run(store))
        assert.strictEqual(reason._tag, tag, operation)
        assert.strictEqual(isRetryable, tag === "Unavailable")
        assert.strictEqual(reason.operation, operation)
        assert.strictEqual(reason.path, "a")
        assert.include(reason.detail, `status=${status}`)
        assert.isDefined(reason.cause)
      }
    })
  )

  it.live("a head has no body, and its status decides", () =>
    Effect.gen(function* () {
      for (const [status, tag] of [
        [301, "Invalid"],
        [403, "Denied"],
        [404, "NotFound"],
        [400, "Invalid"],
        [501, "Unsupported"],
        [503, "Unavailable"]
      ] as const) {
        const { store } = yield* onFake([FakeS3.status(status)], { retry: Schedule.recurs(0) })
        assert.strictEqual((yield* Effect.flip(store.head("a"))).reason._tag, tag)
      }
    })
  )

  it.live("sentences say what to do", () =>
    Effect.gen(function* () {
      for (const [answer, sentence] of [
        [FakeS3.error(404, "NoSuchBucket"), "the bucket does not exist: create it, or correct its name"],
        [FakeS3.error(301, "PermanentRedirect"), "set region to the bucket's"],
        [FakeS3.error(403, "AccessDenied"), "grant s3:GetObject and s3:ListBucket"]
      ] as const) {
        const { store } = yield* onFake([answer])
        assert.include((yield* Effect.flip(store.get("a"))).message, sentence)
      }
    })
  )

  it.live("a server that is not there, a name that does not resolve and a connection cut are outages", () =>
    Effect.gen(function* () {
      const gone = yield* Effect.scoped(FakeS3.make([]))
      for (const [endpoint, code] of [
        [gone.endpoint, "ECONNREFUSED"],
        ["http://effect-slatedb.invalid", "code="]
      ] as const) {
        const store = yield* S3ObjectStore.make({
          bucket: "b",
          endpoint,
          credentials: { accessKeyId: "a", secretAccessKey: "b" },
          retry: Schedule.recurs(0)
        })
        const { reason } = yield* Effect.flip(store.get("a"))
        assert.strictEqual(reason._tag, "Unavailable")
        assert.include(reason.detail, code)
      }
    })
  )

  it.live("a request that HTTP cannot carry is invalid", () =>
    Effect.gen(function* () {
      const credentials = { accessKeyId: "key", secretAccessKey: "secret", sessionToken: "two\nlines" }
      const { fake, store } = yield* onFake([], { credentials })
      assert.strictEqual((yield* Effect.flip(store.get("a"))).reason._tag, "Invalid")
      const create = store.putIfAbsent("a", new Uint8Array(1), { putId: "\ud800" })
      assert.strictEqual((yield* Effect.flip(create)).reason._tag, "Invalid")
      assert.strictEqual(fake.asked.length, 0)
    })
  )
})
