import { Contents, type Found } from "@effect-slatedb/testkit/interop/Contents"
import type { Batch, History } from "@effect-slatedb/testkit/interop/History"
import { assert, describe, it } from "@effect/vitest"

const bytes = (text: string) => new TextEncoder().encode(text)
const put = (key: string, value: string, lifetime: "forever" | "over" = "forever") =>
  ({ _tag: "Put", key: bytes(key), value: bytes(value), lifetime }) as const

const batches: ReadonlyArray<Batch> = [
  [put("a", "1"), put("b", "2"), put("c", "3")],
  [
    { _tag: "Delete", key: bytes("b") },
    { _tag: "Merge", key: bytes("c"), operand: bytes("+"), lifetime: "forever" },
    { _tag: "Merge", key: bytes("d"), operand: bytes("new"), lifetime: "forever" }
  ],
  [put("e", "gone", "over")]
]

const history: History = {
  batch: (sequence) => batches[sequence - 1] ?? [],
  keys: ["a", "b", "c", "d", "e"].map(bytes)
}

/** Finds what `rows` has, by scan and by lookup; `differently` in the lookups. */
const found = (
  rows: Readonly<Record<string, string>>,
  differently: Readonly<Record<string, string | undefined>> = {}
): Found => ({
  scanned: Object.entries(rows).map(([key, value]) => ({ key: bytes(key), value: bytes(value) })),
  looked: ["a", "b", "c", "d", "e"].map((key) => {
    const value = key in differently ? differently[key] : rows[key]
    return value === undefined ? undefined : bytes(value)
  }),
  mayShowExpired: false
})

const at = (sequence: number): Contents => {
  const contents = new Contents(history)
  contents.advance(sequence)
  return contents
}

describe("Contents", () => {
  it("are the batches so far, one after the other", () => {
    assert.isUndefined(at(0).difference(found({})))
    assert.isUndefined(at(1).difference(found({ a: "1", b: "2", c: "3" })))
    assert.isUndefined(at(2).difference(found({ a: "1", c: "3+", d: "new" })))
    assert.throws(() => at(2).advance(1), /contents do not go back/)
  })

  const right = { a: "1", c: "3+", d: "new" }
  it.each([
    ["a missing key", found({ a: "1", d: "new" }, { c: "3+" }), /scan at 1: key=0x63 expected=0x332b found=nothing/],
    [
      "a key too many",
      found({ ...right, e: "x" }, { e: undefined }),
      /scan at 3: key=0x65 expected=nothing found=0x78/
    ],
    ["a deleted key", found({ a: "1", b: "2", c: "3+", d: "new" }, { b: undefined }), /scan at 1: key=0x62/],
    ["a wrong value", found({ ...right, c: "3" }, { c: "3+" }), /scan at 1: key=0x63 expected=0x332b found=0x33/],
    ["keys out of order", found({ a: "1", d: "new", c: "3+" }), /scan at 1/],
    ["a key twice", { ...found(right), scanned: [...found({ a: "1" }).scanned, ...found(right).scanned] }, /scan at 1/],
    ["a lookup that finds nothing", found(right, { d: undefined }), /lookup: key=0x64 expected=0x6e6577 found=nothing/],
    ["a lookup that finds too much", found(right, { b: "2" }), /lookup: key=0x62 expected=nothing found=0x32/]
  ])("differ by %s", (_what, found, message) => {
    assert.match(at(2).difference(found) ?? "no difference", message)
  })

  it("may show an expired value only where an engine shows it", () => {
    const shown = found({ ...right, e: "gone" })
    assert.isUndefined(at(3).difference(found(right)))
    assert.match(at(3).difference(shown) ?? "", /key=0x65 expected=nothing/)
    assert.isUndefined(at(3).difference({ ...shown, mayShowExpired: true }))
    assert.isUndefined(at(3).difference({ ...found(right), mayShowExpired: true }))
    assert.match(at(3).difference({ ...found({ ...right, e: "other" }), mayShowExpired: true }) ?? "", /key=0x65/)
  })
})
