/**
 * FlatBuffers, the encoding of everything here that is not a row: reading and
 * writing of single values. Which value lies where is said by a schema
 * ({@link "./FlatBufferSchema.ts"}).
 *
 *     root: u32 ──> table: i32 ──(backwards)──> vtable: u16 bytes, u16 table bytes, u16 per slot (0: absent)
 *                          inline scalars, and u32 ──> vector: u32 count, elements
 *                                                  ──> string: a byte vector, then a zero byte
 *                                                  ──> table
 *
 * All integers are little-endian and aligned to their size, counted from the
 * start of the buffer.
 *
 * The reader takes its bytes for hostile. Every offset and every count is
 * compared with the buffer before it is used. Offsets may point anywhere, so a
 * small file could name one big vector a thousand times: what is visited is
 * therefore charged to a budget of {@link visitsPerByte} times the buffer.
 * Depth needs no bound: it is that of the schema, and no schema of ours nests
 * in itself.
 *
 * A failure leaves the reader as a thrown `FormatError` and becomes a `Result`
 * in {@link read}, the only door: a check per value would otherwise be a
 * `Result` per value.
 */
import { copyOf } from "../model/ByteCopy.ts"
import * as Result from "effect/Result"
import { FormatError } from "./FormatError.ts"

/**
 * Tables and vectors of a file do not overlap, so a reader of an honest file
 * visits each byte once; only vtables are shared, each smaller than 8 times the
 * least table that uses it.
 */
const visitsPerByte = 8

const utf8Decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
const utf8Encoder = new TextEncoder()

const twoTo32 = 0x1_0000_0000

export class Reader {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** The first thing met that only a newer writer puts there. Without it, the bytes are understood whole. */
  newer: string | undefined = undefined
  private visitsLeft: number

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.visitsLeft = bytes.length * visitsPerByte
  }

  corrupt(part: string, offset: number, expected: string, found: string | number | bigint): never {
    throw new FormatError({ kind: "corrupt", part, offset, expected, found: String(found) })
  }

  unsupported(part: string, offset: number, expected: string, found: string | number): never {
    throw new FormatError({ kind: "unsupported", part, offset, expected, found: String(found) })
  }

  /** Position of the root table. */
  root(part: string): number {
    this.inside(part, 0, 4, 4)
    return this.follow(part, 0)
  }

  /** The target of the offset stored at `position`, which was checked. */
  follow(part: string, position: number): number {
    const target = position + this.view.getUint32(position, true)
    if (target === position || target >= this.bytes.length) {
      this.corrupt(part, position, `an offset inside ${this.bytes.length} bytes`, target - position)
    }
    return target
  }

  /** Position of the vtable of the table at `position`, both wholly inside the buffer. */
  table(part: string, position: number): number {
    this.inside(part, position, 4, 4)
    const vtable = position - this.view.getInt32(position, true)
    if (vtable < 0) this.corrupt(part, position, `a vtable inside ${this.bytes.length} bytes`, `position ${vtable}`)
    this.inside(`${part} vtable`, vtable, 4, 2)
    const vtableBytes = this.view.getUint16(vtable, true)
    const tableBytes = this.view.getUint16(vtable + 2, true)
    if (vtableBytes < 4 || vtableBytes % 2 !== 0) {
      this.corrupt(`${part} vtable`, vtable, "an even length of at least 4", vtableBytes)
    }
    if (tableBytes < 4) this.corrupt(`${part} vtable`, vtable + 2, "a table of at least 4 bytes", tableBytes)
    this.inside(`${part} vtable`, vtable, vtableBytes, 2)
    this.inside(part, position, tableBytes, 4)
    this.charge(part, position, vtableBytes + tableBytes)
    return vtable
  }

  slotCount(vtable: number): number {
    return (this.view.getUint16(vtable, true) - 4) >> 1
  }

  /** Position of the inline value of a slot; 0 when absent. */
  slot(part: string, table: number, vtable: number, slot: number, size: number): number {
    if (slot >= this.slotCount(vtable)) return 0
    const offset = this.view.getUint16(vtable + 4 + 2 * slot, true)
    if (offset === 0) return 0
    const tableBytes = this.view.getUint16(vtable + 2, true)
    if (offset < 4 || offset + size > tableBytes) {
      this.corrupt(part, vtable + 4 + 2 * slot, `${size} bytes at 4 or more, inside a table of ${tableBytes}`, offset)
    }
    this.inside(part, table + offset, size, size)
    return table + offset
  }

  /** Number of elements of the vector at `position`; they lie from `position + 4`, wholly inside the buffer. */
  vector(part: string, position: number, elementSize: number): number {
    this.inside(part, position, 4, 4)
    const count = this.view.getUint32(position, true)
    const room = Math.floor((this.bytes.length - position - 4) / elementSize)
    if (count > room) this.corrupt(part, position, `at most ${room} elements in what is left`, count)
    if (count > 0) this.inside(part, position + 4, count * elementSize, elementSize)
    this.charge(part, position, 4 + count * elementSize)
    return count
  }

  /** A copy of the byte vector at `position`. */
  byteVector(part: string, position: number): Uint8Array {
    const count = this.vector(part, position, 1)
    return copyOf(this.bytes, position + 4, position + 4 + count)
  }

  text(part: string, position: number): string {
    const count = this.vector(part, position, 1)
    const end = position + 4 + count
    if (this.bytes[end] !== 0) this.corrupt(part, end, "a zero byte after the string", this.bytes[end] ?? "end")
    try {
      return utf8Decoder.decode(this.bytes.subarray(position + 4, end))
    } catch {
      return this.corrupt(part, position + 4, "UTF-8", `${count} bytes that are not`)
    }
  }

  /** A u64 as a number; above 2^53 - 1 it cannot be held and no writer reaches it. */
  u64(part: string, position: number): number {
    const high = this.view.getUint32(position + 4, true)
    if (high > 0x1fffff) {
      this.corrupt(part, position, "at most 2^53 - 1", this.view.getBigUint64(position, true))
    }
    return high * twoTo32 + this.view.getUint32(position, true)
  }

  bool(part: string, position: number): boolean {
    const value = this.view.getUint8(position)
    if (value > 1) this.corrupt(part, position, "0 or 1", value)
    return value === 1
  }

  private inside(part: string, position: number, size: number, alignment: number): void {
    if (position + size > this.bytes.length) {
      this.corrupt(part, position, `${size} bytes inside ${this.bytes.length}`, `position ${position}`)
    }
    if (position % alignment !== 0) {
      this.corrupt(part, position, `a position aligned to ${alignment}`, position)
    }
  }

  private charge(part: string, position: number, visited: number): void {
    this.visitsLeft -= visited
    if (this.visitsLeft < 0) {
      this.corrupt(part, position, `at most ${visitsPerByte} visits of a byte`, "more: offsets overlap")
    }
  }
}

