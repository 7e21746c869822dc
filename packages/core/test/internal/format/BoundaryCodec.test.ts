import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as BoundaryCodec from "../../../src/internal/format/BoundaryCodec.ts"

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

const Id = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }))

describe("BoundaryCodec", () => {
  it.prop("reads what it writes, decimal digits", [Id], ([id]) => {
    assert.deepStrictEqual(BoundaryCodec.encode(id), bytes(String(id)))
    assert.deepStrictEqual(BoundaryCodec.decode(BoundaryCodec.encode(id)), Result.succeed(id))
  })

  it("reads leading zeros", () => {
    assert.deepStrictEqual(BoundaryCodec.decode(bytes("00000000000000000042")), Result.succeed(42))
  })

  it.each(["", " 1", "1\n", "-1", "+1", "1.5", "0x10", "９", "000000000000000000001", "9007199254740992"])(
    "refuses %j",
    (text) => {
      const error = Result.getOrThrow(Result.flip(BoundaryCodec.decode(bytes(text))))
      assert.strictEqual(error.kind, "corrupt")
      assert.strictEqual(error.part, "boundary")
    }
  )
})
