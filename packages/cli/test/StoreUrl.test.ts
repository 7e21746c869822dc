import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as StoreUrl from "../src/StoreUrl.ts"

describe("StoreUrl", () => {
  for (const [text, url] of [
    ["memory:", { _tag: "Memory" }],
    ["file:data", { _tag: "File", root: "data" }],
    ["file:./a b/c", { _tag: "File", root: "./a b/c" }],
    ["file:/var/db", { _tag: "File", root: "/var/db" }],
    ["file:///var/db", { _tag: "File", root: "/var/db" }],
    ["s3://bucket", { _tag: "S3", bucket: "bucket", prefix: "" }],
    ["s3://bucket/", { _tag: "S3", bucket: "bucket", prefix: "" }],
    ["s3://bucket/a/b", { _tag: "S3", bucket: "bucket", prefix: "a/b" }]
  ] as const) {
    it(`understands ${text}`, () => {
      const parsed = Result.getOrThrow(StoreUrl.parse(text))
      assert.deepStrictEqual(parsed, url)
      assert.deepStrictEqual(StoreUrl.parse(StoreUrl.print(parsed)), Result.succeed(parsed))
    })
  }

  for (const text of ["", "file:", "data", "s3:bucket", "s3://", "s3:///a", "http://x", "memory:x", "gs://b"]) {
    it(`refuses "${text}" and says what would do`, () => {
      const problem = Result.getOrThrow(Result.flip(StoreUrl.parse(text)))
      assert.strictEqual(
        problem.message,
        `--store: "${text}" is no store; give file:DIR, s3://BUCKET/PREFIX or memory:.`
      )
      assert.strictEqual(problem.exitCode, 2)
    })
  }
})
