/**
 * Copies rows out of the engine: what a caller gets is the caller's.
 *
 * Small keys and values are packed into chunks, as an allocation of its own costs
 * several times the copy. Nobody writes to a packed range again; holding on to one
 * entry keeps its chunk, 8 KiB, alive.
 */
import type { Entry } from "../../Db.ts"
import type { RowView } from "../model/RowEntry.ts"

const chunkBytes = 8 * 1024
/** Larger ones get an allocation of their own. */
const packedBytesMax = 1024

export interface EntryCopies {
  readonly entry: (row: RowView) => Entry
}

export const make = (): EntryCopies => {
  let chunk = new Uint8Array(0)
  let used = 0
  const copy = (bytes: Uint8Array, start: number, end: number): Uint8Array => {
    const length = end - start
    if (length > packedBytesMax) return bytes.slice(start, end)
    if (used + length > chunk.length) {
      chunk = new Uint8Array(chunkBytes)
      used = 0
    }
    const target = chunk
    const at = used
    for (let i = 0; i < length; i++) target[at + i] = bytes[start + i] as number
    used = at + length
    return target.subarray(at, used)
  }
  return {
    entry: (row) => ({
      key: copy(row.key, row.keyStart, row.keyEnd),
      value: copy(row.value, row.valueStart, row.valueEnd)
    })
  }
}
