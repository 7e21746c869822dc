/**
 * Examines one table, byte by byte: is it what a writer writes, and what the
 * manifest says of it?
 *
 *     next() ─> footer, info, layout, index, filter, stats
 *            ─> block 0 ─> block 1 ...     every row: order, filter
 *            ─> the sums                   what info and stats say of all rows
 *
 * One call examines one part, so that a caller can let others run in between. A
 * fault ends the examination of the part it is in and of what needs that part,
 * never of the rest: all faults of a table are found in one walk.
 *
 * Every byte of the object is under a checksum or compared with something, so
 * there is no byte whose change this would not see.
 */
import * as Result from "effect/Result"
import { compare, compareRange } from "../model/ByteOrder.ts"
import { Kind, noCreateTime, type RowView } from "../model/RowEntry.ts"
import type { Fault } from "../model/Fault.ts"
import type { Part } from "../model/Part.ts"
import type { SstFormatVersion, SsTableInfo } from "../model/SsTable.ts"
import type { TableContents } from "../model/TableContents.ts"
import type { SsTableStats } from "../model/SsTableStats.ts"
import { BlockCursor, BlockStep } from "./BlockCursor.ts"
import type { BloomFilter } from "./BloomFilter.ts"
import { type FormatError, shift } from "./FormatError.ts"
import { SipHash } from "./SipHash.ts"
import type { SsTableIndex } from "./SsTableIndex.ts"
import * as SsTableReader from "./SsTableReader.ts"
import { footerBytes } from "./SsTableWriter.ts"
import * as Integer64 from "./Integer64.ts"

/** What the manifest says of the table. */
export interface Named {
  readonly formatVersion: SstFormatVersion
  readonly info: SsTableInfo
}

export class SsTableCheck {
  readonly faults: Array<Fault> = []
  /** What lies where, as far as that could be read. */
  readonly parts: Array<Part> = []
  readonly contents: { -readonly [Field in keyof TableContents]: TableContents[Field] }
  private readonly bytes: Uint8Array
  private readonly codecs: SsTableReader.Codecs
  private readonly onRow: (row: RowView) => void
  private table: { readonly formatVersion: SstFormatVersion; readonly info: SsTableInfo } | undefined
  private index: SsTableIndex | undefined
  private filter: BloomFilter | undefined
  private stats: SsTableStats | undefined
  private block = 0
  /** Whether every row was seen, so that sums can be compared. */
  private isWhole = true
  /** Rules that rows of the current block broke. */
  private readonly told = new Set<string>()

  private readonly cursor = new BlockCursor()
  private readonly hash = new SipHash()
  // The row before, whichever block it was in.
  private lastKey = new Uint8Array(256)
  private lastKeyLength = 0
  private lastSequence = 0
  private lastKind: Kind = Kind.put

  /** `bytes` is the whole object; `named` is absent for a WAL object. */
  constructor(
    bytes: Uint8Array,
    named: Named | undefined,
    codecs: SsTableReader.Codecs,
    onRow: (row: RowView) => void = () => {}
  ) {
    this.bytes = bytes
    this.codecs = codecs
    this.onRow = onRow
    this.contents = {
      formatVersion: undefined,
      blocks: 0,
      rows: 0,
      puts: 0,
      deletes: 0,
      merges: 0,
      rawKeyBytes: 0,
      rawValueBytes: 0,
      firstSequence: Infinity,
      lastSequence: 0,
      firstCreateTime: Infinity,
      lastCreateTime: -Infinity
    }
    this.open(named)
  }

  /** Examines the next block, and after the last one the sums; `false` when nothing is left. */
  next(): boolean {
    const { index, table } = this
    if (index === undefined || table === undefined) return false
    if (this.block < index.blockCount) {
      const isSound = this.checkBlock(table, index, this.block)
      if (!isSound) this.isWhole = false
      this.block++
      return true
    }
    if (this.isWhole) this.checkSums(table.info)
    this.table = undefined
    return false
  }

