/**
 * What a row costs on its way through a compaction, without fetching, decoding and
 * uploading: 8 sources in memory, 240-byte entries (16-byte keys, 224-byte values).
 *
 *     node packages/core/benchmark/Compaction.ts
 *
 * Prints nanoseconds a row that is read, and megabytes of entries a second; the best
 * of some rounds. Each line adds one stage to the one above it. Do not compare with
 * figures of whole compactions.
 */
import { crc32 } from "../src/internal/format/Checksum.ts"
import { SsTableWriter } from "../src/internal/format/SsTableWriter.ts"
import { type Cursor, Step } from "../src/internal/lsm/Cursor.ts"
import { DropTombstones } from "../src/internal/lsm/DropTombstones.ts"
import { KWayMerge } from "../src/internal/lsm/KWayMerge.ts"
import { Retention } from "../src/internal/lsm/Retention.ts"
import { Kind, RowView } from "../src/internal/model/RowEntry.ts"

const rowCount = 400_000
const sourceCount = 8
const rounds = 7
const keyBytes = 16
const entryBytes = 240

interface Source {
  readonly entries: Uint8Array
  readonly sequences: Float64Array
  readonly kinds: Uint8Array
}

/** Walks entries that lie one after another. */
class Entries implements Cursor {
  readonly row = new RowView()
  readonly #source: Source
  #next = 0

  constructor(source: Source) {
    this.#source = source
    this.row.key = this.row.value = source.entries
    this.row.createTime = 1_795_392_386_327
  }

  next(): Step {
    const i = this.#next
    if (i === this.#source.sequences.length) return Step.done
    this.#next++
    const { row } = this
    row.keyStart = i * entryBytes
    row.keyEnd = row.valueStart = row.keyStart + keyBytes
    row.kind = this.#source.kinds[i] as Kind
    row.valueEnd = row.kind === Kind.tombstone ? row.valueStart : row.keyStart + entryBytes
    row.sequence = this.#source.sequences[i] as number
    return Step.row
  }
}

/** Keys dealt to the sources by chance; a source is newer than those after it. */
const sourcesOf = (distinctKeys: number, tombstonesOfHundred: number): ReadonlyArray<Source> => {
  let state = 1
  const below = (end: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return Math.floor((state / 0x8000_0000) * end)
  }
  const perSource = rowCount / sourceCount
  return Array.from({ length: sourceCount }, (_, place): Source => {
    const keys = new Set<number>()
    while (keys.size < perSource) keys.add(below(distinctKeys))
    const entries = Uint8Array.from({ length: perSource * entryBytes }, (_, i) => Math.imul(i, 2_654_435_761) >>> 24)
    Array.from(keys)
      .toSorted((a, b) => a - b)
      .forEach((key, i) =>
        entries.set(new TextEncoder().encode(`user${String(key).padStart(12, "0")}`), i * entryBytes)
      )
    return {
      entries,
      sequences: Float64Array.from({ length: perSource }, (_, i) => (sourceCount - place) * perSource + i),
      kinds: Uint8Array.from({ length: perSource }, () =>
        below(100) < tombstonesOfHundred ? Kind.tombstone : Kind.put
      )
    }
  })
}

const writerOf = () =>
  new SsTableWriter({
    kind: "compacted",
    blockSizeBytes: 4096,
    filterBitsPerKey: 10,
    minFilterKeys: 1,
    codecName: "none",
    codec: undefined,
    crc32
  })

const merged = (sources: ReadonlyArray<Source>) =>
  new KWayMerge(
    sources.map((source) => new Entries(source)),
    "ascending"
  )
const retained = (sources: ReadonlyArray<Source>) =>
  new Retention(merged(sources), { minSequence: Infinity, now: 1_795_392_386_327, merge: undefined })
const atBottom = (sources: ReadonlyArray<Source>) => new DropTombstones(retained(sources))

const walk = (cursor: Cursor) => {
  let rows = 0
  while (cursor.next() === Step.row) rows += cursor.row.keyEnd > 0 ? 1 : 0
  return rows
}
const write = (cursor: Cursor) => {
  const writer = writerOf()
  while (cursor.next() === Step.row) writer.add(cursor.row)
  return writer.finish().sizeBytes
}

const report = (name: string, work: () => unknown) => {
  let least = Infinity
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    work()
    least = Math.min(least, ((performance.now() - start) * 1e6) / rowCount)
  }
  console.log(
    `  ${name.padEnd(24)} ${least.toFixed(0).padStart(5)} ns/row ${((entryBytes * 1e3) / least).toFixed(0).padStart(6)} MB/s`
  )
}

for (const [title, distinctKeys, tombstones] of [
  ["every key once or twice", 1_000_000, 0],
  ["keys overwritten", 100_000, 0],
  ["a fifth deleted", 1_000_000, 20]
] as const) {
  const sources = sourcesOf(distinctKeys, tombstones)
  console.log(`${title}:`)
  report("merge", () => walk(merged(sources)))
  report("+ retention", () => walk(retained(sources)))
  report("+ tombstones dropped", () => walk(atBottom(sources)))
  report("+ table written", () => write(atBottom(sources)))
}
