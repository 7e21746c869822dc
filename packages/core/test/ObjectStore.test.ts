import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as ObjectStore from "../src/ObjectStore.ts"

const encoder = new TextEncoder()

/** The code points around the borders where UTF-8 and UTF-16 disagree, to be mixed into strings. */
const Character = Schema.Literals([
  "a",
  "/",
  "\u007e",
  "\u00e9",
  "\ud7ff",
  "\ue000",
  "\uffff",
  "\u{10000}",
  "\u{10ffff}"
])
const Text = Schema.Array(Character).check(Schema.isMaxLength(5))

const compareBytes = (a: Uint8Array, b: Uint8Array): number => {
  const at = a.findIndex((byte, i) => byte !== b[i])
  if (at === -1) return a.length - b.length
  return at >= b.length ? 1 : (a[at] as number) - (b[at] as number)
}

describe("ObjectStore", () => {
  it.prop("comparePaths is the order of UTF-8 bytes", [Text, Text], ([left, right]) => {
    const [a, b] = [left.join(""), right.join("")]
    assert.strictEqual(
      Math.sign(ObjectStore.comparePaths(a, b)),
      Math.sign(compareBytes(encoder.encode(a), encoder.encode(b)))
    )
  })

  it("invalidPath accepts what stores can hold and names what they cannot", () => {
    for (const path of ["a", "a/b", ".a", "a..b", "...", "a b#%?*", "é/\u{1f600}", "x".repeat(1024)]) {
      assert.isUndefined(ObjectStore.invalidPath(path), path)
    }
    const refused: ReadonlyArray<readonly [path: string, why: RegExp]> = [
      ["", /empty/],
      ["/a", /empty segment/],
      ["a/", /empty segment/],
      ["a//b", /empty segment/],
      [".", /'\.' segment/],
      ["a/../b", /'\.\.' segment/],
      ["a\nb", /control character 10 at index 1/],
      ["a\u007f", /control character 127/],
      ["x".repeat(1025), /1024 bytes/],
      ["é".repeat(513), /1024 bytes/],
      ["a\ud800", /lone surrogate at index 1/],
      ["\udc00\ud800", /lone surrogate at index 0/],
      ["\ud800\ud800\udc00", /lone surrogate at index 0/]
    ]
    for (const [path, why] of refused) assert.match(ObjectStore.invalidPath(path) ?? "accepted", why)
  })

  it("invalidRange refuses what is no range of any object", () => {
    for (const range of [{ offset: 0 }, { offset: 5, length: 1 }, { suffix: 1 }, { offset: 0, length: undefined }]) {
      assert.isUndefined(ObjectStore.invalidRange(range))
    }
    for (const value of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
      assert.match(ObjectStore.invalidRange({ offset: value }) ?? "accepted", /offset/)
      assert.match(ObjectStore.invalidRange({ offset: 0, length: value }) ?? "accepted", /length/)
      assert.match(ObjectStore.invalidRange({ suffix: value }) ?? "accepted", /suffix/)
    }
    assert.match(ObjectStore.invalidRange({ offset: 0, length: 0 }) ?? "accepted", /at least 1/)
    assert.match(ObjectStore.invalidRange({ suffix: 0 }) ?? "accepted", /at least 1/)
  })

  it("resolveRange cuts a range at the end of the object and gives none that begins there", () => {
    assert.deepStrictEqual(ObjectStore.resolveRange({ offset: 2, length: 3 }, 10), { start: 2, end: 5 })
    assert.deepStrictEqual(ObjectStore.resolveRange({ offset: 2, length: 30 }, 10), { start: 2, end: 10 })
    assert.deepStrictEqual(ObjectStore.resolveRange({ offset: 9 }, 10), { start: 9, end: 10 })
    assert.deepStrictEqual(ObjectStore.resolveRange({ suffix: 3 }, 10), { start: 7, end: 10 })
    assert.deepStrictEqual(ObjectStore.resolveRange({ suffix: 30 }, 10), { start: 0, end: 10 })
    for (const range of [{ offset: 0 }, { suffix: 1 }]) assert.isUndefined(ObjectStore.resolveRange(range, 0))
    assert.isUndefined(ObjectStore.resolveRange({ offset: 10, length: 1 }, 10))
  })
})
