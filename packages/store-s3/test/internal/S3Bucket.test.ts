import type * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as FakeS3 from "../support/FakeS3.ts"
import { onFake } from "../support/Store.ts"

const body = new Uint8Array([1, 2, 3])
const mine = { putId: "mine" }
const methods = (fake: FakeS3.FakeS3) => fake.asked.map(({ method }) => method).join(" ")
const tagOf = <A>(effect: Effect.Effect<A, ObjectStore.ObjectStoreError>) =>
  Effect.map(Effect.flip(effect), ({ reason }) => reason._tag)

const broken: FakeS3.Answer = (response) => {
  response.writeHead(200, { "content-length": 10 })
  response.write("abc", () => response.socket?.destroy())
}

const partial = (contentRange: string, bytes: string) => FakeS3.status(206, { "content-range": contentRange }, bytes)

const all = (store: ObjectStore.ObjectStore["Service"]) =>
  Effect.map(Stream.runCollect(store.list({ prefix: "" })), (listed) => listed.map(({ path }) => path))

describe("S3Bucket retries", () => {
  it.live.each([
    ["a conflict", FakeS3.error(409, "ConditionalRequestConflict")],
    ["an overload", FakeS3.error(503, "SlowDown")],
    ["a bad gateway", FakeS3.status(502, {}, "<html>bad gateway</html>")],
    ["an internal error with an unreadable body", FakeS3.status(500, {}, "oops <")],
    ["a throttled request", FakeS3.status(429)],
    ["a request that came too slowly", FakeS3.error(400, "RequestTimeout")],
    ["a wrong clock", FakeS3.error(403, "RequestTimeTooSkewed")],
    ["a lost connection", FakeS3.lost]
  ] as const)("%s is tried again", ([, answer]) =>
    Effect.gen(function* () {
      const { fake, store } = yield* onFake([answer, answer, FakeS3.status(200)])
      yield* store.putIfAbsent("a", body, mine)
      assert.strictEqual(methods(fake), "PUT PUT PUT")
      for (const { body: sent, headers } of fake.asked) {
        assert.deepStrictEqual([...sent], [...body])
        assert.strictEqual(headers["x-amz-meta-slatedbputid"], "mine")
      }
    })
  )

  it.live("a request refused for a wrong clock is signed again with the server's time", () =>
    Effect.gen(function* () {
      const skewed = FakeS3.status(
        403,
        { date: "Mon, 23 Nov 2099 12:00:00 GMT" },
        "<Error><Code>AccessDenied</Code></Error>"
      )
      const { fake, store } = yield* onFake([skewed, FakeS3.status(200, {}, "abc")])
      assert.strictEqual((yield* store.get("a")).length, 3)
      assert.match(String(fake.asked[1]?.headers["x-amz-date"]), /^2099/)
    })
  )

  it.live("an answer without size or time of the object is asked for again", () =>
    Effect.gen(function* () {
      const timeless = FakeS3.status(200, { "content-length": "3" })
      const { store } = yield* onFake([timeless, FakeS3.headOf("mine")])
      assert.strictEqual((yield* store.head("a")).lastModified, Date.UTC(2026, 10, 23, 12))
    })
  )

  it.live("the schedule ends the tries, with the reason of the last one", () =>
    Effect.gen(function* () {
      const { fake, store } = yield* onFake(Array.from({ length: 9 }, () => FakeS3.error(503, "SlowDown")))
      const error = yield* Effect.flip(store.get("a"))
      assert.strictEqual(error.reason._tag, "Unavailable")
      assert.isTrue(error.isRetryable)
      assert.match(error.message, /operation=get path=a detail=status=503 code=SlowDown message=as scripted/)
      assert.strictEqual(fake.asked.length, 5)
    })
  )

  it.live("a body that breaks off is asked for again, never handed over short", () =>
    Effect.gen(function* () {
      const { store } = yield* onFake([broken, FakeS3.status(200, {}, "0123456789")])
      assert.strictEqual((yield* store.get("a")).length, 10)
    })
  )

  it.live("what cannot get better is asked for once", () =>
    Effect.gen(function* () {
      const { fake, store } = yield* onFake([FakeS3.error(403, "AccessDenied"), FakeS3.error(404, "NoSuchKey")])
      assert.strictEqual(yield* tagOf(store.get("a")), "Denied")
      assert.strictEqual(yield* tagOf(store.get("a")), "NotFound")
      assert.strictEqual(fake.asked.length, 2)
    })
  )
})

