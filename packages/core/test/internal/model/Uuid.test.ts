import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Uuid from "../../../src/internal/model/Uuid.ts"

const Half = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: 2n ** 64n - 1n }))

describe("Uuid", () => {
  it("reads the id of a checkpoint that the official engine wrote", () => {
    assert.strictEqual(
      Uuid.fromHalves(0x6bc42c1621984823n, 0xa6cd52bd46704f7an),
      "6bc42c16-2198-4823-a6cd-52bd46704f7a"
    )
  })

  it.prop("is 128 bits in hexadecimal", [Half, Half], ([high, low]) => {
    const uuid = Uuid.fromHalves(high, low)
    assert.isTrue(Uuid.isUuid(uuid))
    assert.deepStrictEqual(Uuid.toHalves(uuid), { high, low })
    assert.strictEqual(BigInt(`0x${uuid.replaceAll("-", "")}`), (high << 64n) | low)
  })

  it("is written in lower case, with its dashes", () => {
    assert.isFalse(Uuid.isUuid("6BC42C16-2198-4823-A6CD-52BD46704F7A"))
    assert.isFalse(Uuid.isUuid("6bc42c1621984823a6cd52bd46704f7a"))
  })
})
