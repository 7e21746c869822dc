import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Ulid from "../../../src/internal/model/Ulid.ts"

const Half = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: 2n ** 64n - 1n }))
const Time = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 48 - 1 }))
const Fraction = Schema.Number.check(Schema.isBetween({ minimum: 0, maximum: 1, exclusiveMaximum: true }))

/** 128 bits in base 32, digit by digit. */
const naive = (bits: bigint): string => {
  let text = ""
  for (let i = 0; i < 26; i++, bits >>= 5n) text = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[Number(bits & 31n)] + text
  return text
}

const bitsOf = (ulid: string): bigint => {
  const { high, low } = Ulid.toHalves(ulid)
  return (high << 64n) | low
}

describe("Ulid", () => {
  it("reads the id of a table that the official engine wrote", () => {
    const ulid = Ulid.fromHalves(0x01a205b9b91e68f2n, 0xb16cd1f176d39686n)
    assert.strictEqual(ulid, "01M82VKE8YD3SB2V6HY5VD75M6")
    assert.strictEqual(Ulid.timeMillis(ulid), 1795392387358)
  })

  it.prop("is 128 bits in base 32", [Half, Half], ([high, low]) => {
    const ulid = Ulid.fromHalves(high, low)
    assert.strictEqual(ulid, naive((high << 64n) | low))
    assert.isTrue(Ulid.isUlid(ulid))
    assert.deepStrictEqual(Ulid.toHalves(ulid), { high, low })
    assert.strictEqual(Ulid.timeMillis(ulid), Number(high >> 16n))
  })

  it.prop("is made of a time and random bits, and sorts by time", [Time, Time, Fraction], ([time, other, fraction]) => {
    const ulid = Ulid.make(time, () => fraction)
    assert.isTrue(Ulid.isUlid(ulid))
    assert.strictEqual(Ulid.timeMillis(ulid), time)
    assert.strictEqual(ulid.slice(10), naive(BigInt(Math.floor(fraction * 32)))[25]?.repeat(16))
    const later = Ulid.make(other, () => 0)
    if (time < other) assert.isTrue(ulid < later)
    if (time > other) assert.isTrue(ulid > later)
  })

  it("holds the least and the greatest time for times outside of them", () => {
    assert.strictEqual(Ulid.timeMillis(Ulid.make(-5, () => 0)), 0)
    assert.strictEqual(Ulid.timeMillis(Ulid.make(1.9, () => 0)), 1)
    assert.strictEqual(Ulid.timeMillis(Ulid.make(2 ** 60, () => 0)), 2 ** 48 - 1)
  })

  it.prop("has a successor, the next in order", [Half, Half], ([high, low]) => {
    const ulid = Ulid.fromHalves(high, low >> 1n)
    const next = Ulid.increment(ulid)
    assert.strictEqual(bitsOf(next), bitsOf(ulid) + 1n)
    assert.isTrue(next > ulid)
  })

  it("carries into its time when its random bits are at their end", () => {
    assert.strictEqual(Ulid.increment("01M82VKE8YZZZZZZZZZZZZZZZZ"), "01M82VKE8Z0000000000000000")
    assert.throws(() => Ulid.increment("7ZZZZZZZZZZZZZZZZZZZZZZZZZ"), /a ulid has a successor/)
  })

  it.each([
    "",
    "01M82VKE8YD3SB2V6HY5VD75M",
    "81M82VKE8YD3SB2V6HY5VD75M6",
    "01m82vke8yd3sb2v6hy5vd75m6",
    "01M82VKE8YD3SB2V6HY5VD75MI"
  ])("%j is none", (text) => assert.isFalse(Ulid.isUlid(text)))
})
