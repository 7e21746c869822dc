/**
 * The bytes of an object while it is written: a list of chunks.
 *
 * A writer asks for room in one piece, fills it and says how much of it it used;
 * so no byte is moved again. Chunks grow from 16 KiB to 1 MiB, so a table of one row
 * stays small; those of a large table are cut from few buffers (`Slab`). Where a pool has a
 * chunk, it is taken at once: nothing is read of it that was not written first. What does not
 * fit into the rest of a chunk goes into the next one.
 */

import { chunkBytes, type ChunkPool, type FreeChunks } from "../model/ChunkPool.ts"
import { Slab } from "../model/Slab.ts"

const chunkBytesMin = 1 << 14

export class OutputChunks {
  /** The chunk being filled, from `position` on. */
  chunk: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  position = 0
  private readonly pool: ChunkPool
  private readonly slab = new Slab()
  private readonly chunks: Array<Uint8Array<ArrayBuffer>> = []
  private readonly full: Array<Uint8Array> = []
  private fullBytes = 0
  /** Of the pool, from the first chunk on. */
  private free: FreeChunks | undefined

  constructor(pool: ChunkPool) {
    this.pool = pool
  }

  /** Bytes used so far: the offset, in the object, of what comes next. */
  get sizeBytes(): number {
    return this.fullBytes + this.position
  }

  /** Makes `chunk` have `size` bytes of room from `position`. */
  reserve(size: number): void {
    if (this.position + size <= this.chunk.length) return
    const length = Math.max(size, Math.min(chunkBytes, Math.max(chunkBytesMin, 2 * this.chunk.length)))
    this.close()
    this.free ??= this.pool.lease()
    this.chunk = (length <= chunkBytes ? this.free.take() : undefined) ?? this.slab.take(length)
    this.chunks.push(this.chunk)
  }

  /** Adds a copy of `bytes`. */
  append(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.chunk.set(bytes, this.position)
    this.position += bytes.length
  }

  /** All bytes, in order. The chunks are not to be written any more. */
  finish(): ReadonlyArray<Uint8Array> {
    this.close()
    this.chunk = new Uint8Array(0)
    return this.full
  }

  /** Gives the pool the chunks of what is finished. Nobody may read them any more. */
  release(): void {
    for (const chunk of this.chunks) this.free?.give(chunk)
    this.chunks.length = 0
    this.free = undefined
  }

  private close(): void {
    if (this.position > 0) this.full.push(this.chunk.subarray(0, this.position))
    this.fullBytes += this.position
    this.position = 0
  }
}