describe("S3Bucket creates whose outcome was lost", () => {
  const refusal = FakeS3.error(412, "PreconditionFailed")

  it.live("a create whose answer was lost after it landed succeeds: the object carries its id", () =>
    Effect.gen(function* () {
      const { fake, store } = yield* onFake([FakeS3.lost, refusal, FakeS3.headOf("mine")])
      yield* store.putIfAbsent("a", body, mine)
      assert.strictEqual(methods(fake), "PUT PUT HEAD")
    })
  )

  it.live("a create refused for another put's object fails, and is not tried again", () =>
    Effect.gen(function* () {
      const { fake, store } = yield* onFake([refusal, FakeS3.headOf("theirs")])
      assert.strictEqual(yield* tagOf(store.putIfAbsent("a", body, mine)), "AlreadyExists")
      assert.strictEqual(methods(fake), "PUT HEAD")
    })
  )

  it.live("an object without an id is another put's", () =>
    Effect.gen(function* () {
      const anonymous = FakeS3.status(200, { "content-length": "3", "last-modified": "Mon, 23 Nov 2026 12:00:00 GMT" })
      const { store } = yield* onFake([refusal, anonymous])
      assert.strictEqual(yield* tagOf(store.putIfAbsent("a", body, mine)), "AlreadyExists")
    })
  )

  it.live("an object that was there and is gone again is another put's", () =>
    Effect.gen(function* () {
      const { fake, store } = yield* onFake([refusal, FakeS3.status(404)])
      assert.strictEqual(yield* tagOf(store.putIfAbsent("a", body, mine)), "AlreadyExists")
      assert.strictEqual(methods(fake), "PUT HEAD")
    })
  )

  it.live("nothing is concluded from a look that fails: it is tried again", () =>
    Effect.gen(function* () {
      const { fake, store } = yield* onFake([refusal, FakeS3.status(503), FakeS3.lost, FakeS3.headOf("mine")])
      yield* store.putIfAbsent("a", body, mine)
      assert.strictEqual(methods(fake), "PUT HEAD HEAD HEAD")
      const denied = yield* onFake([refusal, FakeS3.status(403)])
      assert.strictEqual(yield* tagOf(denied.store.putIfAbsent("a", body, mine)), "Denied")
    })
  )

  it.live("a create that gave up may be repeated with its id until it answers", () =>
    Effect.gen(function* () {
      const { store } = yield* onFake([...Array.from({ length: 5 }, () => FakeS3.lost), refusal, FakeS3.headOf("mine")])
      assert.strictEqual(yield* tagOf(store.putIfAbsent("a", body, mine)), "Unavailable")
      yield* store.putIfAbsent("a", body, mine)
    })
  )
})

