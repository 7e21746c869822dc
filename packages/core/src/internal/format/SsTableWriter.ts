/**
 * Writes a table: rows in, the bytes of an object out.
 *
 *     add(row)* ─> block ─> compressed ─> crc ─┐
 *     finish()  ─> filter | index | stats | info | footer ─> chunks
 *
 *     block 0 .. n-1 | filter | index | stats | info | u64 offset of info | u16 format version
 *
 * Rows of a `compacted` table come with keys ascending and, within a key,
 * sequence numbers descending. Rows of a `wal` object come as they were written:
 * sequence numbers never descend, keys in any order; it has neither filter nor
 * stats. Another order is a bug of the caller and a defect.
 *
 * A row is encoded once, where it will be stored (with a codec: into a block that
 * is then compressed). Nothing is allocated per row or, without a codec, per block.
 * Work that cannot be done row by row is in `finish`; it can be done before in slices
 * with `prepare`.
 *
 * It does not sort, deduplicate, or know what is visible.
 */
import { copyOf } from "../model/ByteCopy.ts"
import { equalsRange } from "../model/ByteOrder.ts"
import { ChunkPool } from "../model/ChunkPool.ts"
import { type RowView, Kind } from "../model/RowEntry.ts"
import type { CompressionCodec, SsTableInfo } from "../model/SsTable.ts"
import * as Row from "./Row.ts"
import { Block } from "./Block.ts"
import { BlockBuilder, blockBytesMax, bytesMax } from "./BlockBuilder.ts"
import { type BloomFilter, BloomFilterBuilder } from "./BloomFilter.ts"
import * as Checksum from "./Checksum.ts"
import * as Integer64 from "./Integer64.ts"
import { OutputChunks } from "./OutputChunks.ts"
import * as Section from "./Section.ts"
import { SipHash } from "./SipHash.ts"
import type { SsTableIndex } from "./SsTableIndex.ts"
import { SsTableIndexBuilder } from "./SsTableIndexBuilder.ts"
import * as SsTableInfoCodec from "./SsTableInfoCodec.ts"
import { SsTableStatsBuilder } from "./SsTableStatsBuilder.ts"

/** The format version that is written. */
export const formatVersion = 2

/** Bytes of the footer: offset of the info, format version. */
export const footerBytes = 10

/** Bits of the filter, its section, entries of the index, its section, the stats. */
const partsOfFinish = 5

export interface Options {
  readonly kind: SsTableInfo["kind"]
  /** Size of a block before compression, 1 to 65,536 bytes; a row that is longer has a block of its own. */
  readonly blockSizeBytes: number
  /** 0: no filter. */
  readonly filterBitsPerKey: number
  /** Tables of fewer rows have no filter. */
  readonly minFilterKeys: number
  readonly codecName: CompressionCodec
  /** The codec of that name; with `none` it is not used. */
  readonly codec: Section.Codec | undefined
  readonly crc32: Checksum.Checksum
  /** What the blocks weigh at most that are kept uncompressed, for a cache. Absent: none are kept. */
  readonly keptBlockBytesMax?: number | undefined
  /** Memory for the object; absent: its own. */
  readonly chunks?: ChunkPool | undefined
}

export interface Table {
  /** The object, in pieces. */
  readonly body: ReadonlyArray<Uint8Array>
  readonly sizeBytes: number
  readonly info: SsTableInfo
  readonly rowCount: number
}

/** Parts of a table as a reader has them. They share no bytes with its body. */
export interface Parts {
  readonly index: SsTableIndex
  readonly filter: BloomFilter | undefined
  /** Blocks that were to be kept, uncompressed, in order. */
  readonly keptBlocks: ReadonlyArray<KeptBlock>
}

export interface KeptBlock {
  readonly index: number
  readonly block: Block
}

export class SsTableWriter {
  rowCount = 0
  /** Whether blocks that end from now on are kept for a cache, while there is room. */
  keepsBlocks = true
  private readonly options: Options
  private readonly codec: Section.Codec | undefined
  private readonly isWal: boolean
  private readonly output: OutputChunks
  private readonly block: BlockBuilder
  private readonly index = new SsTableIndexBuilder()
  private readonly filter: BloomFilterBuilder | undefined
  private readonly hash = new SipHash()
  private readonly sequenceKey = new Uint8Array(8)
  private firstEntry: Uint8Array | undefined = undefined
  private lastSequence = 0
  private rawKeyBytes = 0
  private rawValueBytes = 0
  private readonly stats: SsTableStatsBuilder | undefined
  // Rows of the current block, by kind.
  private puts = 0
  private deletes = 0
  private merges = 0
  /** How many parts of what `finish` has to do are done. */
  private partsDone = 0
  private readonly keptBlocks: Array<KeptBlock> = []
  private keptBytes = 0
  private filterOffset = 0
  private indexOffset = 0
  private statsOffset = 0