  private open(named: Named | undefined): void {
    const { bytes, codecs } = this
    // A fence of newer writers.
    if (bytes.length === 0 && named === undefined) return
    const footer = this.take(SsTableReader.footer(bytes, bytes.length))
    if (footer === undefined) return
    this.contents.formatVersion = footer.formatVersion
    if (named !== undefined && named.formatVersion !== footer.formatVersion) {
      this.fault("info", `format version differs: manifest=${named.formatVersion} object=${footer.formatVersion}`)
    }
    const info = this.take(SsTableReader.info(bytes, 0, footer, bytes.length, codecs.crc32))
    if (info === undefined) return
    if (named !== undefined) this.compareInfo(named.info, info)
    this.checkLayout(info, footer.infoOffset)
    this.table = { formatVersion: footer.formatVersion, info }
    this.index = this.take(SsTableReader.index(bytes, 0, info, codecs))
    this.filter = this.take(SsTableReader.filter(bytes, 0, info, codecs))
    this.stats = this.take(SsTableReader.stats(bytes, 0, info, codecs))
    this.contents.blocks = this.index?.blockCount ?? 0
    this.noteParts(info, footer.infoOffset)
    const expected = named === undefined && this.contents.blocks > 0 ? "wal" : info.kind
    if (info.kind !== expected || (named !== undefined && info.kind !== "compacted")) {
      this.fault(
        "info",
        `table is of another kind: expected=${named === undefined ? "wal" : "compacted"} found=${info.kind}`
      )
    }
  }

  private noteParts(info: SsTableInfo, infoOffset: number): void {
    const { index } = this
    const note = (name: Part["name"], start: number, end: number): void => {
      if (end > start) this.parts.push({ name, start, end })
    }
    for (let i = 0; i < (index?.blockCount ?? 0); i++)
      note("block", index?.blockOffset(i) ?? 0, index?.blockEnd(i) ?? 0)
    note("filter", info.filterOffset, info.filterOffset + info.filterLength)
    note("index", info.indexOffset, info.indexOffset + info.indexLength)
    note("stats", info.statsOffset, info.statsOffset + info.statsLength)
    note("info", infoOffset, this.bytes.length - footerBytes)
    note("footer", this.bytes.length - footerBytes, this.bytes.length)
  }

  /** Parts lie one after the other, without a gap that no checksum covers. */
  private checkLayout(info: SsTableInfo, infoOffset: number): void {
    const indexEnd = info.indexOffset + info.indexLength
    const statsEnd = info.statsLength === 0 ? indexEnd : info.statsOffset + info.statsLength
    const isTight =
      info.filterOffset + info.filterLength === info.indexOffset &&
      (info.statsLength === 0 || info.statsOffset === indexEnd) &&
      statsEnd === infoOffset
    if (!isTight) {
      this.fault(
        "layout",
        `parts do not lie one after the other: filter=${info.filterOffset}+${info.filterLength}` +
          ` index=${info.indexOffset}+${info.indexLength} stats=${info.statsOffset}+${info.statsLength} info=${infoOffset}`
      )
    }
  }

  private compareInfo(named: SsTableInfo, found: SsTableInfo): void {
    for (const field of infoFields) {
      if (!isSame(named[field], found[field])) {
        this.fault("info", `${field} differs: manifest=${print(named[field])} object=${print(found[field])}`)
      }
    }
  }

  private checkBlock(table: Named, index: SsTableIndex, block: number): boolean {
    const start = index.blockOffset(block)
    const payload = this.take(SsTableReader.block(this.bytes, 0, start, index.blockEnd(block), table.info, this.codecs))
    if (payload === undefined) return false
    const { cursor } = this
    const before = { puts: this.contents.puts, deletes: this.contents.deletes, merges: this.contents.merges }
    this.told.clear()
    cursor.load(payload, table.formatVersion)
    let step = cursor.next()
    for (let row = 0; step === BlockStep.row; row++) {
      if (row === 0) this.checkSeparator(table.info, index.separator(block), block)
      this.checkRow(table.info, block)
      step = cursor.next()
    }
    if (cursor.error !== undefined) {
      this.fault("row", shift(cursor.error, start).message)
      return false
    }
    this.checkBlockStats(block, before)
    return true
  }

