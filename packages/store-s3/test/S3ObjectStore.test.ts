import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { vi } from "vitest"
import * as S3ObjectStore from "../src/S3ObjectStore.ts"
import * as FakeS3 from "./support/FakeS3.ts"
import { onFake } from "./support/Store.ts"

const bytes = (...values: ReadonlyArray<number>) => new Uint8Array(values)
const refused = ObjectStore.fail(new ObjectStore.Unavailable({ operation: "get", path: "a" }))
const eventually = (condition: () => boolean) =>
  Effect.promise(() => vi.waitUntil(condition, { timeout: 5000, interval: 5 }))

describe("S3ObjectStore requests", () => {
  it.live("a put sends one body under the prefix, signed; nothing is asked with checksums or expectations", () =>
    Effect.gen(function* () {
      const { fake, store } = yield* onFake([FakeS3.status(200), FakeS3.status(200), FakeS3.status(200, {}, "abc")])
      const large = new Uint8Array(3 * 1024 * 1024).fill(7)
      yield* store.put("a b/ü+😀.x", [bytes(1, 2), bytes(), bytes(3)])
      yield* store.put("large", large)
      yield* store.get("large")
      const [first, second] = fake.asked
      assert.strictEqual(`${first?.method} ${first?.path}`, "PUT /bucket/some/where/a b/ü+😀.x")
      assert.deepStrictEqual([...(first?.body ?? [])], [1, 2, 3])
      assert.include(first?.headers["authorization"], "/us-east-1/s3/aws4_request")
      assert.isTrue(second?.body.equals(large))
      for (const { headers } of fake.asked) {
        const names = Object.keys(headers).join(" ")
        assert.notMatch(names, /checksum|expect|transfer-encoding|if-none-match|slatedbputid/)
      }
    })
  )

  it.live("a create is conditional and carries its put id", () =>
    Effect.gen(function* () {
      const { fake, store } = yield* onFake([FakeS3.status(200)])
      yield* store.putIfAbsent("a", bytes(1), { putId: "01ARZ3" })
      assert.strictEqual(fake.asked[0]?.headers["if-none-match"], "*")
      assert.strictEqual(fake.asked[0]?.headers["x-amz-meta-slatedbputid"], "01ARZ3")
    })
  )

  it.live("a listing asks below the prefix, after the start, and strips the prefix from what comes", () =>
    Effect.gen(function* () {
      const { fake, store } = yield* onFake([FakeS3.page(["some/where/wal/2", "some/where/wal/3"])])
      const listed = yield* Stream.runCollect(store.list({ prefix: "wal/", startAfter: "wal/1" }))
      assert.deepStrictEqual(
        listed.map((meta) => [meta.path, meta.size, meta.lastModified, meta.putId]),
        ["wal/2", "wal/3"].map((path) => [path, 7, Date.UTC(2026, 10, 23, 12), undefined])
      )
      const asked = fake.asked[0]
      assert.strictEqual(`${asked?.method} ${asked?.path.replace(/\/$/, "")}`, "GET /bucket")
      assert.deepStrictEqual(Object.fromEntries(asked?.query ?? []), {
        "list-type": "2",
        prefix: "some/where/wal/",
        "start-after": "some/where/wal/1"
      })
    })
  )

  it.live("a path that no object may have is refused without a request, by every operation", () =>
    Effect.gen(function* () {
      const { fake, store } = yield* onFake([])
      for (const operation of [
        store.get("../a"),
        store.getRange("../a", { suffix: 1 }),
        store.head("../a"),
        store.put("../a", bytes()),
        store.putIfAbsent("../a", bytes(), { putId: "1" }),
        store.delete("../a")
      ]) {
        assert.strictEqual(
          (yield* Effect.flip<unknown, ObjectStore.ObjectStoreError, never>(operation)).reason._tag,
          "Invalid"
        )
      }
      assert.strictEqual(fake.asked.length, 0)
    })
  )
})

