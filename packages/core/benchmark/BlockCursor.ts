/**
 * What it costs to walk and to search blocks: 16-byte keys, 100-byte values.
 *
 *     node packages/core/benchmark/BlockCursor.ts
 *
 * Prints nanoseconds a row, or a search. Blocks are in memory and decoded; the
 * replay figure includes checksums.
 */
import * as Result from "effect/Result"
import { BlockCursor, BlockStep } from "../src/internal/format/BlockCursor.ts"
import { crc32 } from "../src/internal/format/Checksum.ts"
import { SipHash } from "../src/internal/format/SipHash.ts"
import * as SsTableReader from "../src/internal/format/SsTableReader.ts"
import { SsTableWriter } from "../src/internal/format/SsTableWriter.ts"
import * as WalReader from "../src/internal/format/WalReader.ts"
import { RowView } from "../src/internal/model/RowEntry.ts"

const rowCount = 100_000
const rounds = 9
const codecs = { codecs: {}, crc32 }

const row = new RowView()
row.key = new TextEncoder().encode("user000000000000")
row.keyEnd = row.key.length
row.value = Uint8Array.from({ length: 4096 }, (_, i) => (i * 2_654_435_761) >>> 24)
row.createTime = 1_795_392_386_327

const digits = (key: Uint8Array, value: number): void => {
  for (let at = key.length - 1; at >= 4; at--) {
    key[at] = 0x30 + (value % 10)
    value = Math.floor(value / 10)
  }
}

const build = (kind: "compacted" | "wal") => {
  const writer = new SsTableWriter({
    kind,
    blockSizeBytes: 4096,
    filterBitsPerKey: 10,
    minFilterKeys: 1,
    codecName: "none",
    codec: undefined,
    crc32
  })
  for (let i = 0; i < rowCount; i++) {
    digits(row.key, kind === "wal" ? (i * 7919) % rowCount : i)
    row.sequence = i + 1
    row.valueStart = i % 1024
    row.valueEnd = row.valueStart + 100
    writer.add(row)
  }
  const { body, sizeBytes } = writer.finish()
  const bytes = new Uint8Array(sizeBytes)
  let at = 0
  for (const chunk of body) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

const object = build("compacted")
const wal = build("wal")
const { index, info } = Result.getOrThrow(SsTableReader.open(object, codecs))
const filter = Result.getOrThrow(SsTableReader.filter(object, 0, info, codecs))
const blocks = Array.from({ length: index.blockCount }, (_, i) =>
  Result.getOrThrow(SsTableReader.block(object, 0, index.blockOffset(i), index.blockEnd(i), info, codecs))
)
const cursor = new BlockCursor()
const hash = new SipHash()

const measure = (name: string, count: number, run: () => number) => {
  let best = Infinity
  let sum = 0
  for (let i = 0; i < rounds; i++) {
    const start = performance.now()
    sum += run()
    best = Math.min(best, performance.now() - start)
  }
  if (sum === 0) throw new Error(`${name} found nothing`)
  console.log(`${name.padEnd(32)} ${((best * 1e6) / count).toFixed(0).padStart(5)} ns`)
}

measure("next", rowCount, () => {
  let sum = 0
  for (const block of blocks) {
    cursor.load(block, 2)
    while (cursor.next() === BlockStep.row) sum += cursor.row.valueEnd
  }
  return sum
})
measure("previous", rowCount, () => {
  let sum = 0
  for (const block of blocks) {
    cursor.load(block, 2)
    for (let step = cursor.seekToLast(); step === BlockStep.row; step = cursor.previous()) sum += cursor.row.valueEnd
  }
  return sum
})
measure("index and block search", rowCount, () => {
  let sum = 0
  for (let i = 0; i < rowCount; i++) {
    digits(row.key, (i * 7919) % rowCount)
    cursor.load(blocks[index.findFirst(row.key, 0, 16)] as Uint8Array, 2)
    if (cursor.seek(row.key, 0, 16) === BlockStep.row) sum += cursor.row.sequence
  }
  return sum
})
measure("filter, key in the table", rowCount, () => {
  let sum = 0
  for (let i = 0; i < rowCount; i++) {
    digits(row.key, (i * 7919) % rowCount)
    hash.hash(row.key, 0, 16)
    if (filter?.mightContain(hash.low, hash.high)) sum++
  }
  return sum
})
measure("replay of a WAL object", rowCount, () => {
  const reader = Result.getOrThrow(WalReader.open(wal, codecs))
  let sum = 0
  while (reader.next() === BlockStep.row) sum += reader.row.sequence
  return sum
})
console.log(`(a WAL object of ${(wal.length / 1e6).toFixed(1)} MB)`)
