import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as ListPage from "../../src/internal/ListPage.ts"

const request = { operation: "list", path: "" } as const
const query = { root: "r/", prefix: "", startAfter: undefined }
const time = new Date(0)
const objects = (...keys: ReadonlyArray<string>) => keys.map((Key) => ({ Key, Size: 1, LastModified: time }))
const paths = (result: ReturnType<typeof ListPage.decode>) => Result.getOrThrow(result)[0].map(({ path }) => path)
const reason = (result: ReturnType<typeof ListPage.decode>) =>
  Result.match(result, { onSuccess: () => "success", onFailure: (error) => error.reason._tag })
const reasonOf = (answer: Parameters<typeof ListPage.decode>[3]) =>
  reason(ListPage.decode(request, query, undefined, answer))

describe("ListPage", () => {
  it("leaves out what could not be a path of ours", () => {
    const Contents = objects("r/", "r/a", "r/a/", "r/b/../c", "r/b//c", "r/c\u0001", "r/d")
    assert.deepStrictEqual(paths(ListPage.decode(request, query, undefined, { IsTruncated: false, Contents })), [
      "a",
      "d"
    ])
  })

  it("takes no key from outside the root, the prefix or the start", () => {
    const Contents = objects("q/p9", "r/p0", "r/p1", "r/p2", "r/q")
    const asked = { root: "r/", prefix: "p", startAfter: "p1" }
    assert.deepStrictEqual(paths(ListPage.decode(request, asked, undefined, { IsTruncated: false, Contents })), ["p2"])
  })

  it("knows byte order from the order of JavaScript strings", () => {
    const answer = { IsTruncated: false, Contents: objects("r/\ufffd", "r/😀") }
    assert.deepStrictEqual(paths(ListPage.decode(request, query, undefined, answer)), ["\ufffd", "😀"])
    const wrong = { IsTruncated: false, Contents: objects("r/😀", "r/\ufffd") }
    assert.strictEqual(reason(ListPage.decode(request, query, undefined, wrong)), "Unsupported")
  })

  it("refuses a listing out of order, within a page and from page to page", () => {
    const position = { token: "t", lastKey: "r/b" }
    for (const [after, keys] of [
      [undefined, ["r/b", "r/a"]],
      [undefined, ["r/a", "r/a"]],
      [position, ["r/b"]],
      [position, ["r/a", "r/c"]]
    ] as const) {
      const answer = { IsTruncated: false, Contents: objects(...keys) }
      assert.strictEqual(reason(ListPage.decode(request, query, after, answer)), "Unsupported")
    }
  })

  it("goes on by token from the last key, also after a page of nothing", () => {
    const answer = { IsTruncated: true, NextContinuationToken: "t2" }
    const next = (position: ListPage.Position | undefined, keys: ReadonlyArray<string>) =>
      Option.getOrThrow(
        Result.getOrThrow(ListPage.decode(request, query, position, { ...answer, Contents: objects(...keys) }))[1]
      )
    assert.deepStrictEqual(next(undefined, ["r/a"]), { token: "t2", lastKey: "r/a" })
    assert.deepStrictEqual(next({ token: "t1", lastKey: "r/z" }, []), { token: "t2", lastKey: "r/z" })
  })

  it("refuses an answer that is no listing, has no continuation, or lacks a field", () => {
    assert.strictEqual(reasonOf({}), "Unavailable")
    assert.strictEqual(reasonOf({ IsTruncated: true }), "Unsupported")
    assert.strictEqual(reasonOf({ IsTruncated: false, Contents: [{ Key: "r/a", Size: 1 }] }), "Unavailable")
    assert.strictEqual(reasonOf({ IsTruncated: false, Contents: [{ Key: "r/a", LastModified: time }] }), "Unavailable")
  })

  it("sends what a URL can carry of any prefix and start", () => {
    for (const [text, sent] of [
      ["", "r/"],
      ["a/b", "r/a/b"],
      ["a😀", "r/a😀"],
      ["a\ud83d", "r/a"],
      ["a\u0000b", "r/a"]
    ] as const) {
      assert.deepStrictEqual(ListPage.parameters({ root: "r/", prefix: text, startAfter: text }), {
        Prefix: sent,
        StartAfter: sent
      })
    }
    assert.deepStrictEqual(ListPage.parameters({ ...query, prefix: "a" }), { Prefix: "r/a" })
  })
})
