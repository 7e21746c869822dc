/**
 * Reads one table: what it may hold is known from the manifest, its parts come
 * from the cache or the store.
 *
 *     object   blocks .......... | filter | index | stats | info | footer
 *     read        one by one       └─ together ─┘   (info is in the manifest)
 *
 * Filter and index take one request, then single blocks or a stretch of them. A
 * small table is fetched whole at the first touch, as a request costs more than
 * so few bytes. What is being fetched is fetched once: who asks for the same part
 * meanwhile waits for that request (single flight).
 */
import { copyOf } from "../model/ByteCopy.ts"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { CachedTable, TableMeta } from "../../BlockCache.ts"
import type { Compression } from "../../Compression.ts"
import type * as DbError from "../../DbError.ts"
import * as KeyRange from "../../KeyRange.ts"
import { fail, type ObjectStore } from "../../ObjectStore.ts"
import { Block } from "../format/Block.ts"
import { FormatError, shift } from "../format/FormatError.ts"
import type { SsTableIndex } from "../format/SsTableIndex.ts"
import * as SsTableReader from "../format/SsTableReader.ts"
import { compare } from "../model/ByteOrder.ts"
import type { KeyBound, SsTable } from "../model/SsTable.ts"
import { SingleFlight } from "./SingleFlight.ts"
import * as StoreFailure from "./StoreFailure.ts"

/** A table whose blocks, filter and index take at most this many bytes is fetched whole. */
const wholeTableBytesMax = 64 * 1024

/** Blocks `from` to `to` of a table, the last excluded, fetched with one request. */
export interface Stretch {
  readonly from: number
  readonly to: number
  /** One of them. */
  readonly block: (block: number) => Result.Result<Block, DbError.DbError>
}

export class TableReader {
  readonly table: SsTable
  readonly cached: CachedTable
  readonly #path: string
  readonly #store: ObjectStore["Service"]
  readonly #compression: Compression
  /** The keys that this view of the table shows. */
  readonly #visible: KeyRange.KeyRange
  readonly #metaFlight = new SingleFlight<"meta", TableMeta, DbError.DbError>()
  readonly #indexFlight = new SingleFlight<"index", SsTableIndex, DbError.DbError>()
  readonly #blockFlights = new SingleFlight<number, Stretch, DbError.DbError>()

  constructor(
    table: SsTable,
    path: string,
    store: ObjectStore["Service"],
    compression: Compression,
    cached: CachedTable
  ) {
    this.table = table
    this.cached = cached
    this.#path = path
    this.#store = store
    this.#compression = compression
    this.#visible =
      table.visibleRange === undefined
        ? KeyRange.all
        : { start: lowest(table.visibleRange.start), end: beyond(table.visibleRange.end) }
  }

  /** Whether the table may hold rows of the key. */
  mayHold(key: Uint8Array): boolean {
    return this.mayBeginBefore(key) && !this.endsBefore(key)
  }

  /** Whether this view of the table shows the key, should it be there. */
  shows(key: Uint8Array): boolean {
    return this.#visible === KeyRange.all || KeyRange.contains(this.#visible, key)
  }

  /** Whether the first key is at or below `key`. */
  mayBeginBefore(key: Uint8Array): boolean {
    const { firstEntry } = this.table.info
    return firstEntry !== undefined && compare(firstEntry, key) <= 0
  }

  /** Whether the first key that this view may show is below `key`. */
  beginsBelow(key: Uint8Array): boolean {
    const { firstEntry } = this.table.info
    const { start } = this.#visible
    return firstEntry !== undefined && compare(firstEntry, key) < 0 && (start === undefined || compare(start, key) < 0)
  }

  /** Whether the last key is known, and below `key`. */
  endsBefore(key: Uint8Array): boolean {
    const { lastEntry } = this.table.info
    return lastEntry !== undefined && compare(lastEntry, key) < 0
  }

