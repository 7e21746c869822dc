import { assert, describe, it, vi } from "@effect/vitest"
import * as Schema from "effect/Schema"
import type { Cursor } from "../../../src/internal/lsm/Cursor.ts"
import { type CursorOptions, Generation } from "../../../src/internal/lsm/Generation.ts"
import { OrderedLeaves } from "../../../src/internal/lsm/OrderedLeaves.ts"
import type { RowEntry } from "../../../src/internal/model/RowEntry.ts"
import { Kind } from "../../../src/internal/model/RowEntry.ts"
import { append, assertRows, drain, entryAt, GenerationModel, randomFrom, rowOf } from "./GenerationModel.ts"

const bytes = (...values: Array<number>): Uint8Array => Uint8Array.from(values)
const text = (value: string): Uint8Array => new TextEncoder().encode(value)

/** Families of keys, each hard on another part: `n` names the key, alike for alike. */
const keyFamilies: Record<string, (n: number) => Uint8Array> = {
  "few letters": (n) => text(n.toString(2).replaceAll("0", "a").replaceAll("1", "b")),
  "decimal counters": (n) => text(`key-${String(n).padStart(12, "0")}`),
  "spread over all bytes": (n) => {
    const spread = Math.imul(n + 1, 0x9e3779b1)
    return bytes(spread >>> 24, spread >>> 16, spread >>> 8, spread, n >>> 8, n)
  },
  "zeros of many lengths": (n) => new Uint8Array(n % 700),
  "a long common prefix": (n) => text(`${"p".repeat(1500)}${n}`),
  "two tenants": (n) => text(`tenant-${n % 2 === 0 ? "a" : "b"}/${n}`),
  "prefixes of each other": (n) =>
    text("abcabcabc".repeat(1 + (n % 60)).slice(0, 1 + (n % 500)) + (n % 3 === 0 ? "z" : ""))
}