  constructor(options: Options) {
    invariant(options.blockSizeBytes >= 1 && options.blockSizeBytes <= blockBytesMax, "block size 1 to 65536 bytes")
    invariant(options.codecName === "none" || options.codec !== undefined, "a codec for each name but none")
    this.options = options
    this.output = new OutputChunks(options.chunks ?? new ChunkPool())
    this.codec = options.codecName === "none" ? undefined : options.codec
    this.isWal = options.kind === "wal"
    this.block = new BlockBuilder(options.blockSizeBytes)
    this.stats = this.isWal ? undefined : new SsTableStatsBuilder()
    this.filter =
      this.isWal || options.filterBitsPerKey === 0 ? undefined : new BloomFilterBuilder(options.filterBitsPerKey)
  }

  /** Bytes of the object so far, without what `finish` adds. */
  get sizeBytes(): number {
    return this.output.sizeBytes + this.block.sizeBytes
  }

  /** Whether the row is a version of the key that was added last. */
  isOfLastKey(row: RowView): boolean {
    const { lastKey, lastKeyLength } = this.block
    return this.rowCount > 0 && equalsRange(lastKey, 0, lastKeyLength, row.key, row.keyStart, row.keyEnd)
  }

  /** Adds a row; its bytes are copied. */
  add(row: RowView): void {
    const block = this.block
    const keyLength = row.keyEnd - row.keyStart
    invariant(keyLength >= 1 && keyLength <= Row.keyBytesMax, "a key has 1 to 65535 bytes")
    invariant(row.valueEnd - row.valueStart <= Row.valueBytesMax, "a value has at most 4294967295 bytes")
    const shared = block.sharedWithLast(row)
    const isSameKey = shared === keyLength && shared === block.lastKeyLength
    this.checkOrder(row, shared, isSameKey)

    if (block.rowCount === 0) this.beginBlock(row, shared)
    if (!block.add(row, shared)) {
      this.endBlock()
      this.beginBlock(row, shared)
      block.add(row, shared)
    }
    this.rowCount++
    this.lastSequence = row.sequence
    if (this.isWal) return

    this.rawKeyBytes += keyLength
    if (row.kind === Kind.put) this.puts++
    else if (row.kind === Kind.tombstone) this.deletes++
    else this.merges++
    if (row.kind !== Kind.tombstone) this.rawValueBytes += row.valueEnd - row.valueStart
    if (this.filter === undefined) return
    // Versions of one key count as keys of their own, with one hash.
    if (!isSameKey) this.hash.hash(row.key, row.keyStart, row.keyEnd)
    this.filter.add(this.hash.low, this.hash.high)
  }

  /**
   * Does a part of what `finish` has to do, and says whether that was the last of it: up to `unitsMax` keys of the
   * filter, up to `unitsMax` blocks of the index, or a whole section. No row is added from the first call on.
   */
  prepare(unitsMax: number): boolean {
    if (this.partsDone < partsOfFinish && this.finishPart(unitsMax)) this.partsDone++
    return this.partsDone === partsOfFinish
  }

  /** Completes the object. The writer is not to be used any more. */
  finish(): Table {
    while (!this.prepare(Infinity));
    const { filterOffset, indexOffset, output, statsOffset } = this
    const infoOffset = output.sizeBytes
    const info: SsTableInfo = {
      firstEntry: this.firstEntry,
      lastEntry: this.isWal || this.rowCount === 0 ? undefined : this.block.lastKey.slice(0, this.block.lastKeyLength),
      indexOffset,
      indexLength: statsOffset - indexOffset,
      filterOffset,
      filterLength: indexOffset - filterOffset,
      filterFormat: "legacy",
      statsOffset: this.isWal ? 0 : statsOffset,
      statsLength: infoOffset - statsOffset,
      compression: this.options.codecName,
      kind: this.options.kind
    }
    this.plainSection(SsTableInfoCodec.encode(info))
    this.footer(infoOffset)
    const sizeBytes = output.sizeBytes
    return { body: output.finish(), sizeBytes, info, rowCount: this.rowCount }
  }

  /** Gives back the memory of the finished object: once it is stored, and nobody reads its body any more. */
  release(): void {
    this.output.release()
  }

  /** What a cache keeps of the finished table. */
  parts(): Parts {
    return {
      index: this.index.built(this.filterOffset),
      filter: this.hasFilter ? this.filter?.built() : undefined,
      keptBlocks: this.keptBlocks
    }
  }