  private checkRow(info: SsTableInfo, block: number): void {
    const { contents, cursor } = this
    const { row } = cursor
    if (contents.rows > 0 && !this.isInOrder(info, row)) {
      this.tell("order", `row is not in order: block=${block} ${describe(row)} after=${this.describeLast()}`)
    }
    if (this.filter !== undefined) {
      this.hash.hash(row.key, row.keyStart, row.keyEnd)
      if (!this.filter.mightContain(this.hash.low, this.hash.high)) {
        this.tell("filter", `filter denies a row: block=${block} ${describe(row)}`)
      }
    }
    contents.rows++
    if (row.kind === Kind.put) contents.puts++
    else if (row.kind === Kind.tombstone) contents.deletes++
    else contents.merges++
    contents.rawKeyBytes += row.keyEnd - row.keyStart
    contents.rawValueBytes += row.valueEnd - row.valueStart
    contents.firstSequence = Math.min(contents.firstSequence, row.sequence)
    contents.lastSequence = Math.max(contents.lastSequence, row.sequence)
    if (row.createTime !== noCreateTime) {
      contents.firstCreateTime = Math.min(contents.firstCreateTime, row.createTime)
    }
    contents.lastCreateTime = Math.max(contents.lastCreateTime, row.createTime)
    if (contents.rows === 1 && this.isWhole) this.checkFirst(info, row)
    this.keep(row)
    this.onRow(row)
  }

  /**
   * Operands of one batch on one key may lie side by side; no other rows have key and sequence in common. But in the
   * WAL of the official engine an operand can be followed by what it came after in its batch, when their expiry differs.
   */
  private isInOrder(info: SsTableInfo, row: RowView): boolean {
    const key = compareRange(this.lastKey, 0, this.lastKeyLength, row.key, row.keyStart, row.keyEnd)
    const sequence = row.sequence - this.lastSequence
    if (key === 0 && sequence === 0) {
      return this.lastKind === Kind.merge && (row.kind === Kind.merge || info.kind === "wal")
    }
    if (info.kind === "wal") return sequence > 0 || (sequence === 0 && key < 0)
    return key < 0 || (key === 0 && sequence < 0)
  }

  /** A separator is above every row before its block, and not above the block's first row. */
  private checkSeparator(info: SsTableInfo, separator: Uint8Array, block: number): void {
    const { row } = this.cursor
    if (info.kind === "wal") {
      if (separator.length !== 8 || Integer64.readUnsigned(separator, 0) !== row.sequence) {
        this.fault("index", `separator is not the block's first sequence: block=${block} separator=${print(separator)}`)
      }
      return
    }
    const isAbove = compareRange(separator, 0, separator.length, row.key, row.keyStart, row.keyEnd) > 0
    const isBelow =
      this.contents.rows > 0 &&
      compareRange(separator, 0, separator.length, this.lastKey, 0, this.lastKeyLength) <= 0 &&
      compareRange(row.key, row.keyStart, row.keyEnd, this.lastKey, 0, this.lastKeyLength) !== 0
    if (isAbove || isBelow) {
      const last = this.contents.rows === 0 ? "none" : print(this.lastKey.subarray(0, this.lastKeyLength))
      this.fault(
        "index",
        `separator does not lie between rows: block=${block} separator=${print(separator)} before=${last} ${describe(row)}`
      )
    }
  }

  private checkBlockStats(block: number, before: { puts: number; deletes: number; merges: number }): void {
    if (this.stats === undefined) return
    const said = this.stats.blocks[block]
    const { deletes, merges, puts } = this.contents
    const found = { puts: puts - before.puts, deletes: deletes - before.deletes, merges: merges - before.merges }
    if (said?.puts !== found.puts || said.deletes !== found.deletes || said.merges !== found.merges) {
      this.fault("stats", `block counts differ: block=${block} stats=${count(said)} rows=${count(found)}`)
    }
  }

