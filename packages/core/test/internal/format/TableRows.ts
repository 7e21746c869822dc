/**
 * Rows for tests of the table format: made by arbitraries, written to tables, as
 * the naive model sees them.
 */
import { NodeCompression } from "@effect-slatedb/platform-node"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { SsTableWriter, type Options, type Table } from "../../../src/internal/format/SsTableWriter.ts"
import { compare } from "../../../src/internal/model/ByteOrder.ts"
import { Kind, neverExpires, noCreateTime, type RowEntry, RowView } from "../../../src/internal/model/RowEntry.ts"

/** Every codec, and checksums that use native code. */
export const codecs = NodeCompression.make()

export const text = (value: string): Uint8Array => new TextEncoder().encode(value)

export const put = (key: string | Uint8Array, sequence: number, value: string | Uint8Array = ""): RowEntry => ({
  key: typeof key === "string" ? text(key) : key,
  value: typeof value === "string" ? text(value) : value,
  sequence,
  kind: Kind.put,
  createTime: 1_700_000_000_000 + sequence,
  expireTime: neverExpires
})

/** A window onto a row that does not begin at 0, so that nobody forgets an offset. */
export const view = (row: RowEntry): RowView => {
  const window = new RowView()
  window.key = new Uint8Array(row.key.length + 5).fill(0xee)
  window.key.set(row.key, 2)
  window.keyStart = 2
  window.keyEnd = 2 + row.key.length
  window.value = new Uint8Array(row.value.length + 7).fill(0xdd)
  window.value.set(row.value, 3)
  window.valueStart = 3
  window.valueEnd = 3 + row.value.length
  window.sequence = row.sequence
  window.kind = row.kind
  window.createTime = row.createTime
  window.expireTime = row.expireTime
  return window
}

export const options: Options = {
  kind: "compacted",
  blockSizeBytes: 1024,
  filterBitsPerKey: 10,
  minFilterKeys: 1,
  codecName: "none",
  codec: undefined,
  crc32: codecs.crc32
}

export const write = (rows: Iterable<RowEntry>, changed: Partial<Options> = {}): Table => {
  const writer = new SsTableWriter({ ...options, ...changed })
  for (const row of rows) writer.add(view(row))
  return writer.finish()
}

export const bytesOf = (table: Table): Uint8Array => concat(table.body)

export const concat = (pieces: ReadonlyArray<Uint8Array>): Uint8Array => {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}

const pick = <const Choices extends ReadonlyArray<unknown>>(
  ...choices: Choices
): Arbitrary.Arbitrary<Choices[number]> =>
  Arbitrary.map(
    Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: choices.length - 1 }))),
    (i) => choices[i] as Choices[number]
  )

const time = pick(undefined, 0, 1, -1, 1_795_392_386_327, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER)

/**
 * Keys share prefixes and differ in few byte values; some are as long as keys may
 * be. Values are small, longer than a block, or end at the borders of a varint.
 */
const cluster = Arbitrary.all({
  stem: Arbitrary.array(pick(0, 1, 0x61, 0xff), { minLength: 1, maxLength: 4 }),
  repeat: pick(1, 1, 1, 1, 1, 2, 50, 16_383),
  versions: pick(1, 1, 1, 1, 2, 3, 40),
  valueBytes: pick(0, 1, 16, 16, 16, 100, 127, 128, 1_000, 16_384),
  fill: pick(0, 0x20, 0x80, 0xff),
  kind: pick(Kind.put, Kind.put, Kind.tombstone, Kind.merge),
  createTime: time,
  expireTime: time
})

const key = (stem: ReadonlyArray<number>, repeat: number): Uint8Array => {
  const bytes = new Uint8Array(Math.min(65_535, stem.length * repeat))
  for (let i = 0; i < bytes.length; i++) bytes[i] = stem[i % stem.length] as number
  return bytes
}

const clusters = Arbitrary.array(cluster, { maxLength: 40 })

/** Rows as a table of kind `compacted` takes them. */
export const sortedRows: Arbitrary.Arbitrary<ReadonlyArray<RowEntry>> = Arbitrary.map(clusters, (all) => {
  let sequence = 10_000
  const keys = all
    .map(({ repeat, stem, ...rest }) => ({ ...rest, key: key(stem, repeat) }))
    .toSorted((a, b) => compare(a.key, b.key))
  return keys
    .filter((row, i) => i === 0 || compare(row.key, (keys[i - 1] as (typeof keys)[number]).key) !== 0)
    .flatMap((row) => Array.from({ length: row.versions }, (): RowEntry => entry(row.key, row, --sequence)))
})

/** Rows as a WAL takes them: keys in any order. */
export const walRows: Arbitrary.Arbitrary<ReadonlyArray<RowEntry>> = Arbitrary.map(clusters, (all) =>
  all.map((row, i): RowEntry => entry(key(row.stem, row.repeat), row, 1 + (i >> 1)))
)

const entry = (
  key: Uint8Array,
  row: {
    readonly kind: Kind
    readonly fill: number
    readonly valueBytes: number
    readonly createTime: number | undefined
    readonly expireTime: number | undefined
  },
  sequence: number
): RowEntry => ({
  key,
  value: new Uint8Array(row.kind === Kind.tombstone ? 0 : row.valueBytes).fill(row.fill),
  sequence,
  kind: row.kind,
  createTime: row.createTime ?? noCreateTime,
  expireTime: row.kind === Kind.tombstone ? neverExpires : (row.expireTime ?? neverExpires)
})

/** Small enough to be told in a failure. */
export const told = (row: RowEntry): string =>
  `${Buffer.from(row.key.subarray(0, 8)).toString("hex")}:${row.key.length} seq ${row.sequence} kind ${row.kind} ` +
  `value ${row.value[0]}:${row.value.length} ${row.createTime} ${row.expireTime}`