  overlaps(range: KeyRange.KeyRange): boolean {
    const { firstEntry } = this.table.info
    if (firstEntry === undefined || KeyRange.isEmpty(this.visiblePart(range))) return false
    return (
      (range.end === undefined || compare(firstEntry, range.end) < 0) &&
      (range.start === undefined || !this.endsBefore(range.start))
    )
  }

  /** The part of a range that this view of the table shows. */
  visiblePart(range: KeyRange.KeyRange): KeyRange.KeyRange {
    return this.#visible === KeyRange.all ? range : KeyRange.intersect(range, this.#visible)
  }

  /** Index and filter, from the cache or with one request. */
  readonly loadMeta: Effect.Effect<TableMeta, DbError.DbError> = Effect.suspend(() => {
    const cached = this.cached.meta()
    return cached === undefined ? this.#metaFlight.run("meta", this.#fetchMeta()) : Effect.succeed(cached)
  })

  /** The index alone, from the cache or with one request; it is not put into the cache. */
  readonly loadIndex: Effect.Effect<SsTableIndex, DbError.DbError> = Effect.suspend(() => {
    const cached = this.cached.meta()
    return cached === undefined ? this.#indexFlight.run("index", this.#fetchIndex()) : Effect.succeed(cached.index)
  })

  /**
   * Blocks `from` to `to` of the table's index, the last excluded, with one request. Who asks while those from the same
   * one on are under way gets these, be they more or fewer; and the first alone where that is in the cache by now.
   */
  loadBlocks(index: SsTableIndex, from: number, to: number, keep: boolean): Effect.Effect<Stretch, DbError.DbError> {
    return Effect.suspend(() => {
      const cached = this.cached.block(from)
      if (cached !== undefined) return Effect.succeed({ from, to: from + 1, block: () => Result.succeed(cached) })
      return this.#blockFlights.run(from, this.loadStretch(index, from, to, keep))
    })
  }

  /**
   * Blocks `from` to `to` of the table's index, the last excluded, with one request. Those that the cache shall keep
   * are decoded at once; else each is when it is asked for, and a view of the bytes that were fetched.
   */
  loadStretch(index: SsTableIndex, from: number, to: number, keep: boolean): Effect.Effect<Stretch, DbError.DbError> {
    const start = index.blockOffset(from)
    return Effect.flatMap(this.#fetch(start, index.blockEnd(to - 1)), (bytes) =>
      keep
        ? Effect.fromResult(
            Result.map(this.#decodeBlocks(index, bytes, start, from, to), (blocks) => ({
              from,
              to,
              block: (block: number) => Result.succeed(blocks[block - from] as Block)
            }))
          )
        : Effect.succeed({ from, to, block: (block: number) => this.#decodeBlock(index, bytes, start, block) })
    )
  }

