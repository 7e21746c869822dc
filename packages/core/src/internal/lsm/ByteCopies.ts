/**
 * Copies of byte ranges, for callers to keep.
 *
 * An array of its own costs a small one most of its time: the engine
 * allocates, and later frees, a buffer beside it. So copies of up to a kibibyte are cut from
 * slabs of eight, one behind the other; a slab is never written twice, and
 * goes when the last copy in it does. Larger ones get a buffer of their own.
 *
 * A copy's `buffer` may therefore hold other copies: it must not be transferred.
 */
import { copyInto, copyOf } from "../model/ByteCopy.ts"

const slabBytes = 8192
/** Copies above this get a buffer of their own: one that is kept may pin a slab. */
export const slabCopyBytesMax = 1024

export class ByteCopies {
  private slab = new Uint8Array(0)
  /** That of the slab: to ask an array for its own is a call out of compiled code. */
  private buffer = this.slab.buffer
  private used = 0

  /** A copy of `from[start, end)` that nobody else writes. */
  copy(from: Uint8Array, start: number, end: number): Uint8Array {
    const length = end - start
    if (length > slabCopyBytesMax) return copyOf(from, start, end)
    if (this.used + length > this.slab.length) {
      this.slab = new Uint8Array(slabBytes)
      this.buffer = this.slab.buffer
      this.used = 0
    }
    const { buffer, slab, used } = this
    copyInto(from, start, end, slab, used)
    this.used = used + length
    return new Uint8Array(buffer, used, length)
  }
}
