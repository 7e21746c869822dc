/**
 * Full-size chunks of generations that are gone, kept for the next ones.
 *
 * The collector returns a dropped chunk's memory late, so that without a pool
 * the peak holds several generations. The pool belongs to one database and keeps
 * a bounded count; what is above goes to the collector. A chunk comes back with
 * its old bytes in it: an arena writes before anybody reads.
 */
import { chunkBytesMax } from "./Arena.ts"

export class ChunkPool {
  private readonly chunks: Array<Uint8Array> = []
  private readonly chunksMax: number

  constructor(options: { readonly chunksMax: number }) {
    this.chunksMax = options.chunksMax
  }

  /** Bytes it keeps. */
  get allocatedBytes(): number {
    return this.chunks.length * chunkBytesMax
  }

  /** A chunk of full size, or `undefined` when it has none. */
  take(): Uint8Array | undefined {
    return this.chunks.pop()
  }

  /** Keeps a chunk that nobody uses any more, if it is of full size and there is room. */
  give(chunk: Uint8Array): void {
    if (chunk.length === chunkBytesMax && this.chunks.length < this.chunksMax) this.chunks.push(chunk)
  }
}
