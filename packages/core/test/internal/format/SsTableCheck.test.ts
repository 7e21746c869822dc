import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { portable } from "../../../src/Compression.ts"
import * as Section from "../../../src/internal/format/Section.ts"
import { SsTableCheck } from "../../../src/internal/format/SsTableCheck.ts"
import * as SsTableInfoCodec from "../../../src/internal/format/SsTableInfoCodec.ts"
import * as SsTableReader from "../../../src/internal/format/SsTableReader.ts"
import * as SsTableStatsCodec from "../../../src/internal/format/SsTableStatsCodec.ts"
import { SsTableWriter } from "../../../src/internal/format/SsTableWriter.ts"
import { Kind, RowView } from "../../../src/internal/model/RowEntry.ts"
import type { SsTableInfo } from "../../../src/internal/model/SsTable.ts"
import type { SsTableStats } from "../../../src/internal/model/SsTableStats.ts"

const encoder = new TextEncoder()

const options = {
  blockSizeBytes: 512,
  filterBitsPerKey: 10,
  minFilterKeys: 1,
  codecName: "none",
  codec: undefined,
  crc32: portable.crc32
} as const

/** A sound table of 100 rows in several blocks: puts, and every tenth a tombstone. */
const table = (kind: SsTableInfo["kind"]): Uint8Array => {
  const writer = new SsTableWriter({ ...options, kind })
  for (let i = 0; i < 100; i++) {
    const row = new RowView()
    row.key = encoder.encode(`key/${String(i).padStart(3, "0")}`)
    row.keyEnd = row.key.length
    row.kind = i % 10 === 0 ? Kind.tombstone : Kind.put
    row.value = encoder.encode(row.kind === Kind.put ? `value ${i}` : "")
    row.valueEnd = row.value.length
    row.sequence = i + 1
    row.createTime = 1000 + i
    writer.add(row)
  }
  return new Uint8Array(Buffer.concat(writer.finish().body))
}

/** Rows of one key and one sequence number, as in one batch. */
const sameBatch = (...kinds: ReadonlyArray<Kind>): Uint8Array => {
  const writer = new SsTableWriter({ ...options, kind: "wal" })
  for (const kind of kinds) {
    const row = new RowView()
    row.key = encoder.encode("key")
    row.keyEnd = row.key.length
    row.kind = kind
    row.sequence = 7
    row.createTime = 1000
    writer.add(row)
  }
  return new Uint8Array(Buffer.concat(writer.finish().body))
}

const opened = (bytes: Uint8Array) => Result.getOrThrow(SsTableReader.open(bytes, portable))

const named = (bytes: Uint8Array) => {
  const { formatVersion, info } = opened(bytes)
  return { formatVersion, info }
}

const examine = (bytes: Uint8Array, manifest?: ReturnType<typeof named>): SsTableCheck => {
  const check = new SsTableCheck(bytes, manifest, portable)
  while (check.next());
  return check
}

const rules = (bytes: Uint8Array, manifest?: ReturnType<typeof named>): ReadonlyArray<string> => [
  ...new Set(examine(bytes, manifest).faults.map(({ rule }) => rule))
]

/** Replaces the section at `start` and gives it a right checksum, as a writer with a mistake would. */
const rewrite = (bytes: Uint8Array, start: number, length: number, edit: (payload: Uint8Array) => void): Uint8Array => {
  const copy = bytes.slice()
  edit(copy.subarray(start, start + length - 4))
  Section.seal(copy, start, start + length - 4, portable.crc32)
  return copy
}

const rewriteInfo = (bytes: Uint8Array, edit: (info: SsTableInfo) => SsTableInfo): Uint8Array => {
  const { info } = opened(bytes)
  const at = info.statsLength === 0 ? info.indexOffset + info.indexLength : info.statsOffset + info.statsLength
  const encoded = SsTableInfoCodec.encode(edit(info))
  return rewrite(bytes, at, bytes.length - 10 - at, (payload) => {
    assert.strictEqual(encoded.length, payload.length)
    payload.set(encoded)
  })
}

