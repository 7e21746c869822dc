/**
 * How a user tests an application: its own service, a bucket in memory, and a clock
 * that moves when it is told to. Nothing here waits, and nothing depends on luck.
 */
import type { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as ShortLinks from "../src/application/ShortLinks.ts"

/** Runs the application as one process: it starts, does this, and shuts down. */
const asProcess =
  (store: Layer.Layer<ObjectStore>) =>
  <A, E>(work: Effect.Effect<A, E, ShortLinks.ShortLinks>) =>
    Effect.provide(work, Layer.provide(ShortLinks.layer, store))

/** Opening writes a WAL object without rows, of so many bytes, to fence earlier writers. */
const fenceBytes = 114

/** How many WAL objects hold rows. */
const walObjects = (bucket: MemoryObjectStore.State): number =>
  [...bucket.objects].filter(([path, { bytes }]) => path.startsWith("short-links/wal/") && bytes.length > fenceBytes)
    .length

/** Starts something that waits for the store, and lets the interval pass that it waits for. */
const afterOneInterval = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
    yield* TestClock.adjust("100 millis")
    return yield* Fiber.join(fiber)
  })

describe("a URL shortener on a database", () => {
  it.effect("stores a link after 100 ms, not after 99, and gives its code out then", () => {
    const bucket = MemoryObjectStore.makeState()
    return Effect.gen(function* () {
      const links = yield* ShortLinks.ShortLinks
      const shortening = yield* Effect.forkChild(links.shorten("https://example.org/a"), { startImmediately: true })

      yield* TestClock.adjust("99 millis")
      assert.strictEqual(walObjects(bucket), 0)
      assert.isUndefined(shortening.pollUnsafe())

      yield* TestClock.adjust("1 millis")
      assert.strictEqual(walObjects(bucket), 1)
      assert.strictEqual(yield* Fiber.join(shortening), "000001")
    }).pipe(asProcess(MemoryObjectStore.layerState(bucket)))
  })

  it.effect("stores all links of one interval in one object", () => {
    const bucket = MemoryObjectStore.makeState()
    return Effect.gen(function* () {
      const links = yield* ShortLinks.ShortLinks
      const urls = Array.from({ length: 50 }, (_, i) => `https://example.org/${i}`)
      const codes = yield* afterOneInterval(Effect.forEach(urls, links.shorten, { concurrency: "unbounded" }))

      assert.strictEqual(new Set(codes).size, 50)
      assert.strictEqual(walObjects(bucket), 1)
      const listed = yield* Stream.runCollect(links.ofHost("example.org"))
      assert.deepStrictEqual(
        Array.from(listed, ({ url }) => url),
        urls
      )
    }).pipe(asProcess(MemoryObjectStore.layerState(bucket)))
  })

  it.effect("keeps every link that was given out when the process crashes, and gives its code to no other", () =>
    Effect.gen(function* () {
      const bucket = MemoryObjectStore.makeState()
      const left = yield* Effect.gen(function* () {
        const links = yield* ShortLinks.ShortLinks
        const code = yield* afterOneInterval(links.shorten("https://example.org/kept"))
        assert.strictEqual(yield* links.follow(code), "https://example.org/kept")
        yield* Effect.forkChild(links.shorten("https://example.org/lost"), { startImmediately: true })
        assert.strictEqual(yield* links.visits(code), 1n)
        // What a crash at this moment leaves behind is a copy of the bucket: nothing of the process, nor of its close.
        return MemoryObjectStore.copyState(bucket)
      }).pipe(asProcess(MemoryObjectStore.layerState(bucket)))

      yield* Effect.gen(function* () {
        const links = yield* ShortLinks.ShortLinks
        assert.strictEqual(yield* links.follow("000001"), "https://example.org/kept")
        // The link that nobody was told of is gone as a whole, and so is the visit that nobody waited for.
        assert.deepStrictEqual(yield* Stream.runCollect(links.ofHost("example.org")), [
          { code: "000001", url: "https://example.org/kept" }
        ])
        assert.strictEqual(yield* links.visits("000001"), 1n)
        assert.strictEqual(yield* afterOneInterval(links.shorten("https://example.org/next")), "000002")
      }).pipe(asProcess(MemoryObjectStore.layerState(left)))
    })
  )

  it.effect("loses nothing at all when it is shut down", () =>
    Effect.gen(function* () {
      const store = MemoryObjectStore.layerState(MemoryObjectStore.makeState())
      yield* Effect.gen(function* () {
        const links = yield* ShortLinks.ShortLinks
        const code = yield* afterOneInterval(links.shorten("https://example.org/a"))
        for (let i = 0; i < 5; i++) yield* links.follow(code)
      }).pipe(asProcess(store))

      const visits = yield* ShortLinks.ShortLinks.use((links) => links.visits("000001")).pipe(asProcess(store))
      assert.strictEqual(visits, 5n)
    })
  )

  it.effect("says what is wrong with a text that is no URL, and with a code that nobody has", () =>
    Effect.gen(function* () {
      const links = yield* ShortLinks.ShortLinks
      const notAUrl = yield* Effect.flip(links.shorten("over there"))
      assert.strictEqual(notAUrl.message, "not a URL: over there")
      const unknown = yield* Effect.flip(links.follow("zzzzzz"))
      assert.strictEqual(unknown.message, "no link has this code: zzzzzz")
    }).pipe(asProcess(MemoryObjectStore.layer))
  )
})
