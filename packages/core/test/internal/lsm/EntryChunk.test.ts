import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { ByteCopies } from "../../../src/internal/lsm/ByteCopies.ts"
import { EntryChunk } from "../../../src/internal/lsm/EntryChunk.ts"
import { RowView } from "../../../src/internal/model/RowEntry.ts"

const upTo = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))

/** Values in one of three sources, behind or in front of each other, with or without a gap, now and then the same one again. */
const Place = Schema.Struct({ source: upTo(2), gap: upTo(40), length: upTo(300), isLong: upTo(20), isBack: upTo(3) })

const keyOf = (i: number): Uint8Array => new TextEncoder().encode(`key ${i}`)

describe("EntryChunk", () => {
  it.prop(
    "gives the keys and values that were added, whatever becomes of keys and copies",
    { places: Schema.Array(Place).check(Schema.isMaxLength(120)) },
    ({ places }) => {
      const sources = [0, 1, 2].map((seed) =>
        Uint8Array.from({ length: 50_000 }, (_, i) => (i * 31 + (i >> 8) + seed) & 0xff)
      )
      const at = [25_000, 25_000, 25_000]
      const row = new RowView()
      row.key = new Uint8Array(16)
      const chunk = new EntryChunk(new ByteCopies(), new ByteCopies())
      const expected = places.map(({ gap, isBack, isLong, length, source }, i) => {
        const bytes = isLong === 0 ? 10 * length : length
        const from = at[source] ?? 0
        const start = Math.max(0, Math.min(45_000, isBack === 0 ? from - bytes - gap : from + gap))
        at[source] = isBack === 0 ? start : start + bytes
        const key = keyOf(i)
        row.key.fill(0xff)
        row.key.set(key)
        row.keyEnd = key.length
        row.value = sources[source] as Uint8Array
        row.valueStart = start
        row.valueEnd = start + bytes
        assert.strictEqual(chunk.add(row), key.length + bytes)
        assert.strictEqual(chunk.length, i + 1)
        return { key, value: row.value.slice(start, start + bytes) }
      })
      const entries = chunk.end()
      for (const source of sources) source.fill(0)
      assert.deepStrictEqual(entries, expected)
    }
  )

  it("a value that is kept pins no keys, and of its neighbours no more than a slab", () => {
    const chunk = new EntryChunk(new ByteCopies(), new ByteCopies())
    const row = new RowView()
    row.key = keyOf(1)
    row.keyEnd = row.key.length
    row.value = new Uint8Array(100_000)
    for (let i = 0; i < 900; i++) {
      row.valueStart = 110 * i
      row.valueEnd = row.valueStart + 100
      chunk.add(row)
    }
    for (const { key, value } of chunk.end()) {
      assert.isAtMost(value.buffer.byteLength, 8192)
      assert.notStrictEqual<ArrayBufferLike>(key.buffer, value.buffer)
    }
  })

  it("values with much between them are copied without it", () => {
    const slabs = (gap: number): number => {
      const chunk = new EntryChunk(new ByteCopies(), new ByteCopies())
      const row = new RowView()
      row.key = keyOf(1)
      row.value = new Uint8Array(100_000)
      for (let i = 0; i < 100; i++) {
        row.valueStart = (50 + gap) * i
        row.valueEnd = row.valueStart + 50
        chunk.add(row)
      }
      return new Set(chunk.end().map(({ value }) => value.buffer)).size
    }
    assert.strictEqual(slabs(200), 1)
    assert.isAtMost(slabs(49), 2)
  })
})
