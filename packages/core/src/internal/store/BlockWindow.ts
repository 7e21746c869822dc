/**
 * Where a walk over a table takes its blocks from: the cache, and stretches of the
 * object, each fetched with one request.
 *
 *     blocks     [ 3 ][ 4 ][ 5 ] [ 6 ][ 7 ][ 8 ] [ 9 ] ...
 *                       ^ walk    └ stretch ──┘
 *                └ stretch ────┘    ahead: there before the walk comes to it
 *
 * Stretches grow from one block up to the read-ahead, so that a short scan does not
 * fetch what it never reads. A walk to the end has whole stretches at once, and may
 * have the next one fetched while it is in one: then it holds two at most.
 *
 * A block that stays in no cache is decoded when the walk takes it: so a stretch weighs
 * what it weighs in the object, and nobody waits while all of it is decompressed.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as DbError from "../../DbError.ts"
import type { KeyRange } from "../../KeyRange.ts"
import type { Block } from "../format/Block.ts"
import type { SsTableIndex } from "../format/SsTableIndex.ts"
import { SingleFlight } from "./SingleFlight.ts"
import type { Stretch, TableReader } from "./TableReader.ts"

export interface Options {
  readonly range: KeyRange
  readonly order: "ascending" | "descending"
  /** Bytes of a stretch at most, but at least one block; 0 fetches block by block. */
  readonly readAheadBytes: number
  /** Whether fetched blocks stay in the block cache; absent: those that the walk begins with. */
  readonly cacheBlocks: boolean | undefined
  /** The walk is ascending, goes to the range's end and may fetch ahead; what is cached breaks no stretch. */
  readonly isWhole?: boolean | undefined
}

export class BlockWindow {
  readonly #reader: TableReader
  readonly #options: Options
  /** Those in front of the walk, and the one that it is in. */
  #held: Array<Stretch> = []
  /** Made when something is fetched: most walks find all in the cache. */
  #flights: SingleFlight<number, void, DbError.DbError> | undefined
  #blocksMax: number

  constructor(reader: TableReader, options: Options) {
    this.#reader = reader
    this.#options = options
    this.#blocksMax = options.isWhole === true ? Infinity : 1
  }

  /** The block, if it is in memory; or why it cannot be read. The walk does not come back to blocks that it left. */
  take(block: number): Result.Result<Block, DbError.DbError> | undefined {
    const held = this.#held
    while (held.length > 0 && this.#isBehind(held[0] as Stretch, block)) held.shift()
    for (const stretch of held) {
      if (stretch.from <= block && block < stretch.to) return stretch.block(block)
    }
    const cached = this.#reader.cached.block(block)
    return cached === undefined ? undefined : Result.succeed(cached)
  }

  /** Fetches the stretch that begins with the block, or waits for it, if it is on its way. */
  load(index: SsTableIndex, block: number): Effect.Effect<void, DbError.DbError> {
    this.#flights ??= new SingleFlight()
    return this.#flights.run(
      block,
      Effect.suspend(() => {
        const keep = this.#options.cacheBlocks ?? this.#blocksMax === 1
        const [from, to] = this.#stretchAt(index, block)
        return Effect.map(this.#reader.loadStretch(index, from, to, keep), (stretch) => {
          this.#held.push(stretch)
        })
      })
    )
  }

  /**
   * Fetches what comes after the stretch that the walk is in, or, where it is at no block yet, the first one. Absent:
   * that is in memory, or there is no more.
   */
  ahead(index: SsTableIndex, block: number, isInBlock: boolean): Effect.Effect<void, DbError.DbError> | undefined {
    if (this.#options.isWhole !== true || this.#held.length > (isInBlock ? 1 : 0)) return undefined
    const next = Math.max(isInBlock ? block + 1 : block, this.#end)
    if (this.#isBeyond(index, next) || this.#reader.cached.block(next) !== undefined) return undefined
    return this.load(index, next)
  }

  /** Whether a walk that is in this block is in the last stretch of the range. */
  isInLast(index: SsTableIndex): boolean {
    return this.#held.length === 1 && this.#isBeyond(index, this.#end)
  }

  clear(): void {
    this.#held = []
  }

  get #isAscending(): boolean {
    return this.#options.order === "ascending"
  }

  /** Behind the last stretch that is held. */
  get #end(): number {
    return this.#held.at(-1)?.to ?? 0
  }

  #isBehind(stretch: Stretch, block: number): boolean {
    return this.#isAscending ? stretch.to <= block : stretch.from > block
  }

  /** Whether no row of the range is in the block or behind it. */
  #isBeyond(index: SsTableIndex, block: number): boolean {
    const { end } = this.#options.range
    return block >= index.blockCount || (end !== undefined && index.compareSeparator(block, end) >= 0)
  }

  /** First and last-but-one block of the next request. */
  #stretchAt(index: SsTableIndex, block: number): readonly [from: number, to: number] {
    const { isWhole, readAheadBytes } = this.#options
    const isWanted = (at: number) => isWhole === true || this.#reader.cached.block(at) === undefined
    let from = block
    let to = block + 1
    if (this.#isAscending) {
      const fits = () => to - from < this.#blocksMax && index.blockEnd(to) - index.blockOffset(from) <= readAheadBytes
      while (!this.#isBeyond(index, to) && fits() && isWanted(to)) to++
    } else {
      const fits = () =>
        to - from < this.#blocksMax && index.blockEnd(to - 1) - index.blockOffset(from - 1) <= readAheadBytes
      while (from > 0 && fits() && isWanted(from - 1)) from--
    }
    this.#blocksMax = 2 * this.#blocksMax + 1
    return [from, to]
  }
}