describe("Generation", () => {
  it.prop(
    "answers like a sorted array, whatever is appended, read and interleaved",
    {
      family: Schema.Literals(Object.keys(keyFamilies)),
      seed: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 31 })),
      operations: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1600 }))
    },
    ({ family, operations, seed }) => {
      const random = randomFrom(seed)
      const keyOf = keyFamilies[family] as (n: number) => Uint8Array
      const keys = 1 + random(random(3) === 0 ? 20 : 900)
      const model = new GenerationModel(seed)
      const cursors: Array<{ readonly cursor: Cursor; readonly rest: Array<RowEntry> }> = []
      const firstCursor = random(700)
      let sequence = random(5)
      const bounds = (): CursorOptions => ({
        start: random(2) === 0 ? undefined : keyOf(random(keys)),
        end: random(2) === 0 ? undefined : keyOf(random(keys)),
        descending: random(2) === 0,
        maxSequence: random(2) === 0 ? Infinity : random(sequence + 2)
      })
      const appendBatch = (): void => {
        sequence += 1 + (random(10) === 0 ? 3 : 0)
        const batch = new Map<string, RowEntry>()
        for (let rows = random(8) === 0 ? random(30) : 1; rows > 0; rows--) {
          const key = keyOf(random(keys))
          batch.set(
            key.join(),
            rowOf(key, sequence, {
              value: new Uint8Array(random(200)).fill(random(256)),
              kind: [Kind.put, Kind.tombstone, Kind.merge][random(3)] as Kind,
              ...(random(2) === 0 ? {} : { createTime: random(1000) }),
              ...(random(4) === 0 ? { expireTime: random(1e9) } : {})
            })
          )
        }
        for (const row of batch.values()) model.append(row)
      }
      for (let turn = 0; turn < operations; turn++) {
        const operation = random(100)
        if (operation < 70) appendBatch()
        else if (operation < 85) model.checkFind(keyOf(random(keys)), random(2) === 0 ? Infinity : random(sequence + 2))
        else if (operation < 86) model.generation.prepareOrder(random(3))
        else if (operation < 88 && turn > firstCursor) {
          const options = bounds()
          cursors.push({ cursor: model.generation.cursor(options), rest: model.range(options) })
        } else if (cursors.length > 0) {
          const { cursor, rest } = cursors[random(cursors.length)] as (typeof cursors)[number]
          const rows = random(20)
          assertRows(drain(cursor, rows), rest.splice(0, rows))
        }
      }
      for (const { cursor, rest } of cursors) assertRows(drain(cursor), rest)
      model.checkCounters()
      model.checkWalk(random(sequence + 2), random(sequence + 2))
      model.generation.seal()
      model.checkRange(bounds())
      model.checkRange({ maxSequence: Infinity })
      model.checkRange({ maxSequence: Infinity, descending: true })
    },
    { arbitrary: { runs: 20 } }
  )

  it("finds nothing and walks nothing while it is empty", () => {
    const generation = Generation.make({ hashSeed: 1 })
    assert.strictEqual(generation.find(bytes(1), 0, 1, Infinity), -1)
    assert.deepStrictEqual(drain(generation.cursor({ maxSequence: Infinity })), [])
    assert.deepStrictEqual(drain(generation.cursor({ maxSequence: Infinity, descending: true })), [])
    assert.strictEqual(generation.firstRowAbove(0), 0)
    assert.isTrue(generation.prepareOrder(1))
    append(generation, rowOf(bytes(1), 1))
    assert.strictEqual(drain(generation.cursor({ maxSequence: Infinity })).length, 1)
  })

  it("refuses a row after it was sealed, and a sequence number below the last", () => {
    const generation = Generation.make({ hashSeed: 1 })
    append(generation, rowOf(bytes(1), 5))
    append(generation, rowOf(bytes(2), 5))
    assert.throws(() => append(generation, rowOf(bytes(3), 4)), /sequence=4 last=5/)
    generation.seal()
    assert.throws(() => append(generation, rowOf(bytes(3), 6)), /sealed.*sequence=6/)
    assert.strictEqual(generation.rowCount, 2)
    assert.isTrue(generation.isSealed)
  })

  it("takes keys of up to 65,535 bytes, and refuses longer ones", () => {
    const model = new GenerationModel(1)
    const keyOf = (n: number) => new Uint8Array(65_535).with(65_534, n).with(65_533, n % 3)
    for (let n = 0; n < 40; n++) model.append(rowOf(keyOf(n), n + 1, { value: bytes(n) }))
    model.checkFind(keyOf(7), Infinity)
    model.checkRange({ maxSequence: 30, start: keyOf(3), end: keyOf(38) })
    model.checkRange({ maxSequence: Infinity, descending: true })
    assert.throws(() => append(model.generation, rowOf(new Uint8Array(65_536), 41)), /length=65536 max=65535/)
    model.checkCounters()
  })

  it("holds values of any size between others, and allocates no more than a quarter above them", () => {
    const model = new GenerationModel(1)
    const sizes = [0, 1, 30_000_000, 100, 1_048_576, 262_144, 262_143, 262_145, 16_384, 12_000_001, 7]
    for (const [n, size] of sizes.entries()) {
      model.append(rowOf(bytes(n), n + 1, { value: new Uint8Array(size).fill(n + 1) }))
    }
    for (const [n, size] of sizes.entries()) {
      const { value } = entryAt(model.generation, model.generation.find(bytes(n), 0, 1, Infinity))
      assert.strictEqual(value.length, size)
      assert.isTrue(value.every((byte) => byte === n + 1))
    }
    const total = sizes.reduce((sum, size) => sum + size, 0)
    assert.isBelow(model.generation.allocatedBytes, total * 1.25)
  })

  it("costs a little database little: below 24 KiB without an order, below 40 KiB with it", () => {
    const generation = Generation.make({ hashSeed: 1 })
    assert.isBelow(generation.allocatedBytes, 2 * 1024)
    for (let n = 0; n < 50; n++) append(generation, rowOf(bytes(n), n + 1, { value: new Uint8Array(100) }))
    assert.isBelow(generation.allocatedBytes, 24 * 1024)
    generation.cursor({ maxSequence: Infinity })
    assert.isBelow(generation.allocatedBytes, 40 * 1024)
  })

  it("keeps no order before it is asked for one", () => {
    const generation = Generation.make({ hashSeed: 1 })
    for (let n = 0; n < 5000; n++) append(generation, rowOf(text(String(n)), n + 1))
    const before = generation.allocatedBytes
    generation.find(text("1"), 0, 1, Infinity)
    assert.strictEqual(generation.allocatedBytes, before)
    generation.prepareOrder(Infinity)
    assert.isAbove(generation.allocatedBytes, before)
  })

  it("reads and walks a key of 100,000 versions at every bound", () => {
    const generation = Generation.make({ hashSeed: 1 })
    const key = text("hot")
    append(generation, rowOf(text("before"), 1))
    for (let n = 1; n <= 100_000; n++) append(generation, rowOf(key, n, { createTime: n }))
    append(generation, rowOf(text("z"), 100_000))
    for (let bound = 1; bound <= 100_000; bound += 37) {
      assert.strictEqual(entryAt(generation, generation.find(key, 0, 3, bound)).createTime, bound)
    }
    const ascending = drain(generation.cursor({ maxSequence: 70_000, start: key }))
    assert.strictEqual(ascending.length, 70_000)
    const descending = drain(generation.cursor({ maxSequence: 70_000, start: key, descending: true }))
    assertRows(descending, ascending.toReversed())
  })

  for (const [order, numberOf] of Object.entries({
    "in order": (n: number) => n,
    "in reverse": (n: number) => 100_000 - n,
    shuffled: (n: number) => (n * 7919) % 100_003
  })) {
    it(`builds an order of keys that came ${order} in bounded slices`, () => {
      const model = new GenerationModel(1)
      const rows = 20_000
      for (let n = 0; n < rows; n++) model.append(rowOf(text(`key-${numberOf(n)}`), n + 1))
      const units = 2000
      let slices = 1
      while (!model.generation.prepareOrder(units)) slices++
      // Numbering and filling alone take more than ten units a row.
      assert.isAbove(slices, (rows * 10) / units)
      assert.isBelow(slices, (rows * 200) / units)
      model.checkRange({ maxSequence: Infinity })
    })
  }

  it("keeps the order whole when rows arrive between the slices of its build", () => {
    const model = new GenerationModel(1)
    let n = 0
    const appendSome = (rows: number) => {
      for (let i = 0; i < rows; i++) model.append(rowOf(text(`key-${(n * 7919) % 2003}`), ++n))
    }
    appendSome(1500)
    let slices = 0
    while (!model.generation.prepareOrder(1)) if (++slices % 3 === 0) appendSome(1)
    assert.isAbove(n, 2500)
    const cursor = model.generation.cursor({ maxSequence: 2500 })
    const expected = model.range({ maxSequence: 2500 })
    appendSome(500)
    assertRows(drain(cursor), expected)
    model.checkRange({ maxSequence: Infinity })
  })

  it("shows a cursor the rows that were there when it was made, though its bound is above them", () => {
    const generation = Generation.make({ hashSeed: 1 })
    append(generation, rowOf(bytes(1), 1))
    append(generation, rowOf(bytes(3), 2))
    const cursors = [false, true].map((descending) => generation.cursor({ maxSequence: Infinity, descending }))
    append(generation, rowOf(bytes(2), 3))
    append(generation, rowOf(bytes(3), 4))
    assert.deepStrictEqual(
      cursors.map((cursor) => drain(cursor).map((row) => [row.key[0], row.sequence])),
      [
        [
          [1, 1],
          [3, 2]
        ],
        [
          [3, 2],
          [1, 1]
        ]
      ]
    )
  })

  it("stays done once it was done", () => {
    const generation = Generation.make({ hashSeed: 1 })
    append(generation, rowOf(bytes(1), 1))
    const cursor = generation.cursor({ maxSequence: Infinity })
    assert.strictEqual(drain(cursor).length, 1)
    append(generation, rowOf(bytes(2), 1))
    assert.deepStrictEqual(drain(cursor), [])
  })

  it("keeps bounds right when the keys it meets change what numbers mean", () => {
    for (const descending of [false, true]) {
      const model = new GenerationModel(1)
      const keyOf = (n: number) => text(`a/prefix/${String(n).padStart(6, "0")}`)
      // An order that begins empty knows nothing of its keys.
      model.generation.prepareOrder(1)
      for (let n = 0; n < 500; n++) model.append(rowOf(keyOf(n * 2), n + 1))
      const options = { start: keyOf(101), end: keyOf(899), descending, maxSequence: Infinity }
      const expected = model.range(options)
      const cursor = model.generation.cursor(options)
      assertRows(drain(cursor, 100), expected.splice(0, 100))
      // The 512th key makes the leaves choose their numbers anew.
      for (let n = 0; n < 100; n++) model.append(rowOf(keyOf(n * 10 + 1), 501 + n))
      assertRows(drain(cursor), expected)
    }
  })

  it("lets a cursor on every key go on while all leaves split under it", () => {
    for (const descending of [false, true]) {
      const model = new GenerationModel(1)
      const keyOf = (n: number) => text(`key-${String((n * 7919) % 10_007).padStart(5, "0")}`)
      for (let n = 0; n < 300; n++) model.append(rowOf(keyOf(n), n + 1))
      const expected = model.range({ descending, maxSequence: Infinity })
      const cursors = expected.map((_, passed) => {
        const cursor = model.generation.cursor({ descending, maxSequence: Infinity })
        drain(cursor, passed)
        return cursor
      })
      for (let n = 300; n < 900; n++) {
        model.append(rowOf(keyOf(n), n + 1))
        const passed = n - 300
        if (passed < 300) assertRows(drain(cursors[passed] as Cursor, 3), expected.slice(passed, passed + 3))
      }
      for (const [passed, cursor] of cursors.entries()) assertRows(drain(cursor), expected.slice(passed + 3))
    }
  })

  it("searches for no key again while nothing is appended", () => {
    const generation = Generation.make({ hashSeed: 1 })
    for (let n = 0; n < 1000; n++) append(generation, rowOf(text(`${(n * 7919) % 1009}`), n + 1))
    const placeOf = vi.spyOn(OrderedLeaves.prototype, "placeOf")
    assert.strictEqual(drain(generation.cursor({ maxSequence: Infinity })).length, 1000)
    assert.strictEqual(drain(generation.cursor({ maxSequence: Infinity, descending: true })).length, 1000)
    assert.strictEqual(placeOf.mock.calls.length, 0)
    placeOf.mockRestore()
  })

  it("catches up in bounded slices with what was appended during the build", () => {
    const generation = Generation.make({ hashSeed: 1 })
    for (let n = 0; n < 10; n++) append(generation, rowOf(text(`a${n}`), n + 1))
    assert.isFalse(generation.prepareOrder(1))
    for (let n = 0; n < 1000; n++) append(generation, rowOf(text(`b${n}`), n + 11))
    let slices = 1
    while (!generation.prepareOrder(1)) slices++
    assert.isAtLeast(slices, 1000)
  })
})