describe("S3ObjectStore connections", () => {
  it.live("one connection serves any number of requests in turn", () =>
    Effect.gen(function* () {
      const { fake, store } = yield* onFake(Array.from({ length: 20 }, () => FakeS3.status(200, {}, "abc")))
      for (let i = 0; i < 20; i++) yield* store.get("a")
      assert.strictEqual(fake.connections.opened, 1)
    })
  )

  it.live("no more than requestsMax requests are under way, and the others get their turn", () =>
    Effect.gen(function* () {
      let underWay = 0
      let underWayMax = 0
      const answer: FakeS3.Answer = (response) => {
        underWayMax = Math.max(underWayMax, ++underWay)
        setTimeout(() => {
          underWay--
          response.end("abc")
        }, 5)
      }
      const { fake, store } = yield* onFake(
        Array.from({ length: 30 }, () => answer),
        { requestsMax: 3 }
      )
      yield* Effect.forEach(Array.from({ length: 30 }), () => store.get("a"), { concurrency: "unbounded" })
      assert.strictEqual(underWayMax, 3)
      assert.isAtMost(fake.connections.opened, 3)
    })
  )

  it.live("requestsMax is the only bound: that many are under way together", () =>
    Effect.gen(function* () {
      const held: Array<() => void> = []
      const answer: FakeS3.Answer = (response) => {
        held.push(() => response.end("abc"))
        if (held.length === 60) for (const release of held) release()
      }
      const script = Array.from({ length: 60 }, () => answer)
      const { store } = yield* onFake(script, {
        requestsMax: 60,
        requestTimeout: "2 seconds",
        retry: Schedule.recurs(0)
      })
      yield* Effect.forEach(script, () => store.get("a"), { concurrency: "unbounded" })
    })
  )

  it.live("the end of the scope closes the connections", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const fake = yield* FakeS3.make([FakeS3.status(200, {}, "abc")])
      const { store } = yield* Effect.provideService(onFake([], { endpoint: fake.endpoint }), Scope.Scope, scope)
      yield* store.get("a")
      assert.strictEqual(fake.connections.open, 1)
      yield* Scope.close(scope, Exit.void)
      yield* eventually(() => fake.connections.open === 0)
    })
  )
})

describe("S3ObjectStore interruption and time", () => {
  it.live("interruption aborts a request that has no answer yet, and the store stays usable", () =>
    Effect.gen(function* () {
      const { fake, store } = yield* onFake([FakeS3.silence, FakeS3.status(200, {}, "abc")], { requestsMax: 1 })
      const fiber = yield* Effect.forkChild(store.get("a"))
      yield* eventually(() => fake.asked.length === 1)
      yield* Fiber.interrupt(fiber)
      yield* eventually(() => fake.connections.open === 0)
      assert.strictEqual((yield* store.get("a")).length, 3)
    })
  )

  it.live("interruption aborts a request in the middle of its answer", () =>
    Effect.gen(function* () {
      const { fake, store } = yield* onFake([FakeS3.half(1000, bytes(1, 2, 3))])
      const fiber = yield* Effect.forkChild(store.get("a"))
      yield* eventually(() => fake.asked.length === 1)
      yield* Effect.sleep("20 millis")
      yield* Fiber.interrupt(fiber)
      yield* eventually(() => fake.connections.open === 0)
    })
  )

  it.live("a server that stops sending is given up after requestTimeout and asked again", () =>
    Effect.gen(function* () {
      const { fake, store } = yield* onFake(
        [FakeS3.silence, FakeS3.half(1000, bytes(1)), FakeS3.status(200, {}, "abc")],
        { requestTimeout: "60 millis" }
      )
      assert.strictEqual((yield* store.get("a")).length, 3)
      assert.strictEqual(fake.asked.length, 3)
    })
  )

  it.effect("the default policy tries eight times, waiting longer each time up to about a second", () =>
    Effect.gen(function* () {
      const times: Array<number> = []
      const failing = Effect.clockWith((clock) => {
        times.push(clock.currentTimeMillisUnsafe())
        return Effect.fail(refused)
      })
      const fiber = yield* Effect.forkChild(Effect.exit(Effect.retry(failing, S3ObjectStore.defaultRetry)))
      yield* TestClock.adjust("1 minute")
      assert.isTrue(Exit.isFailure(yield* Fiber.join(fiber)))
      const waits = times.slice(1).map((time, i) => time - (times[i] ?? 0))
      const nominal = [100, 200, 400, 800, 1000, 1000, 1000]
      assert.strictEqual(waits.length, nominal.length)
      for (const [i, wait] of waits.entries()) assert.closeTo(wait, nominal[i] ?? 0, (nominal[i] ?? 0) * 0.2 + 1)
      assert.notDeepEqual(waits, nominal)
    })
  )
})

const openWith = (options: Partial<S3ObjectStore.Options>) =>
  Effect.flip(Effect.scoped(S3ObjectStore.make({ bucket: "b", ...options })))

