import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { KeyNumber } from "../../../src/internal/model/KeyNumber.ts"
import * as ByteOrder from "../../../src/internal/model/ByteOrder.ts"

const text = (value: string): Uint8Array => new TextEncoder().encode(value)

/** Bytes that are often alike. */
const Key = Arbitrary.map(
  Arbitrary.array(Arbitrary.schema(Schema.Literals([0, 1, 0x2f, 0x30, 0x31, 0x39, 0x3a, 0xfe, 0xff])), {
    maxLength: 24
  }),
  (values) => Uint8Array.from(values)
)
const Byte = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 0xff }))

const isMonotone = (numbering: KeyNumber, a: Uint8Array, b: Uint8Array): boolean => {
  const first = numbering.of(a, 0, a.length)
  const second = numbering.of(b, 0, b.length)
  assert.isTrue(Number.isSafeInteger(first))
  return first === second || first < second === ByteOrder.compare(a, b) < 0
}

describe("KeyNumber", () => {
  it.prop(
    "never orders two keys other than their bytes do",
    { prefix: Key, bounds: Schema.Tuple([Byte, Byte]), a: Key, b: Key, shared: Schema.Int },
    ({ a, b, bounds, prefix, shared }) => {
      const numbering = new KeyNumber(prefix, Math.min(...bounds), Math.max(...bounds))
      // Most keys begin with some of the prefix.
      const begin = prefix.subarray(0, Math.abs(shared) % (prefix.length + 1))
      const [c, d] = [a, b].map((tail) => Uint8Array.from([...begin, ...tail])) as [Uint8Array, Uint8Array]
      return isMonotone(numbering, a, b) && isMonotone(numbering, c, d) && isMonotone(numbering, a, d)
    },
    { arbitrary: { runs: 2000 } }
  )

  it.prop(
    "promises as shared only bytes that keys of a number do share",
    { prefix: Key, a: Key, b: Key },
    ({ a, b, prefix }) => {
      const numbering = new KeyNumber(prefix, 0x30, 0x39)
      for (const [first, second] of [
        [a, b],
        [Uint8Array.from([...prefix, ...a]), Uint8Array.from([...prefix, ...b])]
      ] as const) {
        const number = numbering.of(first, 0, first.length)
        if (number !== numbering.of(second, 0, second.length)) continue
        const shared = numbering.sharedBytes(number)
        assert.deepStrictEqual(first.subarray(0, shared), second.subarray(0, shared))
        assert.isAtMost(shared, Math.min(first.length, second.length))
      }
    }
  )

  it.prop(
    "calls a number exact only where no other key of its length has it",
    { prefix: Key, bounds: Schema.Tuple([Byte, Byte]), a: Key, b: Key, at: Byte, byte: Byte },
    ({ a, at, b, bounds, byte, prefix }) => {
      const numbering = new KeyNumber(prefix, Math.min(...bounds), Math.max(...bounds))
      for (const key of [a, Uint8Array.from([...prefix, ...a])]) {
        const number = numbering.of(key, 0, key.length)
        if (key.length === 0 || !numbering.isExact(number, key, 0, key.length)) continue
        const others = [b, Uint8Array.from([...prefix, ...b]), key.with(at % key.length, byte)]
        for (const other of others) {
          if (other.length !== key.length || ByteOrder.compare(other, key) === 0) continue
          assert.notStrictEqual(numbering.of(other, 0, other.length), number)
        }
      }
    },
    { arbitrary: { runs: 5000 } }
  )

  it("calls exact the numbers of keys of which every byte counts", () => {
    const isExact = (numbering: KeyNumber, key: Uint8Array) =>
      numbering.isExact(numbering.of(key, 0, key.length), key, 0, key.length)
    const decimal = new KeyNumber(text("key-"), 0x30, 0x39)
    for (const key of ["key-", "key-0", "key-00000000000001"]) assert.isTrue(isExact(decimal, text(key)), key)
    // Too long, of a byte that is not seen, in front of the prefix, shorter than it, behind it.
    for (const key of ["key-000000000000001", "key-0a", "key-0/", "kex-0", "key", "kez-0"]) {
      assert.isFalse(isExact(decimal, text(key)), key)
    }
    const bytes = new KeyNumber(Uint8Array.of(9), 0, 0xff)
    assert.isTrue(isExact(bytes, Uint8Array.of(9, 0, 0xff, 0, 0xff, 0, 1)))
    assert.isFalse(isExact(bytes, Uint8Array.of(9, 0, 0xff, 0, 0xff, 0, 1, 0)))
  })

  it("tells 14 decimal digits, or six of any bytes, apart", () => {
    const decimal = new KeyNumber(text("key-"), 0x30, 0x39)
    const [a, b] = [text("key-00000000000001"), text("key-00000000000002")]
    assert.isBelow(decimal.of(a, 0, a.length), decimal.of(b, 0, b.length))
    const binary = new KeyNumber(Uint8Array.of(9), 0, 0xff)
    const [c, d] = [Uint8Array.of(9, 0, 0xff, 0, 0xff, 0, 1), Uint8Array.of(9, 0, 0xff, 0, 0xff, 0, 2)]
    assert.isBelow(binary.of(c, 0, c.length), binary.of(d, 0, d.length))
  })

  it("tells apart keys that leave the prefix at different places", () => {
    const numbering = new KeyNumber(text("mmmm"), 0x61, 0x7a)
    const keys = ["a", "ma", "mma", "mmma", "mmmma", "mmmz", "mmz", "mz", "z"].map(text)
    const numbers = keys.map((key) => numbering.of(key, 0, key.length))
    assert.deepStrictEqual(new Set(numbers).size, keys.length)
    assert.deepStrictEqual(
      numbers.toSorted((a, b) => a - b),
      numbers
    )
  })

  it("orders keys by and around a prefix of the longest keys", () => {
    const prefix = new Uint8Array(65_000).fill(0x70)
    const numbering = new KeyNumber(prefix, 0, 0xff)
    const tail = (value: number) => Uint8Array.from([...prefix, value])
    const keys = [new Uint8Array(0), tail(0), tail(1)]
    for (const at of [0, 1, 4094, 4095, 4096, 64_999]) {
      keys.push(prefix.slice(0, at), prefix.with(at, 0x6f), prefix.with(at, 0x71))
    }
    for (const a of keys) for (const b of keys) assert.isTrue(isMonotone(numbering, a, b))
    assert.isBelow(numbering.of(tail(0), 0, 65_001), numbering.of(tail(1), 0, 65_001))
  })
})
