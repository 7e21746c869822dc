/**
 * Where a table's blocks are, and which of them may hold a key.
 *
 * The section is a FlatBuffer,
 *
 *     SsTableIndex { 0 block_meta: [BlockMeta] required }
 *     BlockMeta    { 0 offset: u64, 1 first_key: [u8] required }
 *
 * written and searched here by hand: a table of 256 MiB has 65,536 blocks, and
 * every point lookup searches them. A reader validates the bytes once, keeps them
 * as they are, and remembers per block its offset and where its key lies.
 *
 * `first_key` of a block is a separator: the shortest prefix of the block's first
 * key that sorts above the key before it, nothing for block 0. With
 * `separator[i]` ascending, a key is in no block before the last one whose
 * separator is below it; where a separator equals the key, versions of that key
 * may begin in the block before. In WAL objects the separator is the block's
 * first sequence number, 8 bytes big-endian.
 *
 * A search compares numbers ({@link KeyNumber}), and bytes only where numbers tie: a
 * separator's bytes are a trip to memory each. The numbering is made for the
 * table's separators, and is also that of its blocks' directories: it follows from the
 * index's bytes alone, so that a directory outlives an index that was evicted and read again.
 *
 * What it does not know: the last key. It says where a key may be, never that it is.
 */
import * as Result from "effect/Result"
import { compareRange } from "../model/ByteOrder.ts"
import { KeyNumber } from "../model/KeyNumber.ts"
import { corrupt, type FormatError } from "./FormatError.ts"

const part = "sst index"

/** Separators that the numbering is made for. */
const sampleKeysMax = 128

export class SsTableIndex {
  readonly blockCount: number
  /** Where the last block ends: the offset of what comes after the data. */
  readonly dataEnd: number
  private readonly bytes: Uint8Array
  private readonly offsets: Float64Array
  /** Of key `i`: its start at `2 i`, its end at `2 i + 1`. */
  private readonly keys: Uint32Array
  private order: { readonly numbering: KeyNumber; readonly numbers: Float64Array } | undefined

  constructor(bytes: Uint8Array, offsets: Float64Array, keys: Uint32Array, dataEnd: number) {
    this.blockCount = offsets.length
    this.dataEnd = dataEnd
    this.bytes = bytes
    this.offsets = offsets
    this.keys = keys
  }

  /** What it weighs in memory. */
  get sizeBytes(): number {
    return this.bytes.length + 2 * this.offsets.byteLength + this.keys.byteLength
  }

  /** Where block `index` begins in the object. */
  blockOffset(index: number): number {
    return this.offsets[index] as number
  }

  /** Where block `index` ends in the object, its checksum included. */
  blockEnd(index: number): number {
    return index + 1 < this.blockCount ? (this.offsets[index + 1] as number) : this.dataEnd
  }

  /** The separator of block `index`, a view. */
  separator(index: number): Uint8Array {
    return this.bytes.subarray(this.keys[2 * index], this.keys[2 * index + 1])
  }

  /** Below zero, zero or above zero, as the separator of block `index` sorts before, with or after the key. */
  compareSeparator(index: number, key: Uint8Array, start = 0, end = key.length): number {
    const { bytes, keys } = this
    return compareRange(bytes, keys[2 * index] as number, keys[2 * index + 1] as number, key, start, end)
  }

  /** Numbers of this table's keys; made at the first search. */
  get numbering(): KeyNumber {
    return this.ordered().numbering
  }

  /** The first block that may hold rows of `key[start, end)` or above; `blockCount` only in an empty table. */
  findFirst(key: Uint8Array, start: number, end: number): number {
    return Math.max(0, this.findLastBelow(key, start, end))
  }

  /** The last block that may hold keys below `key[start, end)`; -1: there is none. */
  findLastBelow(key: Uint8Array, start: number, end: number): number {
    return this.findLastBelowNumber(this.numbering.of(key, start, end), key, start, end)
  }