describe("S3Bucket ranges", () => {
  const whole = Buffer.from("0123456789")

  it.live("exactly the wanted bytes are asked for and given", () =>
    Effect.gen(function* () {
      const { fake, store } = yield* onFake([
        partial("bytes 2-4/10", "234"),
        partial("bytes 7-9/10", "789"),
        partial("bytes 8-9/10", "89"),
        partial("bytes 6-9/10", "6789")
      ])
      assert.strictEqual(Buffer.from(yield* store.getRange("a", { offset: 2, length: 3 })).toString(), "234")
      assert.strictEqual(Buffer.from(yield* store.getRange("a", { offset: 7 })).toString(), "789")
      assert.strictEqual(Buffer.from(yield* store.getRange("a", { suffix: 2 })).toString(), "89")
      assert.strictEqual(Buffer.from(yield* store.getRange("a", { offset: 6, length: 100 })).toString(), "6789")
      assert.deepStrictEqual(
        fake.asked.map(({ headers }) => headers.range),
        ["bytes=2-4", "bytes=7-", "bytes=-2", "bytes=6-105"]
      )
    })
  )

  it.live("a server that ignores the range gives the same bytes, cut from the whole", () =>
    Effect.gen(function* () {
      const { store } = yield* onFake(Array.from({ length: 3 }, () => FakeS3.status(200, {}, whole)))
      const middle = yield* store.getRange("a", { offset: 2, length: 3 })
      assert.strictEqual(Buffer.from(middle).toString(), "234")
      assert.strictEqual(middle.buffer.byteLength, 3, "the whole object is not kept in memory")
      assert.strictEqual(Buffer.from(yield* store.getRange("a", { suffix: 20 })).toString(), "0123456789")
      assert.strictEqual(yield* tagOf(store.getRange("a", { offset: 10 })), "Invalid")
    })
  )

  it.live("a server that sends other bytes than asked is caught", () =>
    Effect.gen(function* () {
      for (const contentRange of ["bytes 0-2/10", "bytes 2-3/10", "bytes 2-4/*", "bytes */10", "lines 2-4/10"]) {
        const { fake, store } = yield* onFake([partial(contentRange, "012")])
        assert.strictEqual(yield* tagOf(store.getRange("a", { offset: 2, length: 3 })), "Unsupported", contentRange)
        assert.strictEqual(fake.asked.length, 1)
      }
    })
  )

  it.live("an answer shorter than it says is asked for again", () =>
    Effect.gen(function* () {
      const { store } = yield* onFake([partial("bytes 2-4/10", "23"), partial("bytes 2-4/10", "234")])
      assert.strictEqual((yield* store.getRange("a", { offset: 2, length: 3 })).length, 3)
    })
  )

  it.live("a range of nothing is refused without a request, one beyond the end by the server", () =>
    Effect.gen(function* () {
      const { fake, store } = yield* onFake([FakeS3.error(416, "InvalidRange")])
      assert.strictEqual(yield* tagOf(store.getRange("a", { suffix: 0 })), "Invalid")
      assert.strictEqual(fake.asked.length, 0)
      const { message } = yield* Effect.flip(store.getRange("a", { offset: 10 }))
      assert.include(message, "beyond the end of the object")
      assert.strictEqual(fake.asked.length, 1)
    })
  )
})

describe("S3Bucket listings", () => {
  it.live("pages follow each other by token, as they are pulled and no earlier", () =>
    Effect.gen(function* () {
      const pages = [FakeS3.page(["some/where/a", "some/where/b"], { token: "t1" }), FakeS3.page(["some/where/c"])]
      const { fake, store } = yield* onFake([...pages, ...pages])
      assert.deepStrictEqual(yield* all(store), ["a", "b", "c"])
      assert.strictEqual(fake.asked[1]?.query.get("continuation-token"), "t1")
      yield* Stream.runDrain(Stream.take(store.list({ prefix: "" }), 2))
      assert.strictEqual(fake.asked.length, 3)
    })
  )

  it.live("a page that fails is tried again where it was", () =>
    Effect.gen(function* () {
      const { fake, store } = yield* onFake([
        FakeS3.page(["some/where/a"], { token: "t1" }),
        FakeS3.status(503),
        FakeS3.page(["some/where/b"])
      ])
      assert.deepStrictEqual(yield* all(store), ["a", "b"])
      assert.deepStrictEqual(
        fake.asked.map(({ query }) => query.get("continuation-token")),
        [null, "t1", "t1"]
      )
    })
  )

  it.live("an answer that is no listing is an outage, not an empty bucket", () =>
    Effect.gen(function* () {
      const { store } = yield* onFake(Array.from({ length: 5 }, () => FakeS3.status(200, {}, "<html>hello</html>")))
      assert.strictEqual(yield* tagOf(all(store)), "Unavailable")
    })
  )

  it.live("a delete of nothing succeeds, whatever the server says to it", () =>
    Effect.gen(function* () {
      const { store } = yield* onFake([FakeS3.status(204), FakeS3.error(404, "NoSuchKey")])
      yield* store.delete("a")
      yield* store.delete("a")
    })
  )
})
