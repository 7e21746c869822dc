import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SsTableInfoCodec from "../../../src/internal/format/SsTableInfoCodec.ts"
import { SsTableStatsBuilder } from "../../../src/internal/format/SsTableStatsBuilder.ts"
import * as SsTableStatsCodec from "../../../src/internal/format/SsTableStatsCodec.ts"
import * as FixtureStore from "./FixtureStore.ts"

/** The info's FlatBuffer in a table: between the offset that the last 10 bytes give and its crc. */
const infoBytes = (object: Uint8Array): Uint8Array => {
  const view = new DataView(object.buffer, object.byteOffset, object.byteLength)
  return object.subarray(Number(view.getBigUint64(object.length - 10)), object.length - 14)
}

const BlockStats = Schema.Struct({ num_puts: Schema.Int, num_deletes: Schema.Int, num_merges: Schema.Int })

const Table = Schema.Struct({
  bytes: Schema.Int,
  sst_type: Schema.Literals([0, 1]),
  compression: Schema.String,
  filter: Schema.NullOr(Schema.Unknown),
  blocks: Schema.Array(Schema.Tuple([Schema.Int, Schema.Int, Schema.String])),
  stats: Schema.NullOr(
    Schema.Struct({
      ...BlockStats.fields,
      raw_key_size: Schema.Int,
      raw_val_size: Schema.Int,
      block_stats: Schema.NullOr(Schema.Array(BlockStats))
    })
  )
})

const tables = FixtureStore.cases.flatMap((name) =>
  FixtureStore.paths(name, ".sst").map((path) => [name, path] as const)
)

describe("SsTableInfoCodec", () => {
  it.each(tables)("reads the info of %s %s", (name, path) => {
    const object = FixtureStore.bytes(name, path)
    const expected = FixtureStore.expected(name, path, Table)
    const info = Result.getOrThrow(SsTableInfoCodec.decode(infoBytes(object)))
    const lastBlock = expected.blocks.at(-1)

    assert.strictEqual(object.length, expected.bytes)
    assert.strictEqual(info.kind, expected.sst_type === 0 ? "compacted" : "wal")
    assert.strictEqual(info.compression, expected.compression)
    assert.strictEqual(info.filterFormat, "legacy")
    assert.strictEqual(info.filterLength > 0, expected.filter !== null)
    assert.strictEqual(info.statsLength > 0, expected.stats !== null)
    assert.strictEqual(info.filterOffset, lastBlock === undefined ? 0 : lastBlock[0] + lastBlock[1])
    assert.strictEqual(info.indexOffset, info.filterOffset + info.filterLength)
    assert.strictEqual(info.firstEntry === undefined, expected.blocks.length === 0)
    assert.strictEqual(info.lastEntry === undefined, expected.blocks.length === 0 || info.kind === "wal")
  })

  it.each(tables)("reads again what it writes of %s %s", (name, path) => {
    const info = Result.getOrThrow(SsTableInfoCodec.decode(infoBytes(FixtureStore.bytes(name, path))))
    assert.deepStrictEqual(SsTableInfoCodec.decode(SsTableInfoCodec.encode(info)), Result.succeed(info))
  })

  it.prop("reads what it writes", [SsTableInfoCodec.SsTableInfo], ([info]) => {
    assert.deepStrictEqual(SsTableInfoCodec.decode(SsTableInfoCodec.encode(info)), Result.succeed(info))
  })
})

describe("SsTableStatsCodec", () => {
  const uncompressed = tables.filter(([name, path]) => {
    const expected = FixtureStore.expected(name, path, Table)
    return expected.stats !== null && expected.compression === "none"
  })

  it.each(uncompressed)("reads the stats of %s %s", (name, path) => {
    const object = FixtureStore.bytes(name, path)
    const expected = FixtureStore.expected(name, path, Table).stats
    const { statsLength, statsOffset } = Result.getOrThrow(SsTableInfoCodec.decode(infoBytes(object)))
    const stats = Result.getOrThrow(
      SsTableStatsCodec.decode(object.subarray(statsOffset, statsOffset + statsLength - 4))
    )
    assert.deepStrictEqual(
      {
        num_puts: stats.puts,
        num_deletes: stats.deletes,
        num_merges: stats.merges,
        raw_key_size: stats.rawKeyBytes,
        raw_val_size: stats.rawValueBytes,
        block_stats:
          stats.blocks.length === 0
            ? null
            : stats.blocks.map((block) => ({
                num_puts: block.puts,
                num_deletes: block.deletes,
                num_merges: block.merges
              }))
      },
      expected
    )
  })

  it.prop("reads what it writes", [SsTableStatsCodec.SsTableStats], ([stats]) => {
    assert.deepStrictEqual(SsTableStatsCodec.decode(SsTableStatsCodec.encode(stats)), Result.succeed(stats))
  })
})

describe("SsTableStatsBuilder", () => {
  const Count = Schema.Literals([0, 0, 1, 2, 65_535])
  const Blocks = Schema.Array(Schema.Struct({ puts: Count, deletes: Count, merges: Count }))

  it.prop(
    "makes the bytes of the codec, one block after another",
    [Blocks, Schema.Literals([0, 1, 2 ** 40])],
    ([blocks, rawBytes]) => {
      const builder = new SsTableStatsBuilder()
      for (const { deletes, merges, puts } of blocks) builder.add(puts, deletes, merges)
      const sum = (kind: "puts" | "deletes" | "merges") => blocks.reduce((total, block) => total + block[kind], 0)
      assert.deepStrictEqual(
        builder.encode(rawBytes, 7),
        SsTableStatsCodec.encode({
          puts: sum("puts"),
          deletes: sum("deletes"),
          merges: sum("merges"),
          rawKeyBytes: rawBytes,
          rawValueBytes: 7,
          blocks
        })
      )
    }
  )

  it("also for more blocks than it had room for at first", () => {
    const builder = new SsTableStatsBuilder()
    const blocks = Array.from({ length: 5000 }, (_, i) => ({ puts: i % 7, deletes: i % 3, merges: i % 2 }))
    for (const { deletes, merges, puts } of blocks) builder.add(puts, deletes, merges)
    const stats = Result.getOrThrow(SsTableStatsCodec.decode(builder.encode(1, 2)))
    assert.deepStrictEqual(stats.blocks, blocks)
  })
})