/** Runs a reading of `bytes`; what it throws as `FormatError` is the failure. */
export const read = <A>(bytes: Uint8Array, reading: (reader: Reader) => A): Result.Result<A, FormatError> => {
  try {
    return Result.succeed(reading(new Reader(bytes)))
  } catch (error) {
    if (error instanceof FormatError) return Result.fail(error)
    throw error
  }
}

/** Where the inline values of a table lie: the same for all tables with the same slots present. */
export interface Shape {
  /** The whole vtable: its bytes, the table's bytes, an offset for each slot. */
  readonly vtable: ReadonlyArray<number>
  /** Names the shape; equal shapes share a vtable. */
  readonly key: string
  /** 8 when there is a 64-bit value, else 4. */
  readonly alignment: 4 | 8
}

/**
 * Writes a buffer from its front: first a table's vtable and inline bytes, then
 * what these point to. Offsets therefore point forward, and are filled in when
 * their target has a position.
 *
 * Tables of one shape share a vtable.
 */
export class Builder {
  private bytes: Uint8Array
  private view: DataView
  /** Bytes before the buffer, for an envelope. Positions do not count them. */
  private readonly reserved: number
  private end = 4
  private readonly vtables = new Map<string, number>()

  constructor(reserved: number) {
    this.reserved = reserved
    this.bytes = new Uint8Array(1024 + reserved)
    this.view = new DataView(this.bytes.buffer, reserved)
  }

  /** Zeroed room at the next position that is `phase` above a multiple of `alignment`. */
  reserve(size: number, alignment: number, phase = 0): number {
    const start = this.end + ((((phase - this.end) % alignment) + alignment) % alignment)
    this.end = start + size
    if (this.reserved + this.end > this.bytes.length) this.grow()
    return start
  }

  /** A table's room, its vtable written or shared. */
  table(shape: Shape): number {
    let vtablePosition = this.vtables.get(shape.key)
    if (vtablePosition === undefined) {
      vtablePosition = this.reserve(shape.vtable.length * 2, 2)
      for (let i = 0; i < shape.vtable.length; i++) this.u16(vtablePosition + 2 * i, shape.vtable[i] as number)
      this.vtables.set(shape.key, vtablePosition)
    }
    // The inline values start after the 4 bytes of the vtable offset, and it is these that are to be aligned.
    const position = this.reserve(shape.vtable[1] as number, shape.alignment, shape.alignment === 8 ? 4 : 0)
    this.view.setInt32(position, position - vtablePosition, true)
    return position
  }

  /** A vector's room: its count written, its elements to come from the returned position + 4. */
  vector(count: number, elementSize: number): number {
    const alignment = elementSize === 8 ? 8 : 4
    const position = this.reserve(4 + count * elementSize, alignment, alignment === 8 ? 4 : 0)
    this.view.setUint32(position, count, true)
    return position
  }

  byteVector(value: Uint8Array): number {
    const position = this.vector(value.length, 1)
    this.bytes.set(value, this.reserved + position + 4)
    return position
  }

  text(value: string): number {
    const position = this.byteVector(utf8Encoder.encode(value))
    this.reserve(1, 1)
    return position
  }

  u8(position: number, value: number): void {
    this.view.setUint8(position, value)
  }

  u16(position: number, value: number): void {
    this.view.setUint16(position, value, true)
  }

  u32(position: number, value: number): void {
    this.view.setUint32(position, value, true)
  }

  u64(position: number, value: number): void {
    this.view.setUint32(position, value % twoTo32, true)
    this.view.setUint32(position + 4, Math.floor(value / twoTo32), true)
  }

  raw64(position: number, value: bigint): void {
    this.view.setBigUint64(position, BigInt.asUintN(64, value), true)
  }

  /** Fills in the offset stored at `position`. */
  link(position: number, target: number): void {
    this.view.setUint32(position, target - position, true)
  }

  /** The finished bytes, with the reserved ones in front. */
  finish(root: number): Uint8Array {
    this.link(0, root)
    return this.bytes.slice(0, this.reserved + this.end)
  }

  private grow(): void {
    const bytes = new Uint8Array(Math.max(this.bytes.length * 2, this.reserved + this.end))
    bytes.set(this.bytes)
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, this.reserved)
  }
}
