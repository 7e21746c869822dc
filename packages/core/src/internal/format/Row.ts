/**
 * The encoding of one row, format version 2.
 *
 *     varint shared | varint unshared | varint value length
 *     key suffix | value | u64 sequence | u8 flags | [i64 expire time] | [i64 create time]
 *
 * `shared` counts the bytes in common with the key of the row before it in the
 * block. Varints are unsigned LEB128 of 32 bits, all else is big-endian.
 *
 * This module has what writer and readers must agree on. Lengths and bytes are
 * written by `BlockBuilder` and read by `BlockCursor`, which know where in a block
 * they are.
 */
import { Kind, neverExpires, noCreateTime, type RowView } from "../model/RowEntry.ts"
import * as Sequence from "../model/Sequence.ts"
import { FormatError } from "./FormatError.ts"
import * as Integer64 from "./Integer64.ts"

export const Flag = { tombstone: 1, hasExpireTime: 2, hasCreateTime: 4, merge: 8 } as const

const knownFlags = Flag.tombstone | Flag.hasExpireTime | Flag.hasCreateTime | Flag.merge

/** Longest key, in bytes. */
export const keyBytesMax = 0xffff

/** Longest value, in bytes. */
export const valueBytesMax = 0xffff_ffff

/** Bytes of a row beyond key and value, at most: three varints, a sequence, flags, two times. */
export const overheadBytesMax = 5 + 5 + 5 + 8 + 1 + 8 + 8

/** Bytes of the sequence number; flags come after it. */
export const sequenceBytes = 8

/** Bytes that follow flags: the times that they announce. */
export const timeBytes = (flags: number): number =>
  ((flags & Flag.hasExpireTime) !== 0 ? 8 : 0) + ((flags & Flag.hasCreateTime) !== 0 ? 8 : 0)

/** The flags of a row to be written. */
export const flagsOf = (row: RowView): number => {
  const created = row.createTime === noCreateTime ? 0 : Flag.hasCreateTime
  // A tombstone never expires: it goes when nothing older can lie beneath it.
  if (row.kind === Kind.tombstone) return Flag.tombstone | created
  return (
    (row.kind === Kind.merge ? Flag.merge : 0) | (row.expireTime === neverExpires ? 0 : Flag.hasExpireTime) | created
  )
}

/**
 * Reads sequence, flags and times, which lie at `at` in this order and in both
 * format versions, and says what is wrong with them. That they lie inside the
 * block was checked, with `timeBytes`.
 */
export const readStamp = (bytes: Uint8Array, at: number, row: RowView): FormatError | undefined => {
  const flags = bytes[at + sequenceBytes] as number
  if (flags > knownFlags) return problem("unsupported", "row flags", at + sequenceBytes, "bits 0 to 3", flags)
  row.kind = kindOf(flags)
  if (row.kind === Kind.merge && (flags & Flag.tombstone) !== 0) {
    return problem("corrupt", "row flags", at + sequenceBytes, "a tombstone or a merge operand", flags)
  }
  row.sequence = Integer64.readUnsigned(bytes, at)
  if (row.sequence > Sequence.max)
    return problem("corrupt", "row sequence", at, `at most ${Sequence.max}`, row.sequence)
  row.expireTime = neverExpires
  row.createTime = noCreateTime
  let time = at + sequenceBytes + 1
  if ((flags & Flag.hasExpireTime) !== 0) {
    const expireTime = Integer64.readSigned(bytes, time)
    if (!Number.isSafeInteger(expireTime)) return problem("corrupt", "row expire time", time, "53 bits", expireTime)
    if (row.kind !== Kind.tombstone) row.expireTime = expireTime
    time += 8
  }
  if ((flags & Flag.hasCreateTime) !== 0) {
    row.createTime = Integer64.readSigned(bytes, time)
    if (!Number.isSafeInteger(row.createTime)) {
      return problem("corrupt", "row create time", time, "53 bits", row.createTime)
    }
  }
  return undefined
}

/** Bytes of `value` as a varint. */
export const varintSize = (value: number): number =>
  value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5

/** Writes `value` at `at` and says where it ends. */
export const writeVarint = (bytes: Uint8Array, at: number, value: number): number => {
  while (value >= 0x80) {
    bytes[at++] = (value & 0x7f) | 0x80
    value = value >>> 7
  }
  bytes[at++] = value
  return at
}

const kindOf = (flags: number): Kind =>
  (flags & Flag.merge) !== 0 ? Kind.merge : (flags & Flag.tombstone) !== 0 ? Kind.tombstone : Kind.put

const problem = (kind: FormatError["kind"], part: string, offset: number, expected: string, found: number) =>
  new FormatError({ kind, part, offset, expected, found: String(found) })