describe("S3ObjectStore options", () => {
  it.effect("options that cannot be right are refused by name and bound, before any request", () =>
    Effect.gen(function* () {
      for (const [options, message] of [
        [{ bucket: "" }, "bucket is empty"],
        [{ prefix: "a//b" }, "prefix=a//b"],
        [{ prefix: "../a" }, "prefix=../a"],
        [{ requestsMax: 0 }, "requestsMax=0"],
        [{ requestsMax: 1.5 }, "requestsMax=1.5"],
        [{ requestTimeout: Duration.zero }, "requestTimeout=0ms"],
        [{ endpoint: "127.0.0.1:9160" }, "endpoint=127.0.0.1:9160"],
        [{ endpoint: "ftp://host" }, "endpoint=ftp://host"]
      ] as const) {
        const { reason } = yield* openWith(options)
        assert.strictEqual(reason._tag, "Invalid")
        assert.include(reason.message, message)
      }
    })
  )

  it.live("slashes around the prefix do not matter, and there need be none", () =>
    Effect.gen(function* () {
      for (const [prefix, path] of [
        ["/p/q/", "/bucket/p/q/a"],
        ["", "/bucket/a"]
      ] as const) {
        const { fake, store } = yield* onFake([FakeS3.status(200)], { prefix })
        yield* store.put("a", bytes())
        assert.strictEqual(fake.asked[0]?.path, path)
      }
    })
  )

  it.live("a server of one's own is asked by path, not by a host name for the bucket", () =>
    Effect.gen(function* () {
      const fake = yield* FakeS3.make([FakeS3.status(200)])
      const { store } = yield* onFake([], { endpoint: fake.endpoint.replace("127.0.0.1", "localhost") })
      yield* store.put("a", bytes())
      assert.strictEqual(fake.asked[0]?.path, "/bucket/some/where/a")
    })
  )

  it.live("options come from configuration, secrets redacted", () =>
    Effect.gen(function* () {
      const fake = yield* FakeS3.make([FakeS3.status(200, {}, "abc")])
      const layer = S3ObjectStore.layerConfig({
        bucket: Config.String("BUCKET"),
        endpoint: Config.String("ENDPOINT"),
        region: Config.String("REGION"),
        credentials: { accessKeyId: Config.String("KEY"), secretAccessKey: Config.Redacted("SECRET") }
      })
      const provider = ConfigProvider.fromUnknown({
        BUCKET: "from-config",
        ENDPOINT: fake.endpoint,
        REGION: "eu-west-9",
        KEY: "a-key",
        SECRET: "hush"
      })
      const store = Effect.flatMap(ObjectStore.ObjectStore, (store) => store.get("a"))
      yield* store.pipe(Effect.provide(layer), Effect.provideService(ConfigProvider.ConfigProvider, provider))
      assert.strictEqual(fake.asked[0]?.path, "/from-config/a")
      assert.include(fake.asked[0]?.headers["authorization"], "Credential=a-key/")
      assert.include(fake.asked[0]?.headers["authorization"], "/eu-west-9/s3/")
    })
  )

  it.live("a session token is sent; redacted and plain secrets sign alike", () =>
    Effect.gen(function* () {
      for (const secret of ["hush", Redacted.make("hush")]) {
        const { fake, store } = yield* onFake([FakeS3.status(200)], {
          credentials: { accessKeyId: "key", secretAccessKey: secret, sessionToken: secret }
        })
        yield* store.put("a", bytes())
        assert.strictEqual(fake.asked[0]?.headers["x-amz-security-token"], "hush")
      }
    })
  )

  it.live("without credentials the store opens, and the first request says where to put them", () =>
    Effect.gen(function* () {
      for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) vi.stubEnv(name, undefined)
      vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true")
      vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
      vi.stubEnv("AWS_CONFIG_FILE", "/nonexistent")
      const { fake, store } = yield* onFake([], { credentials: undefined })
      const { reason } = yield* Effect.flip(store.get("a"))
      assert.strictEqual(reason._tag, "Denied")
      assert.include(reason.message, "pass credentials, or set AWS_ACCESS_KEY_ID")
      const regionless = yield* S3ObjectStore.make({
        bucket: "b",
        credentials: { accessKeyId: "a", secretAccessKey: "b" }
      })
      const lost = yield* Effect.flip(regionless.get("a"))
      assert.strictEqual(lost.reason._tag, "Invalid")
      assert.include(lost.reason.message, "pass region, or set AWS_REGION")
      assert.strictEqual(fake.asked.length, 0)
    }).pipe(Effect.ensuring(Effect.sync(() => vi.unstubAllEnvs())))
  )
})
