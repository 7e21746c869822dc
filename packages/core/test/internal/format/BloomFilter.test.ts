/**
 * Filters: that the bits are the official engine's is shown by the fixture tables,
 * here: what a filter answers, both forms, and forms that nobody writes.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as BloomFilter from "../../../src/internal/format/BloomFilter.ts"
import { SipHash } from "../../../src/internal/format/SipHash.ts"
import * as Hostile from "./Hostile.ts"
import { concat, text } from "./TableRows.ts"

const hash = new SipHash()

const payloadOf = (keys: ReadonlyArray<string>, bitsPerKey = 10): Uint8Array => {
  const builder = new BloomFilter.BloomFilterBuilder(bitsPerKey)
  for (const key of keys) {
    const bytes = text(key)
    hash.hash(bytes, 0, bytes.length)
    builder.add(hash.low, hash.high)
  }
  return builder.finish()
}

const asks =
  (filter: BloomFilter.BloomFilter) =>
  (key: string): boolean => {
    const bytes = text(key)
    hash.hash(bytes, 0, bytes.length)
    return filter.mightContain(hash.low, hash.high)
  }

const legacy = (payload: Uint8Array) => asks(Result.getOrThrow(BloomFilter.decode(payload, "legacy")))
const composite = (payload: Uint8Array) => asks(Result.getOrThrow(BloomFilter.decode(payload, "composite")))

/** The composite form: `u16 count`, then `u16 name length, name, u64 length, data`. */
const compose = (...filters: ReadonlyArray<readonly [name: string, data: Uint8Array]>): Uint8Array =>
  concat([
    Uint8Array.of(0, filters.length),
    ...filters.flatMap(([name, data]) => {
      const length = new Uint8Array(8)
      new DataView(length.buffer).setBigUint64(0, BigInt(data.length))
      return [Uint8Array.of(0, name.length), text(name), length, data]
    })
  ])

const keys = Array.from({ length: 5_000 }, (_, i) => `key/${i}`)
const others = Array.from({ length: 5_000 }, (_, i) => `other/${i}`)

describe("a filter", () => {
  it("of two keys is the one in the format's description", () => {
    assert.strictEqual(Buffer.from(payloadOf(["key/00099", "mrg"])).toString("hex"), "0006947025")
  })

  it.each([
    [0, 0],
    [1, 0],
    [2, 1],
    [10, 6],
    [16, 11],
    [100, 69]
  ])("of %d bits per key has %d probes", (bitsPerKey, probes) => {
    assert.strictEqual(BloomFilter.probesFor(bitsPerKey), probes)
    const payload = payloadOf(["a", "b", "c"], bitsPerKey)
    assert.strictEqual((payload[0] as number) * 256 + (payload[1] as number), probes)
    assert.lengthOf(payload, 2 + Math.ceil((3 * bitsPerKey) / 8))
  })

  it("knows all of its keys, and takes one in a hundred others for one", () => {
    const has = legacy(payloadOf(keys))
    assert.isTrue(keys.every(has))
    assert.isBelow(others.filter(has).length, 75)
  })

  it.prop("knows all of its keys, whatever they are", [Schema.Array(Schema.String)], ([some]) => {
    for (const bitsPerKey of [1, 3, 10, 64, 200]) assert.isTrue(some.every(legacy(payloadOf(some, bitsPerKey))))
  })

  it("sets the same bits at once and in slices", () => {
    const builder = new BloomFilter.BloomFilterBuilder(10)
    for (const key of keys) {
      const bytes = text(key)
      hash.hash(bytes, 0, bytes.length)
      builder.add(hash.low, hash.high)
    }
    while (!builder.place(7));
    assert.deepStrictEqual(builder.finish(), payloadOf(keys))
  })

  it("without bits, or without probes, answers that anything may be there", () => {
    for (const payload of [Uint8Array.of(0, 6), Uint8Array.of(0, 0, 0, 0), payloadOf([])]) {
      assert.isTrue(others.every(legacy(payload)))
    }
  })

  it("is asked 64 of its probes at most: with fewer, no key is lost", () => {
    const payload = payloadOf(keys.slice(0, 100), 400)
    assert.strictEqual((payload[0] as number) * 256 + (payload[1] as number), 276)
    assert.isTrue(keys.slice(0, 100).every(legacy(payload)))
    // 64 probes were set; a count of 65,535 does not make it look at more.
    const some = payloadOf(["a"], 93)
    assert.strictEqual(some[1], 64)
    some.set([0xff, 0xff])
    assert.isTrue(legacy(some)("a"))
    const claimed = concat([Uint8Array.of(0xff, 0xff), new Uint8Array(1_000).fill(0xff)])
    assert.isTrue(others.every(legacy(claimed)))
  })

  it("stays inside its bits though its probes are more", () => {
    // The step grows by the number of the probe, and is taken modulo 8 bits.
    assert.isTrue(others.every(legacy(Uint8Array.of(0, 64, 0xff))))
  })
})

describe("a composite filter", () => {
  const bloom = payloadOf(keys)

  it("answers by its filter over whole keys, wherever that stands", () => {
    for (const payload of [
      compose(["_bf", bloom]),
      compose(["_bf:p=tenant:wh=0", text("anything")], ["_bf", bloom], ["later", new Uint8Array(0)])
    ]) {
      const has = composite(payload)
      assert.isTrue(keys.every(has))
      assert.isBelow(others.filter(has).length, 75)
    }
  })

  it("of filters that are not understood answers that anything may be there", () => {
    for (const payload of [
      compose(),
      compose(["_bf:p=tenant", bloom]),
      compose(["_bf:wh=0", bloom]),
      compose(["_b", bloom], ["ribbon", bloom])
    ]) {
      assert.isTrue(others.every(composite(payload)))
    }
  })

  it.each([
    ["a count of one byte", new Uint8Array(1), /filter count: offset=0/],
    ["a filter that is not there", Uint8Array.of(0, 1), /filter name: offset=2/],
    ["half a name", Uint8Array.of(0, 1, 0, 9, 0x61), /filter name: offset=2/],
    ["no length", Uint8Array.of(0, 1, 0, 1, 0x61, 0, 0, 0), /filter name: offset=2/],
    ["a length beyond its end", compose(["a", new Uint8Array(3)]).slice(0, -1), /filter length: offset=5/],
    [
      "a length of 64 bits",
      Uint8Array.of(0, 1, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255),
      /filter length: offset=4/
    ],
    ["bytes behind its filters", concat([compose(), Uint8Array.of(1)]), /filter: offset=2/],
    ["a bloom filter of one byte", compose(["_bf", Uint8Array.of(1)]), /filter: offset=15/]
  ])("with %s is refused", (_, payload, message) => {
    const result = BloomFilter.decode(payload, "composite")
    assert.match(Result.isFailure(result) ? result.failure.message : "read", message)
  })
})

describe("hostile filters", () => {
  it("of less than two bytes are refused", () => {
    for (const length of [0, 1]) assert.isTrue(Result.isFailure(BloomFilter.decode(new Uint8Array(length), "legacy")))
  })

  it.each(["legacy", "composite"] as const)("%s, cut off or with a bit flipped, answer or are refused", (format) => {
    const bloom = payloadOf(keys.slice(0, 20))
    const payload = format === "legacy" ? bloom : compose(["other", text("data")], ["_bf", bloom])
    Hostile.endures(payload, (hostile) =>
      Result.map(BloomFilter.decode(hostile, format), (filter) => {
        keys.slice(0, 3).map(asks(filter))
      })
    )
  })
})