  /** Works on the next part, and says whether it is done. */
  private finishPart(unitsMax: number): boolean {
    const { output } = this
    switch (this.partsDone) {
      case 0:
        return !this.hasFilter || this.filter === undefined || this.filter.place(unitsMax)
      case 1:
        if (this.block.rowCount !== 0) this.endBlock()
        this.filterOffset = output.sizeBytes
        if (this.hasFilter && this.filter !== undefined) this.section(this.filter.finish())
        return true
      case 2:
        return this.index.place(unitsMax)
      case 3:
        this.indexOffset = output.sizeBytes
        this.section(this.index.encode())
        return true
      default:
        this.statsOffset = output.sizeBytes
        if (this.stats !== undefined) this.section(this.stats.encode(this.rawKeyBytes, this.rawValueBytes))
        return true
    }
  }

  private get hasFilter(): boolean {
    return this.filter !== undefined && this.rowCount > 0 && this.rowCount >= this.options.minFilterKeys
  }

  private checkOrder(row: RowView, shared: number, isSameKey: boolean): void {
    if (this.rowCount === 0) return
    if (this.isWal) {
      invariant(row.sequence >= this.lastSequence, "rows of a WAL have sequence numbers that never descend")
    } else if (isSameKey) {
      invariant(row.sequence < this.lastSequence, "rows of one key in a table have descending sequence numbers")
    } else {
      const { lastKey, lastKeyLength } = this.block
      const isAscending =
        shared === lastKeyLength ||
        (shared < row.keyEnd - row.keyStart && (row.key[row.keyStart + shared] as number) > (lastKey[shared] as number))
      invariant(isAscending, "rows of a table have ascending keys")
    }
  }

  private beginBlock(row: RowView, shared: number): void {
    const { block, index, options, output } = this
    const offset = output.sizeBytes
    if (this.isWal) {
      Integer64.write(this.sequenceKey, 0, row.sequence)
      index.add(offset, this.sequenceKey, 0, 8)
      this.firstEntry ??= this.sequenceKey.slice()
    } else {
      // The separator: the shortest prefix above the key before; of the first block, nothing.
      const separatorEnd = this.rowCount === 0 ? row.keyStart : Math.min(row.keyStart + shared + 1, row.keyEnd)
      index.add(offset, row.key, row.keyStart, separatorEnd)
      this.firstEntry ??= copyOf(row.key, row.keyStart, row.keyEnd)
    }
    if (this.codec !== undefined) {
      block.begin(block.buffer, 0)
      return
    }
    output.reserve(bytesMax(options.blockSizeBytes, row) + Checksum.sizeBytes)
    block.begin(output.chunk, output.position)
  }

  private endBlock(): void {
    const { block, options, output } = this
    const end = block.end()
    this.keep(block.buffer, this.codec === undefined ? output.position : 0, end)
    if (this.codec === undefined) {
      invariant(block.buffer === output.chunk, "a block stays where it was begun")
      output.position = Section.seal(output.chunk, output.position, end, options.crc32)
    } else {
      this.plainSection(this.codec.compress(block.buffer.subarray(0, end)))
    }
    block.rowCount = 0
    if (this.stats === undefined) return
    this.stats.add(this.puts, this.deletes, this.merges)
    this.puts = 0
    this.deletes = 0
    this.merges = 0
  }

  /** Keeps a copy of the last block, which is `bytes[start, end)`, if it shall be and there is room. */
  private keep(bytes: Uint8Array, start: number, end: number): void {
    const { keptBlockBytesMax = 0 } = this.options
    if (!this.keepsBlocks || this.keptBytes >= keptBlockBytesMax) return
    const block = Block.copy(bytes, start, end)
    // Also where it is not kept: it was the last one that had room.
    this.keptBytes += block.sizeBytes
    if (this.keptBytes <= keptBlockBytesMax) this.keptBlocks.push({ index: this.index.blockCount - 1, block })
  }

  private section(payload: Uint8Array): void {
    const { codec } = this
    this.plainSection(codec === undefined ? payload : codec.compress(payload))
  }

  private plainSection(stored: Uint8Array): void {
    const { output } = this
    output.reserve(stored.length + Checksum.sizeBytes)
    const start = output.position
    output.append(stored)
    output.position = Section.seal(output.chunk, start, output.position, this.options.crc32)
  }

  private footer(infoOffset: number): void {
    const { output } = this
    output.reserve(footerBytes)
    Integer64.write(output.chunk, output.position, infoOffset)
    output.chunk[output.position + 8] = formatVersion >>> 8
    output.chunk[output.position + 9] = formatVersion
    output.position += footerBytes
  }
}

const invariant = (condition: boolean, law: string): void => {
  if (!condition) throw new Error(`sst writer: ${law}`)
}
