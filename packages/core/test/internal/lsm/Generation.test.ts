import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import type { Cursor } from "../../../src/internal/lsm/Cursor.ts"
import { type CursorOptions, Generation } from "../../../src/internal/lsm/Generation.ts"
import type { RowEntry } from "../../../src/internal/model/RowEntry.ts"
import { Kind } from "../../../src/internal/model/RowEntry.ts"
import { append, drain, GenerationModel, randomFrom, rowOf } from "./GenerationModel.ts"

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
  "a long common prefix": (n) => text(`${"p".repeat(5000)}${n}`),
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
        else if (operation < 88 && turn > 300) {
          const options = bounds()
          cursors.push({ cursor: model.generation.cursor(options), rest: model.range(options) })
        } else if (cursors.length > 0) {
          const { cursor, rest } = cursors[random(cursors.length)] as (typeof cursors)[number]
          const rows = random(20)
          assert.deepStrictEqual(drain(cursor, rows), rest.splice(0, rows))
        }
      }
      for (const { cursor, rest } of cursors) assert.deepStrictEqual(drain(cursor), rest)
      model.checkCounters()
      model.checkWalk(random(sequence + 2), random(sequence + 2))
      model.generation.seal()
      model.checkRange(bounds())
      model.checkRange({ maxSequence: Infinity })
      model.checkRange({ maxSequence: Infinity, descending: true })
    },
    { arbitrary: { runs: 25 } }
  )

  it("finds nothing and walks nothing while it is empty", () => {
    const generation = Generation.make({ hashSeed: 1 })
    assert.strictEqual(generation.find(bytes(1), 0, 1, Infinity), -1)
    assert.deepStrictEqual(drain(generation.cursor({ maxSequence: Infinity })), [])
    assert.deepStrictEqual(drain(generation.cursor({ maxSequence: Infinity, descending: true })), [])
    assert.strictEqual(generation.firstRowAbove(0), 0)
    append(generation, rowOf(bytes(1), 1))
    assert.strictEqual(drain(generation.cursor({ maxSequence: Infinity })).length, 1)
  })
})
