import { assert, describe, it } from "@effect/vitest"
import type * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as HttpRange from "../../src/internal/HttpRange.ts"

const request = { operation: "getRange", path: "a" } as const
const upTo = (bound: number, from = 0) => Schema.Int.check(Schema.isBetween({ minimum: from, maximum: bound }))
const Range = Schema.Union([
  Schema.Struct({ offset: upTo(40), length: upTo(40, 1) }),
  Schema.Struct({ offset: upTo(40) }),
  Schema.Struct({ suffix: upTo(40, 1) })
])

/** A server by the book: RFC 9110, 14. */
const serve = (object: Uint8Array, header: string): HttpRange.Answer | undefined => {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(header) ?? []
  const start = first === "" ? Math.max(0, object.length - Number(last)) : Number(first)
  const end = first === "" || last === "" ? object.length : Math.min(object.length, Number(last) + 1)
  if (start >= object.length) return undefined
  return { bytes: object.slice(start, end), contentRange: `bytes ${start}-${end - 1}/${object.length}` }
}

/** What the contract means, in array terms. */
const naive = (object: Uint8Array, range: ObjectStore.ByteRange): Uint8Array =>
  "suffix" in range
    ? object.slice(-range.suffix)
    : object.slice(range.offset, range.length === undefined ? undefined : range.offset + range.length)

describe("HttpRange", () => {
  it.prop(
    "gives the meant bytes from a server that knows ranges and from one that does not",
    [Range, upTo(30)],
    ([range, size]) => {
      const object = Uint8Array.from({ length: size }, (_, i) => i)
      const meant = naive(object, range)
      const answer = serve(object, HttpRange.header(range))
      assert.strictEqual(answer === undefined, meant.length === 0)
      if (answer !== undefined) {
        assert.strictEqual(answer.bytes.length, meant.length, "nothing more is transferred")
        assert.deepStrictEqual(Result.getOrThrow(HttpRange.select(request, range, answer)), meant)
      }
      const cut = HttpRange.select(request, range, { bytes: object, contentRange: undefined })
      assert.strictEqual(Result.isFailure(cut), meant.length === 0)
      if (Result.isSuccess(cut)) assert.deepStrictEqual(cut.success, meant)
    }
  )

  it.prop("gives no bytes from an answer to another range", [Range, Range, upTo(30, 1)], ([asked, sent, size]) => {
    const object = Uint8Array.from({ length: size }, (_, i) => i)
    const answer = serve(object, HttpRange.header(sent))
    if (answer === undefined) return
    const selected = HttpRange.select(request, asked, answer)
    if (Result.isSuccess(selected)) assert.deepStrictEqual(selected.success, naive(object, asked))
  })

  it("asks for no more than HTTP numbers can say", () => {
    assert.strictEqual(
      HttpRange.header({ offset: Number.MAX_SAFE_INTEGER - 1, length: Number.MAX_SAFE_INTEGER }),
      `bytes=${Number.MAX_SAFE_INTEGER - 1}-${Number.MAX_SAFE_INTEGER}`
    )
  })
})
