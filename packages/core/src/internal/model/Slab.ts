/**
 * Memory for bytes that are kept and let go together, in pieces.
 *
 * Pieces are buffers of their own up to 16 MiB in all; beyond that they are cut from slabs
 * of 33 MiB. An allocator keeps what it gets back of smaller buffers for the next ones, in
 * pages that it hardly ever returns; above 32 MiB (M_MMAP_THRESHOLD in mallopt(3), whose dynamic
 * threshold ends there) each buffer is a mapping of its own, which goes back to the system, and of which
 * only what was written takes memory.
 */

/** Bytes of a slab. */
export const slabBytes = 33 * 1024 * 1024
const ownBytesMax = 16 * 1024 * 1024
const alignment = 16

export class Slab {
  #ownBytes = 0
  #buffer: ArrayBuffer | undefined
  #used = 0

  /** So many bytes, all zero. */
  take(bytes: number): Uint8Array<ArrayBuffer> {
    if (this.#ownBytes < ownBytesMax || bytes > slabBytes / 2) {
      this.#ownBytes += bytes
      return new Uint8Array(bytes)
    }
    if (this.#buffer === undefined || this.#used + bytes > slabBytes) {
      this.#buffer = new ArrayBuffer(slabBytes)
      this.#used = 0
    }
    const piece = new Uint8Array(this.#buffer, this.#used, bytes)
    this.#used += Math.ceil(bytes / alignment) * alignment
    return piece
  }
}
