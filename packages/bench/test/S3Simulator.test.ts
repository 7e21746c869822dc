import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as S3Simulator from "../src/S3Simulator.ts"

interface Client {
  readonly send: (method: string, path: string, options?: RequestInit) => Promise<Response>
  readonly list: (query: string) => Promise<ReadonlyArray<string>>
  readonly stats: () => Promise<S3Simulator.Stats>
}

const withClient = (use: (client: Client) => Promise<void>, latency = { putMillis: 0, getMillis: 0 }) =>
  Effect.gen(function* () {
    const url = yield* S3Simulator.start({ port: 0, ...latency })
    const send: Client["send"] = (method, path, options) => fetch(`${url}${path}`, { ...options, method })
    yield* Effect.promise(() =>
      use({
        send,
        list: async (query) => {
          const text = await (await send("GET", `/bucket?list-type=2&${query}`)).text()
          const tags = text.matchAll(/<(?:Key|Prefix|NextContinuationToken)>([^<]+)</g)
          return [...tags].map(([, name = ""]) => name)
        },
        stats: async (): Promise<S3Simulator.Stats> => JSON.parse(await (await send("GET", "/__stats")).text())
      })
    )
  }).pipe(Effect.scoped)

describe("S3Simulator", () => {
  it.live("creates an object once under If-None-Match, and keeps what was there", () =>
    withClient(async ({ send }) => {
      const create = (body: string) => send("PUT", "/bucket/a", { body, headers: { "if-none-match": "*" } })
      assert.strictEqual((await create("first")).status, 200)
      const second = await create("second")
      assert.strictEqual(second.status, 412)
      assert.include(await second.text(), "PreconditionFailed")
      assert.strictEqual(await (await send("GET", "/bucket/a")).text(), "first")
    })
  )

  it.live("lets one of many creators win", () =>
    withClient(
      async ({ send }) => {
        const creators = Array.from({ length: 20 }, (_, i) =>
          send("PUT", "/bucket/raced", { body: String(i), headers: { "if-none-match": "*" } })
        )
        const statuses = (await Promise.all(creators)).map((response) => response.status)
        assert.strictEqual(statuses.filter((status) => status === 200).length, 1)
        assert.strictEqual(statuses.filter((status) => status === 412).length, 19)
      },
      { putMillis: 5, getMillis: 0 }
    )
  )

  it.live("replaces under If-Match only what was read", () =>
    withClient(async ({ send }) => {
      const etag = (await send("PUT", "/bucket/a", { body: "1" })).headers.get("etag") ?? ""
      const replace = () => send("PUT", "/bucket/a", { body: "2", headers: { "if-match": etag } })
      assert.strictEqual((await replace()).status, 200)
      assert.strictEqual((await replace()).status, 412)
      assert.strictEqual((await send("PUT", "/bucket/b", { body: "2", headers: { "if-match": etag } })).status, 412)
    })
  )

  it.live("lists keys by prefix in the order of their bytes, after a key, and page by page", () =>
    withClient(async ({ list, send }) => {
      for (const key of [
        "wal/2",
        "wal/10",
        "wal/1",
        "manifest/1",
        "manifest/2",
        "wal/&",
        "wal/\u{1f600}",
        "wal/\uffee"
      ]) {
        await send("PUT", `/bucket/${encodeURIComponent(key)}`, { body: "x" })
      }
      const all = ["wal/&amp;", "wal/1", "wal/10", "wal/2", "wal/\uffee", "wal/\u{1f600}"]
      assert.deepStrictEqual(await list("prefix=wal/"), ["wal/", ...all])
      assert.deepStrictEqual(await list("prefix=wal/&start-after=wal/10"), ["wal/", ...all.slice(3)])
      const [, token, ...first] = await list("prefix=wal/&max-keys=2")
      assert.deepStrictEqual([token, first], ["wal/1", all.slice(0, 2)])
      assert.deepStrictEqual(await list("prefix=wal/&continuation-token=wal/1"), ["wal/", ...all.slice(2)])
      assert.deepStrictEqual(await list("delimiter=/"), ["manifest/", "wal/"])
      assert.deepStrictEqual(await list("delimiter=/&max-keys=1"), ["manifest/2", "manifest/"])
      assert.deepStrictEqual(await list("delimiter=/&continuation-token=manifest/2"), ["wal/"])
    })
  )

  it.live("reads ranges from the front, from the end and beyond it", () =>
    withClient(async ({ send }) => {
      await send("PUT", "/bucket/a", { body: "0123456789" })
      const range = async (range: string) => {
        const response = await send("GET", "/bucket/a", { headers: { range } })
        return [response.status, response.status === 206 ? await response.text() : ""]
      }
      assert.deepStrictEqual(await range("bytes=2-4"), [206, "234"])
      assert.deepStrictEqual(await range("bytes=7-"), [206, "789"])
      assert.deepStrictEqual(await range("bytes=-3"), [206, "789"])
      assert.deepStrictEqual(await range("bytes=8-100"), [206, "89"])
      assert.deepStrictEqual(await range("bytes=10-12"), [416, ""])
    })
  )

  it.live("keeps metadata, and tells size and absence without the body", () =>
    withClient(async ({ send }) => {
      await send("PUT", "/bucket/a", { body: "12345", headers: { "x-amz-meta-slatedbputid": "id" } })
      const head = await send("HEAD", "/bucket/a")
      assert.strictEqual(head.headers.get("content-length"), "5")
      assert.strictEqual(head.headers.get("x-amz-meta-slatedbputid"), "id")
      assert.strictEqual((await send("HEAD", "/bucket/b")).status, 404)
      assert.strictEqual((await send("GET", "/bucket/b")).status, 404)
    })
  )

  it.live("joins the parts of an upload in their order", () =>
    withClient(async ({ send }) => {
      const begun = await (await send("POST", "/bucket/big?uploads")).text()
      const id = /<UploadId>([^<]+)</.exec(begun)?.[1] ?? ""
      await send("PUT", `/bucket/big?partNumber=2&uploadId=${id}`, { body: "world" })
      await send("PUT", `/bucket/big?partNumber=1&uploadId=${id}`, { body: "hello " })
      assert.strictEqual((await send("GET", "/bucket/big")).status, 404)
      assert.strictEqual((await send("POST", `/bucket/big?uploadId=${id}`)).status, 200)
      assert.strictEqual(await (await send("GET", "/bucket/big")).text(), "hello world")
    })
  )

  it.live("deletes one object, many, and what is not there", () =>
    withClient(async ({ list, send }) => {
      for (const key of ["a", "b", "c"]) await send("PUT", `/bucket/${key}`, { body: key })
      assert.strictEqual((await send("DELETE", "/bucket/a")).status, 204)
      assert.strictEqual((await send("DELETE", "/bucket/a")).status, 204)
      const body = "<Delete><Object><Key>b</Key></Object><Object><Key>z</Key></Object></Delete>"
      assert.strictEqual((await send("POST", "/bucket?delete", { body })).status, 200)
      assert.deepStrictEqual(await list("prefix="), ["c"])
    })
  )

  it.live("counts requests and bytes by operation and kind of object", () =>
    withClient(async ({ send, stats }) => {
      await send("PUT", "/bucket/db/wal/1.sst", { body: "12345" })
      await send("PUT", "/bucket/db/wal/2.sst", { body: "123" })
      await send("GET", "/bucket/db/wal/1.sst", { headers: { range: "bytes=0-1" } })
      await send("GET", "/bucket/db/manifest/1")
      assert.deepStrictEqual(await stats(), {
        "PUT wal": { count: 2, bytes: 8 },
        "GET wal": { count: 1, bytes: 2 },
        "GET404 manifest": { count: 1, bytes: 0 }
      })
      await send("GET", "/__reset")
      assert.deepStrictEqual(await stats(), {})
    })
  )

  it.live("adds the latency it was told to add", () =>
    withClient(async ({ send }) => {
      await send("GET", "/__latency?put=30&get=0")
      const begun = performance.now()
      await send("PUT", "/bucket/a", { body: "1" })
      assert.isAtLeast(performance.now() - begun, 28)
    })
  )

  it.live("refuses an upload encoding that it would store as it is", () =>
    withClient(async ({ send }) => {
      const headers = { "content-encoding": "aws-chunked" }
      assert.strictEqual((await send("PUT", "/bucket/a", { body: "5;chunk-signature=", headers })).status, 501)
      assert.strictEqual((await send("GET", "/bucket/a")).status, 404)
    })
  )
})
