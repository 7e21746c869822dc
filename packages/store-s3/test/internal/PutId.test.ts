import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as PutId from "../../src/internal/PutId.ts"

describe("PutId", () => {
  it.prop("any text comes back, and goes as a header can carry it", [Schema.String], ([text]) => {
    if (/\p{Surrogate}/u.test(text)) return
    const metadata = PutId.toMetadata(text)
    assert.strictEqual(PutId.fromMetadata(metadata), text)
    assert.match(Object.values(metadata).join(), /^[\x21-\x7e]*$/)
  })

  it("the ids that engines make stay as they are", () => {
    for (const id of ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "6f2c3c3e-3b0e-4b0e-9d2a-0a8f9e8b7c6d"]) {
      assert.deepStrictEqual(PutId.toMetadata(id), { slatedbputid: id })
    }
  })

  it("an id that was never encoded is read as it is; an object may have none", () => {
    assert.strictEqual(PutId.fromMetadata({ slatedbputid: "100%" }), "100%")
    assert.strictEqual(PutId.fromMetadata({}), undefined)
    assert.strictEqual(PutId.fromMetadata(undefined), undefined)
  })
})
