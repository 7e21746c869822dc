/**
 * Memory of objects that are stored, for those that are written next.
 *
 *     writer ──take──> 1 MiB ──fill──> store ──stored──> give ──> free ──take──> next writer
 *
 * What is written to a database lies in memory twice more on its way out, in the log and in a table. To
 * V8 each new buffer is a reason for a full collection, and each of those moves young objects, most of them
 * garbage by then, among the old ones.
 *
 * What is free is kept only while somebody writes: each writer that has a chunk holds the list, the pool only
 * weakly. At rest, and with writers that were given up, the collector takes all of it.
 *
 * Chunks are buffers of their own, or pieces of a {@link Slab}. As one piece holds all of its slab, the pieces
 * are of one slab at a time: 49 MiB in all at most. Why it is so, and what else was tried, is in ADR 40.
 */
import { slabBytes } from "./Slab.ts"

/** Bytes of a chunk. */
export const chunkBytes = 1 << 20

const ownChunksMax = 16

/** What is free. */
export class FreeChunks {
  readonly #own: Array<Uint8Array<ArrayBuffer>> = []
  readonly #pieces: Array<Uint8Array<ArrayBuffer>> = []

  /** A chunk with whatever bytes are in it, if there is one. */
  take(): Uint8Array<ArrayBuffer> | undefined {
    return this.#own.pop() ?? this.#pieces.pop()
  }

  /** Takes a chunk that nobody reads or writes any more, if it is of {@link chunkBytes} and there is room. */
  give(chunk: Uint8Array<ArrayBuffer>): void {
    if (chunk.length !== chunkBytes) return
    if (chunk.buffer.byteLength < slabBytes) {
      if (this.#own.length < ownChunksMax) this.#own.push(chunk)
    } else if (this.#pieces.length === 0 || this.#pieces[0]?.buffer === chunk.buffer) {
      this.#pieces.push(chunk)
    }
  }
}

export class ChunkPool {
  #free: WeakRef<FreeChunks> | undefined

  /** What is free. It stays together while somebody holds it. */
  lease(): FreeChunks {
    const known = this.#free?.deref()
    if (known !== undefined) return known
    const free = new FreeChunks()
    this.#free = new WeakRef(free)
    return free
  }
}
