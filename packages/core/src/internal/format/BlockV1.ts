/**
 * Blocks of format version 1, which old writers left behind: read only.
 *
 *     row 0 .. row n-1 | u16 offset of a row, n times | u16 n
 *     row: u16 shared | u16 suffix length | suffix | u64 sequence | u8 flags
 *          | [i64 expire time] | [i64 create time] | u32 value length | value
 *
 * Keys share a prefix with the block's first key; a tombstone ends after its
 * times. Rather than a second cursor there is a second encoding: such a block is
 * rewritten once, as version 2, when a cursor takes it, and every row is checked
 * on the way.
 */
import * as Result from "effect/Result"
import { Kind, RowView } from "../model/RowEntry.ts"
import { BlockBuilder } from "./BlockBuilder.ts"
import { corrupt, FormatError } from "./FormatError.ts"
import * as Row from "./Row.ts"

/** The block as version 2, or what is wrong with it: offsets are those of `payload`. */
export const transcode = (payload: Uint8Array): Result.Result<Uint8Array, FormatError> => {
  const length = payload.length
  const count = length < 2 ? 0 : readU16(payload, length - 2)
  const rowsEnd = length - 2 - 2 * count
  if (count === 0 || rowsEnd <= 0) {
    return corrupt("block row count", Math.max(0, length - 2), `1 to ${Math.max(0, (length - 3) >> 1)}`, count)
  }
  const builder = new BlockBuilder(Infinity)
  builder.begin(new Uint8Array(length + 64), 0)
  const reader = new RowReader(payload, rowsEnd)
  for (let i = 0; i < count; i++) {
    const offset = readU16(payload, rowsEnd + 2 * i)
    if (offset !== reader.position) {
      return corrupt("block row offset", rowsEnd + 2 * i, `the end of the row before, ${reader.position}`, offset)
    }
    const error = reader.next()
    if (error !== undefined) return Result.fail(error)
    builder.add(reader.row, builder.sharedWithLast(reader.row))
  }
  if (reader.position !== rowsEnd)
    return corrupt("block rows", reader.position, `an end at ${rowsEnd}`, reader.position)
  const end = builder.end()
  return Result.succeed(builder.buffer.subarray(0, end))
}

class RowReader {
  readonly row = new RowView()
  position = 0
  private readonly payload: Uint8Array
  private readonly rowsEnd: number
  /** The first row's key lies in the payload, after its two lengths. */
  private firstKeyLength = 0

  constructor(payload: Uint8Array, rowsEnd: number) {
    this.payload = payload
    this.rowsEnd = rowsEnd
    this.row.key = new Uint8Array(Math.min(Row.keyBytesMax, 2 * payload.length))
    this.row.value = payload
  }

  next(): FormatError | undefined {
    const { payload, row } = this
    const at = this.position
    const suffixStart = at + 4
    const shared = readU16(payload, at)
    const suffixLength = readU16(payload, at + 2)
    const suffixEnd = suffixStart + suffixLength
    const flagsAt = suffixEnd + Row.sequenceBytes
    // Lengths only make the end go further: what was read beyond the payload, as nothing, ends beyond it.
    const timesEnd = flagsAt + 1 + Row.timeBytes(payload[flagsAt] as number)
    if (timesEnd > this.rowsEnd) return this.tooLong(at, timesEnd)

    if (at === 0) this.firstKeyLength = suffixLength
    if (shared > (at === 0 ? 0 : this.firstKeyLength)) {
      return wrong("row shared key bytes", at, `at most the first key's ${this.firstKeyLength}`, shared)
    }
    const keyLength = shared + suffixLength
    if (keyLength === 0 || keyLength > Row.keyBytesMax) {
      return wrong("row key length", at, `1 to ${Row.keyBytesMax}`, keyLength)
    }
    row.key.set(payload.subarray(4, 4 + shared))
    row.key.set(payload.subarray(suffixStart, suffixEnd), shared)
    row.keyEnd = keyLength
    const error = Row.readStamp(payload, suffixEnd, row)
    if (error !== undefined) return error

    this.position = timesEnd
    row.valueStart = timesEnd
    row.valueEnd = timesEnd
    if (row.kind === Kind.tombstone) return undefined
    row.valueStart = timesEnd + 4
    row.valueEnd = row.valueStart + readU16(payload, timesEnd) * 0x1_0000 + readU16(payload, timesEnd + 2)
    if (row.valueEnd > this.rowsEnd) return this.tooLong(at, row.valueEnd)
    this.position = row.valueEnd
    return undefined
  }

  private tooLong(at: number, end: number): FormatError {
    return wrong("row length", at, `an end at or before ${this.rowsEnd}`, end)
  }
}

const wrong = (part: string, offset: number, expected: string, found: number): FormatError =>
  new FormatError({ kind: "corrupt", part, offset, expected, found: String(found) })

const readU16 = (bytes: Uint8Array, at: number): number => ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
