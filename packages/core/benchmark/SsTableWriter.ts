/**
 * What it costs to write a row into a table: 16-byte keys, 100-byte values.
 *
 *     node packages/core/benchmark/SsTableWriter.ts
 *
 * Prints nanoseconds a row, the best of some rounds. Do not compare with figures
 * that include sorting, retention or uploading.
 */
import { crc32 } from "../src/internal/format/Checksum.ts"
import { SsTableWriter } from "../src/internal/format/SsTableWriter.ts"
import { RowView } from "../src/internal/model/RowEntry.ts"

const rowCount = 100_000
const rounds = 9

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

const write = (kind: "compacted" | "wal", filterBitsPerKey: number, valueBytes: number) => {
  const writer = new SsTableWriter({
    kind,
    blockSizeBytes: 4096,
    filterBitsPerKey,
    minFilterKeys: 1,
    codecName: "none",
    codec: undefined,
    crc32
  })
  const start = performance.now()
  for (let i = 0; i < rowCount; i++) {
    digits(row.key, kind === "wal" ? (i * 7919) % rowCount : i)
    row.sequence = i + 1
    row.valueStart = i % 1024
    row.valueEnd = row.valueStart + valueBytes
    writer.add(row)
  }
  const added = performance.now()
  const table = writer.finish()
  const end = performance.now()
  return { add: ((added - start) * 1e6) / rowCount, finish: ((end - added) * 1e6) / rowCount, table }
}

const report = (name: string, kind: "compacted" | "wal", filterBitsPerKey: number, valueBytes = 100) => {
  let best = write(kind, filterBitsPerKey, valueBytes)
  for (let i = 1; i < rounds; i++) {
    const result = write(kind, filterBitsPerKey, valueBytes)
    if (result.add + result.finish < best.add + best.finish) best = result
  }
  const megabytes = best.table.sizeBytes / 1e6 / (((best.add + best.finish) * rowCount) / 1e9)
  console.log(
    `${name.padEnd(32)} ${best.add.toFixed(0).padStart(5)} ns/row to add, ${best.finish.toFixed(0).padStart(4)} to finish,` +
      ` ${megabytes.toFixed(0)} MB/s`
  )
}

report("compacted, no filter", "compacted", 0)
report("compacted, filter", "compacted", 10)
report("wal", "wal", 0)
report("compacted, 1000 B values", "compacted", 0, 1000)
