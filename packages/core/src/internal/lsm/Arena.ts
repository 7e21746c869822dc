/**
 * The bytes of a generation: keys and values, one row beside the other, in chunks that never move.
 *
 * Chunks start small, so that a thousand little databases stay little, and double
 * up to one mebibyte; those of a large generation are cut from few buffers (`Slab`).
 * A row lies whole in one chunk: what does not fit in the rest
 * of the chunk opens the next one, and a row above a quarter of a full chunk gets
 * one of its own, so that at most a quarter is ever left empty. Nothing is freed
 * before everything is: then the collector takes the chunks. (Keeping them for the next
 * arena was measured, and saves neither time nor memory.)
 *
 *     chunk 0   16 KiB  | row row row ... |
 *     chunk 1   32 KiB  | row row row ... |
 *     chunk 2   own     | one large row   |
 *     chunk 3   64 KiB  | row row ...     <- open
 *
 * Bytes are written once, by their allocator, before anybody reads them.
 */

import { Slab } from "../model/Slab.ts"

/** Size of the first chunk. */
export const firstChunkBytes = 16 * 1024

/** `log2` of {@link chunkBytesMax}: an offset inside a shared chunk has this many bits. */
export const offsetBits = 20

/** Size of the chunks that doubling ends at. */
export const chunkBytesMax = 1 << offsetBits

/** Rows above this get a chunk of their own. */
const sharedBytesMax = chunkBytesMax / 4

export class Arena {
  /** All chunks, by index. An allocation is a chunk's index and an offset below {@link chunkBytesMax}. */
  readonly chunks: Array<Uint8Array> = []
  /** Bytes of all chunks. */
  allocatedBytes = 0
  /** Chunk of the latest allocation. */
  chunk = -1
  /** Offset of the latest allocation in its chunk. */
  offset = 0

  /** For all that lives as long. */
  readonly slab = new Slab()
  private open = -1
  private used = 0
  private limit = 0

  /** Reserves `size` bytes; `chunk` and `offset` say where, and the chunk is returned. */
  allocate(size: number): Uint8Array {
    if (this.used + size > this.limit) {
      if (size > sharedBytesMax) return this.allocateOwn(size)
      this.openChunk(size)
    }
    this.chunk = this.open
    this.offset = this.used
    this.used += size
    return this.chunks[this.open] as Uint8Array
  }

  private allocateOwn(size: number): Uint8Array {
    const chunk = new Uint8Array(size)
    this.chunk = this.chunks.push(chunk) - 1
    this.offset = 0
    this.allocatedBytes += size
    return chunk
  }

  private openChunk(size: number): void {
    let bytes = this.limit === 0 ? firstChunkBytes : Math.min(chunkBytesMax, this.limit * 2)
    while (bytes < size) bytes *= 2
    const chunk = this.slab.take(bytes)
    this.open = this.chunks.push(chunk) - 1
    this.used = 0
    this.limit = bytes
    this.allocatedBytes += bytes
  }
}
