/**
 * A block of a table in memory: its payload without checksum, in format version 2,
 * its restarts checked once, so that cursors need not at every visit.
 *
 *     rows ............ | u16 restart, n times | u16 n
 *                       ^ rowsEnd                ^ restartCount
 *
 * The payload never changes. What a block gains, once a lookup has asked for it, is a
 * directory: where each row begins, and a number for its key. A lookup then needs
 * neither the walk from a restart nor the keys in between.
 */
import * as Result from "effect/Result"
import { copyInto } from "../model/ByteCopy.ts"
import type { SstFormatVersion } from "../model/SsTable.ts"
import * as BlockV1 from "./BlockV1.ts"
import { restartInterval } from "./BlockBuilder.ts"
import * as BlockDirectory from "./BlockDirectory.ts"
import { FormatError } from "./FormatError.ts"

/** The objects around the bytes. */
const objectBytes = 256

/** A directory takes as many bytes for each restart, as every known writer sets them. */
const directoryBytes = restartInterval * BlockDirectory.rowBytes

export class Block {
  #payload: Uint8Array
  /** Bytes in front of the payload, in its memory, that are free. */
  readonly #room: number
  #directory: BlockDirectory.BlockDirectory | null | undefined = undefined
  /** Where rows end and restarts begin; 0 in a block that has none. */
  readonly rowsEnd: number
  readonly restartCount: number
  /** What is wrong with it as a whole. */
  readonly error: FormatError | undefined

  /** A block from its payload, which it keeps: it must not change. */
  static make(payload: Uint8Array, formatVersion: SstFormatVersion): Block {
    if (formatVersion !== 1) return new Block(payload, undefined)
    const transcoded = BlockV1.transcode(payload)
    return Result.isSuccess(transcoded)
      ? new Block(transcoded.success, undefined)
      : new Block(new Uint8Array(0), transcoded.failure)
  }

  /** A block of `bytes[start, end)`, in version 2, in memory of its own that has room for a directory. */
  static copy(bytes: Uint8Array, start: number, end: number): Block {
    const length = end - start
    const wanted = length < 2 ? 0 : readU16(bytes, end - 2) * directoryBytes
    // More than twice the block is asked for by damage, or by rows of next to nothing.
    const room = wanted > 2 * length ? 0 : wanted
    const memory = new Uint8Array(room + length)
    copyInto(bytes, start, end, memory, room)
    return new Block(memory.subarray(room), undefined, room)
  }

  private constructor(payload: Uint8Array, error: FormatError | undefined, room = 0) {
    const length = payload.length
    const count = length < 2 ? 0 : readU16(payload, length - 2)
    const rowsEnd = length - 2 - 2 * count
    this.#payload = payload
    this.#room = room
    this.error = error ?? problemOf(payload, count, rowsEnd)
    this.restartCount = this.error === undefined ? count : 0
    this.rowsEnd = this.error === undefined ? rowsEnd : 0
  }

  get payload(): Uint8Array {
    return this.#payload
  }

  /** `undefined` until it is set, `null` where there can be none. */
  get directory(): BlockDirectory.BlockDirectory | null | undefined {
    return this.#directory
  }

  /** Takes a copy of a directory, or that there is none. It and the payload then share one memory: what a lookup reads lies together. */
  setDirectory(rows: BlockDirectory.BlockDirectory | null): void {
    if (rows === null) {
      this.#directory = null
      return
    }
    if (rows.byteLength <= this.#room) {
      this.#directory = new Float64Array(this.#payload.buffer, this.#room - rows.byteLength, rows.length)
      this.#directory.set(rows)
      return
    }
    const bytes = new Uint8Array(rows.byteLength + this.#payload.length)
    this.#directory = new Float64Array(bytes.buffer, 0, rows.length)
    this.#directory.set(rows)
    bytes.set(this.#payload, rows.byteLength)
    this.#payload = bytes.subarray(rows.byteLength)
  }

  /** What it weighs in memory, a directory included, as every known writer sets restarts. */
  get sizeBytes(): number {
    return this.#payload.length + objectBytes + this.restartCount * directoryBytes
  }

  /** Where restart `index` says that a row begins. */
  restart(index: number): number {
    return readU16(this.#payload, this.rowsEnd + 2 * index)
  }

  /** The last row at a restart that begins before `end`; the first row, if there is none. */
  lastRestartBelow(end: number): number {
    let low = 1
    let high = this.restartCount
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.restart(middle) < end) low = middle + 1
      else high = middle
    }
    return this.restart(low - 1)
  }
}

const problemOf = (payload: Uint8Array, count: number, rowsEnd: number): FormatError | undefined => {
  const length = payload.length
  if (count === 0 || rowsEnd <= 0) {
    const expected = `1 to ${Math.max(0, (length - 3) >> 1)}`
    return problem("block restart count", Math.max(0, length - 2), expected, count)
  }
  let before = -1
  for (let i = 0; i < count; i++) {
    const at = rowsEnd + 2 * i
    const restart = readU16(payload, at)
    if (restart <= before || restart >= rowsEnd || (i === 0 && restart !== 0)) {
      return problem("block restart", at, `above ${before} and below ${rowsEnd}, the first 0`, restart)
    }
    before = restart
  }
  return undefined
}

const readU16 = (bytes: Uint8Array, at: number): number => ((bytes[at] as number) << 8) | (bytes[at + 1] as number)

const problem = (part: string, offset: number, expected: string, found: number): FormatError =>
  new FormatError({ kind: "corrupt", part, offset, expected, found: String(found) })