  private checkFirst(info: SsTableInfo, row: RowView): void {
    const first = info.kind === "wal" ? sequenceKey(row.sequence) : row.key.subarray(row.keyStart, row.keyEnd)
    if (!isSame(info.firstEntry, first)) {
      this.fault("info", `first entry differs: info=${print(info.firstEntry)} rows=${print(first)}`)
    }
  }

  private checkSums(info: SsTableInfo): void {
    const { contents, stats } = this
    const last = this.lastKey.subarray(0, this.lastKeyLength)
    if (info.lastEntry !== undefined && (contents.rows === 0 || compare(info.lastEntry, last) !== 0)) {
      this.fault("info", `last entry differs: info=${print(info.lastEntry)} rows=${print(last)}`)
    }
    if (contents.rows === 0 && info.firstEntry !== undefined) {
      this.fault("info", `first entry of a table without rows: info=${print(info.firstEntry)}`)
    }
    if (stats === undefined) return
    for (const field of ["puts", "deletes", "merges", "rawKeyBytes", "rawValueBytes"] as const) {
      if (stats[field] !== contents[field]) {
        this.fault("stats", `${field} differs: stats=${stats[field]} rows=${contents[field]}`)
      }
    }
    if (stats.blocks.length !== contents.blocks) {
      this.fault("stats", `block counts differ: stats=${stats.blocks.length} index=${contents.blocks}`)
    }
  }

  private keep(row: RowView): void {
    const length = row.keyEnd - row.keyStart
    if (length > this.lastKey.length) this.lastKey = new Uint8Array(2 * length)
    this.lastKey.set(row.key.subarray(row.keyStart, row.keyEnd))
    this.lastKeyLength = length
    this.lastSequence = row.sequence
    this.lastKind = row.kind
  }

  private describeLast(): string {
    return `${print(this.lastKey.subarray(0, this.lastKeyLength))}@${this.lastSequence}`
  }

  private take<A>(result: Result.Result<A, FormatError>): A | undefined {
    if (Result.isSuccess(result)) return result.success
    const { kind, message, part } = result.failure
    this.fault(kind === "unsupported" ? kind : part.endsWith("crc") ? "checksum" : "format", message)
    return undefined
  }

  /** A fault of rows. One tells about a block: its other rows are most likely wrong in the same way. */
  private tell(rule: string, detail: string): void {
    if (!this.told.has(rule)) this.fault(rule, detail)
    this.told.add(rule)
  }

  private fault(rule: string, detail: string): void {
    this.faults.push({ rule, detail })
  }
}

const infoFields = [
  "firstEntry",
  "lastEntry",
  "indexOffset",
  "indexLength",
  "filterOffset",
  "filterLength",
  "filterFormat",
  "statsOffset",
  "statsLength",
  "compression",
  "kind"
] as const satisfies ReadonlyArray<keyof SsTableInfo>

/** Whether two descriptions say the same. */
export const isSameInfo = (a: SsTableInfo, b: SsTableInfo): boolean =>
  infoFields.every((field) => isSame(a[field], b[field]))

type Value = SsTableInfo[keyof SsTableInfo]

const isSame = (a: Value, b: Value): boolean =>
  a instanceof Uint8Array && b instanceof Uint8Array ? compare(a, b) === 0 : a === b

/** Bytes as hex, shortened. */
const print = (value: Value): string => {
  if (!(value instanceof Uint8Array)) return String(value ?? "none")
  const hex = Array.from(value.subarray(0, 32), (byte) => byte.toString(16).padStart(2, "0")).join("")
  return value.length > 32 ? `0x${hex}...(${value.length} bytes)` : `0x${hex}`
}

const describe = (row: RowView): string => `row=${print(row.key.subarray(row.keyStart, row.keyEnd))}@${row.sequence}`

const count = (counts: { puts: number; deletes: number; merges: number } | undefined): string =>
  counts === undefined ? "none" : `${counts.puts}/${counts.deletes}/${counts.merges}`

const sequenceKey = (sequence: number): Uint8Array => {
  const key = new Uint8Array(8)
  Integer64.write(key, 0, sequence)
  return key
}