describe("SsTableCheck", () => {
  const bytes = table("compacted")
  const manifest = named(bytes)
  const { index, info } = opened(bytes)
  const blockLength = index.blockEnd(1) - index.blockOffset(1)

  it("takes rows of one batch on one key for sound where the official engine writes them", () => {
    const { merge, put, tombstone } = Kind
    assert.deepStrictEqual(rules(sameBatch(merge, merge)), [])
    assert.deepStrictEqual(rules(sameBatch(merge, tombstone)), [])
    assert.deepStrictEqual(rules(sameBatch(merge, put)), [])
    assert.deepStrictEqual(rules(sameBatch(put, merge)), ["order"])
    assert.deepStrictEqual(rules(sameBatch(put, tombstone)), ["order"])
  })

  it("finds nothing wrong with what the writer writes, and counts its rows", () => {
    const check = examine(bytes, manifest)
    assert.deepStrictEqual(check.faults, [])
    assert.deepStrictEqual(
      { ...check.contents, blocks: 0 },
      {
        formatVersion: 2,
        blocks: 0,
        rows: 100,
        puts: 90,
        deletes: 10,
        merges: 0,
        rawKeyBytes: 700,
        rawValueBytes: 9 * 7 + 81 * 8,
        firstSequence: 1,
        lastSequence: 100,
        firstCreateTime: 1000,
        lastCreateTime: 1099
      }
    )
    assert.isAbove(check.contents.blocks, 3)
    assert.deepStrictEqual(rules(table("wal")), [])
    assert.deepStrictEqual(rules(SsTableReader.fence()), [])
    assert.deepStrictEqual(rules(new Uint8Array(0)), [])
  })

  it("says what lies where, without a gap", () => {
    for (const [object, names] of [
      [bytes, ["block", "filter", "index", "stats", "info", "footer"]],
      [table("wal"), ["block", "index", "info", "footer"]],
      [SsTableReader.fence(), ["index", "stats", "info", "footer"]]
    ] as const) {
      const { parts } = examine(object)
      assert.deepStrictEqual([...new Set(parts.map(({ name }) => name))], [...names])
      assert.deepStrictEqual([0, ...parts.map(({ end }) => end)], [...parts.map(({ start }) => start), object.length])
    }
  })

  it("shows every row to who asks for them", () => {
    let sum = 0
    const check = new SsTableCheck(bytes, manifest, portable, (row) => (sum += row.sequence))
    while (check.next());
    assert.strictEqual(sum, 5050)
  })

  it("sees a row out of order, in a block and across blocks", () => {
    const at = (byte: number) =>
      rewrite(bytes, index.blockOffset(1), blockLength, (block) => {
        block[byte] = 0x2f
      })
    // The first row holds its whole key, from byte 3; its last digit becomes a slash.
    assert.include(rules(at(3), manifest), "order")
    assert.include(rules(at(9), manifest), "order")
  })

  it("sees WAL rows whose sequences go back", () => {
    const wal = table("wal")
    const { index } = opened(wal)
    const start = index.blockOffset(1)
    const changed = rewrite(wal, start, index.blockEnd(1) - start, (block) => {
      // After lengths, key and value of the first row comes its sequence.
      block.fill(0, 3 + 7 + 8, 3 + 7 + 8 + 8)
    })
    assert.include(rules(changed), "order")
    assert.include(rules(changed), "index")
  })

  it("sees a filter that denies a row", () => {
    const empty = rewrite(bytes, info.filterOffset, info.filterLength, (filter) => filter.fill(0, 2))
    assert.deepStrictEqual(rules(empty, manifest), ["filter"])
  })

  it("sees separators that do not lie between their rows", () => {
    const separator = Buffer.from(index.separator(2))
    for (const change of [-1, +1]) {
      const wrong = rewrite(bytes, info.indexOffset, info.indexLength, (section) => {
        const at = Buffer.from(section.buffer, section.byteOffset, section.length).indexOf(separator)
        const last = at + separator.length - 1
        section[last] = (section[last] ?? 0) + change
      })
      assert.deepStrictEqual(rules(wrong, manifest), ["index"])
    }
  })

  it("sees stats that differ from the rows", () => {
    const stats = Result.getOrThrow(SsTableReader.stats(bytes, 0, info, portable))
    if (stats === undefined) return assert.fail("no stats")
    const [first, ...others] = stats.blocks
    const changes: ReadonlyArray<Partial<SsTableStats>> = [
      { puts: 89 },
      { deletes: 11 },
      { rawKeyBytes: 699 },
      { rawValueBytes: 1 },
      { blocks: [{ puts: 1, deletes: first?.deletes ?? 0, merges: 0 }, ...others] }
    ]
    for (const change of changes) {
      const encoded = SsTableStatsCodec.encode({ ...stats, ...change })
      const wrong = rewrite(bytes, info.statsOffset, info.statsLength, (section) => section.set(encoded))
      assert.deepStrictEqual(rules(wrong, manifest), ["stats"], JSON.stringify(change))
    }
  })

  it("sees an info that differs from the rows or from the manifest", () => {
    const wrongFirst = rewriteInfo(bytes, (info) => ({ ...info, firstEntry: encoder.encode("key/001") }))
    const wrongLast = rewriteInfo(bytes, (info) => ({ ...info, lastEntry: encoder.encode("key/098") }))
    assert.deepStrictEqual(rules(wrongFirst, named(wrongFirst)), ["info"])
    assert.deepStrictEqual(rules(wrongLast, named(wrongLast)), ["info"])
    const { length } = examine(bytes, named(wrongLast)).faults
    assert.strictEqual(length, 1)
    assert.deepStrictEqual(rules(bytes, { ...manifest, formatVersion: 1 }), ["info"])
  })

  it("sees stats that count more blocks than there are", () => {
    const stats = Result.getOrThrow(SsTableReader.stats(bytes, 0, info, portable))
    if (stats === undefined) return assert.fail("no stats")
    const { statsLength, statsOffset } = info
    const longer = SsTableStatsCodec.encode({ ...stats, blocks: [...stats.blocks, { puts: 0, deletes: 0, merges: 0 }] })
    const newInfo = SsTableInfoCodec.encode({ ...info, statsLength: longer.length + 4 })
    const rest = (payload: Uint8Array) => {
      const section = new Uint8Array(payload.length + 4)
      section.set(payload)
      Section.seal(section, 0, payload.length, portable.crc32)
      return section
    }
    const footer = bytes.slice(-10)
    new DataView(footer.buffer).setBigUint64(0, BigInt(statsOffset + longer.length + 4))
    const wrong = new Uint8Array(Buffer.concat([bytes.subarray(0, statsOffset), rest(longer), rest(newInfo), footer]))
    assert.notStrictEqual(longer.length + 4, statsLength)
    assert.deepStrictEqual(
      examine(wrong, named(wrong)).faults.map(({ detail }) => detail.replace(/=\d+/g, "")),
      ["block counts differ: stats index"]
    )
  })

  it("sees a block that holds no rows under a right checksum", () => {
    const start = index.blockOffset(1)
    const wrong = rewrite(bytes, start, blockLength, (block) => block.fill(0xff, 0, 3))
    const check = examine(wrong, manifest)
    assert.deepStrictEqual(
      check.faults.map(({ rule }) => rule),
      ["row"]
    )
  })

  it("sees a table where a WAL object should be, and the other way round", () => {
    assert.deepStrictEqual(rules(bytes), ["info"])
    const wal = table("wal")
    assert.deepStrictEqual(rules(wal, named(wal)), ["info"])
  })

  it("sees bytes that belong to no part", () => {
    const infoAt = info.statsOffset + info.statsLength
    const gap = Buffer.concat([bytes.subarray(0, infoAt), new Uint8Array(4), bytes.subarray(infoAt)])
    gap.writeUInt32BE(infoAt + 4, gap.length - 6)
    assert.deepStrictEqual(rules(new Uint8Array(gap), manifest), ["layout"])
  })

  it("goes on after a damaged block and tells of each", () => {
    const damaged = bytes.slice()
    for (const block of [0, 2]) damaged[index.blockOffset(block) + 5] = 0xff
    assert.deepStrictEqual(
      examine(damaged, manifest).faults.map(({ rule }) => rule),
      ["checksum", "checksum"]
    )
  })
})