  /** The same, for one who knows the key's number. */
  findLastBelowNumber(number: number, key: Uint8Array, start: number, end: number): number {
    const { numbers } = this.ordered()
    let low = 0
    let high = this.blockCount
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = numbers[middle] as number
      if (other < number || (other === number && this.compareSeparator(middle, key, start, end) < 0)) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  private ordered(): { readonly numbering: KeyNumber; readonly numbers: Float64Array } {
    if (this.order !== undefined) return this.order
    const { blockCount, bytes, keys } = this
    const sample: Array<Uint8Array> = []
    for (let i = 0; i < blockCount; i += Math.ceil(blockCount / sampleKeysMax)) sample.push(this.separator(i))
    const numbering = KeyNumber.like(sample)
    const numbers = new Float64Array(blockCount)
    for (let i = 0; i < blockCount; i++) {
      numbers[i] = numbering.of(bytes, keys[2 * i] as number, keys[2 * i + 1] as number)
    }
    this.order = { numbering, numbers }
    return this.order
  }
}

/**
 * The index in `bytes` of a table whose data ends at `dataEnd`. It keeps the bytes:
 * they must not change.
 */
export const decode = (bytes: Uint8Array, dataEnd: number): Result.Result<SsTableIndex, FormatError> => {
  const length = bytes.length
  const view = new DataView(bytes.buffer, bytes.byteOffset, length)
  if (length < 4) return corrupt(part, 0, "at least 4 bytes", length)
  const root = view.getUint32(0, true)
  const vector = vectorAt(view, slotAt(view, root, 0, 4))
  if (vector < 0) return corrupt(`${part} block_meta`, 0, `a vector inside ${length} bytes`, `a table at ${root}`)
  const count = view.getUint32(vector, true)
  if (count > (length - vector - 4) / 4) {
    return corrupt(`${part} block_meta`, vector, `at most ${(length - vector - 4) >>> 2} blocks`, count)
  }
  const offsets = new Float64Array(count)
  const keys = new Uint32Array(2 * count)
  const layout = new BlockLayout()
  for (let i = 0; i < count; i++) {
    const at = vector + 4 + 4 * i
    const table = at + view.getUint32(at, true)
    const key = layout.take(view, table) ? vectorAt(view, table + layout.key) : invalid
    if (key === invalid) {
      return corrupt(`${part} block ${i}`, at, `offset and first_key inside ${length} bytes`, `a table at ${table}`)
    }
    const keyLength = view.getUint32(key, true)
    if (keyLength > length - key - 4) {
      return corrupt(`${part} block ${i} first_key`, key, `at most ${length - key - 4} bytes`, keyLength)
    }
    const offset = layout.offset === absent ? 0 : readU64(view, table + layout.offset)
    const offsetMin = i === 0 ? 0 : (offsets[i - 1] as number) + 1
    if (offset < offsetMin || offset >= dataEnd || (i === 0 && offset !== 0)) {
      const expected = i === 0 ? "0, below the data's end" : `${offsetMin} to ${dataEnd - 1}`
      return corrupt(`${part} block ${i} offset`, table, expected, offset)
    }
    offsets[i] = offset
    keys[2 * i] = key + 4
    keys[2 * i + 1] = key + 4 + keyLength
    if (i > 0 && !isAscending(bytes, keys, i)) {
      return corrupt(`${part} block ${i} first_key`, key, `not below that of block ${i - 1}`, "below")
    }
  }
  return Result.succeed(new SsTableIndex(bytes, offsets, keys, dataEnd))
}

/** A slot that its table leaves out. */
const absent = 0
/** What does not lie wholly inside the bytes. */
const invalid = -1

/** Where the tables of blocks have their fields. Blocks share vtables, one or two in an index of any length: so each is read once. */
class BlockLayout {
  /** Of the block's offset, from its table on; or `absent`. */
  offset = absent
  /** Of what points to its key, from its table on. */
  key = absent
  #vtable = invalid
  #tableBytes = 0

  /** Takes a table's layout; not where it or its vtable does not lie wholly inside the bytes, or has no key. */
  take(view: DataView, table: number): boolean {
    if (table > view.byteLength - 4) return false
    const vtable = table - view.getInt32(table, true)
    if (vtable === this.#vtable) return table + this.#tableBytes <= view.byteLength
    const offsetAt = slotAt(view, table, 0, 8)
    const keyAt = slotAt(view, table, 1, 4)
    if (offsetAt === invalid || keyAt === invalid || keyAt === absent) return false
    this.offset = offsetAt === absent ? absent : offsetAt - table
    this.key = keyAt - table
    this.#vtable = vtable
    this.#tableBytes = view.getUint16(vtable + 2, true)
    return true
  }
}

/** Where the `size` inline bytes of a table's slot lie, or `absent`, or `invalid`. */
const slotAt = (view: DataView, table: number, slot: number, size: number): number => {
  const length = view.byteLength
  if (table > length - 4) return invalid
  const vtable = table - view.getInt32(table, true)
  if (vtable < 0 || vtable > length - 4) return invalid
  const vtableBytes = view.getUint16(vtable, true)
  const tableBytes = view.getUint16(vtable + 2, true)
  if (vtable + vtableBytes > length || table + tableBytes > length) return invalid
  const entry = 4 + 2 * slot
  const inline = entry + 2 > vtableBytes ? 0 : view.getUint16(vtable + entry, true)
  if (inline === 0) return absent
  return inline + size > tableBytes ? invalid : table + inline
}

/** Where the vector lies, its count first, that the offset at `at` points to. A required one: absent is invalid. */
const vectorAt = (view: DataView, at: number): number => {
  if (at <= 0) return invalid
  const vector = at + view.getUint32(at, true)
  return vector > view.byteLength - 4 ? invalid : vector
}

const readU64 = (view: DataView, at: number): number =>
  view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true)

const isAscending = (bytes: Uint8Array, keys: Uint32Array, i: number): boolean =>
  compareRange(
    bytes,
    keys[2 * i - 2] as number,
    keys[2 * i - 1] as number,
    bytes,
    keys[2 * i] as number,
    keys[2 * i + 1] as number
  ) <= 0