  /** What to tell about a block whose rows cannot be read. */
  corruptBlock(blockOffset: number, error: FormatError | undefined): DbError.DbError {
    return this.#toDbError(
      error === undefined
        ? new FormatError({ kind: "corrupt", part: "block", offset: blockOffset, expected: "rows", found: "none" })
        : shift(error, blockOffset)
    )
  }

  readonly #toDbError = (error: FormatError): DbError.DbError => StoreFailure.fromFormat(this.#path)(error)

  #fetch(start: number, end: number): Effect.Effect<Uint8Array, DbError.DbError> {
    return this.#store.getRange(this.#path, { offset: start, length: end - start }).pipe(
      // To a store a range beyond the end is a wrong question; here it means that the object is cut short.
      Effect.catchReason("ObjectStoreError", "Invalid", (reason) =>
        Effect.flatMap(this.#store.head(this.#path), ({ size }) =>
          size <= start ? Effect.succeed(new Uint8Array(0)) : Effect.fail(fail(reason))
        )
      ),
      Effect.mapError(StoreFailure.fromStore),
      Effect.flatMap((bytes) =>
        bytes.length === end - start
          ? Effect.succeed(bytes)
          : Effect.fail(
              this.#toDbError(
                new FormatError({
                  kind: "corrupt",
                  part: "table",
                  offset: start,
                  expected: `${end - start} bytes`,
                  found: String(bytes.length)
                })
              )
            )
      )
    )
  }

  #fetchMeta(): Effect.Effect<TableMeta, DbError.DbError> {
    return Effect.suspend(() => {
      const { filterOffset, indexLength, indexOffset } = this.table.info
      const end = indexOffset + indexLength
      const isWhole = end <= wholeTableBytesMax
      const start = isWhole ? 0 : filterOffset
      return Effect.flatMap(this.#fetch(start, end), (bytes) =>
        Effect.fromResult(
          // Index and filter keep their bytes, and are not to hold those of the blocks.
          Result.flatMap(this.#decodeMeta(isWhole ? copyOf(bytes, filterOffset) : bytes, filterOffset), (meta) => {
            this.cached.keepMeta(meta)
            return isWhole
              ? Result.map(this.#decodeBlocks(meta.index, bytes, 0, 0, meta.index.blockCount), () => meta)
              : Result.succeed(meta)
          })
        )
      )
    })
  }

  #fetchIndex(): Effect.Effect<SsTableIndex, DbError.DbError> {
    const { info } = this.table
    return Effect.flatMap(this.#fetch(info.indexOffset, info.indexOffset + info.indexLength), (bytes) =>
      Effect.fromResult(
        Result.mapError(SsTableReader.index(bytes, info.indexOffset, info, this.#compression), this.#toDbError)
      )
    )
  }

  /** Decodes filter and index out of `bytes`, which begin at `start` in the object and which they keep. */
  #decodeMeta(bytes: Uint8Array, start: number): Result.Result<TableMeta, DbError.DbError> {
    const { info } = this.table
    const decoded = Result.flatMap(SsTableReader.index(bytes, start, info, this.#compression), (index) =>
      Result.map(SsTableReader.filter(bytes, start, info, this.#compression), (filter) => ({
        index,
        filter,
        sizeBytes: index.sizeBytes + (filter?.sizeBytes ?? 0)
      }))
    )
    return Result.mapError(decoded, this.#toDbError)
  }

  /** Decodes blocks for the cache out of `bytes`, which begin at `start` in the object. */
  #decodeBlocks(
    index: SsTableIndex,
    bytes: Uint8Array,
    start: number,
    from: number,
    to: number
  ): Result.Result<ReadonlyArray<Block>, DbError.DbError> {
    const blocks: Array<Block> = []
    for (let block = from; block < to; block++) {
      // A view of a longer stretch would keep all of it in memory.
      const decoded = this.#decodeBlock(index, bytes, start, block, to - from > 1)
      if (Result.isFailure(decoded)) return Result.fail(decoded.failure)
      this.cached.keepBlock(block, decoded.success)
      blocks.push(decoded.success)
    }
    return Result.succeed(blocks)
  }

  /** Decodes a block out of `bytes`, which begin at `start` in the object. Without a codec it is a view, or a copy. */
  #decodeBlock(
    index: SsTableIndex,
    bytes: Uint8Array,
    start: number,
    block: number,
    copies = false
  ): Result.Result<Block, DbError.DbError> {
    const { info } = this.table
    const blockStart = index.blockOffset(block)
    const payload = SsTableReader.block(bytes, start, blockStart, index.blockEnd(block), info, this.#compression)
    if (Result.isFailure(payload)) return Result.fail(this.#toDbError(payload.failure))
    const { formatVersion } = this.table
    return Result.succeed(
      copies && formatVersion !== 1
        ? Block.copy(payload.success, 0, payload.success.length)
        : Block.make(payload.success, formatVersion)
    )
  }
}

const lowest = (bound: KeyBound): Uint8Array | undefined =>
  bound._tag === "Unbounded" ? undefined : bound._tag === "Included" ? bound.key : successor(bound.key)

const beyond = (bound: KeyBound): Uint8Array | undefined =>
  bound._tag === "Unbounded" ? undefined : bound._tag === "Excluded" ? bound.key : successor(bound.key)

/** The next key after `key`. */
const successor = (key: Uint8Array): Uint8Array => {
  const next = new Uint8Array(key.length + 1)
  next.set(key)
  return next
}
