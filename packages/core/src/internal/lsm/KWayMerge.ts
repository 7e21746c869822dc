/**
 * One ordered stream of rows out of several.
 *
 * A loser tree: each inner node remembers the source that lost the comparison
 * there, so moving the winner on costs one comparison per level, along one path
 * (Knuth, The Art of Computer Programming, volume 3, 5.4.1).
 *
 *             winner
 *               |
 *             loser            sources 0..3 are the leaves;
 *            /     \           node n has children 2n and 2n + 1
 *        loser     loser
 *        /  \      /  \
 *       0    1    2    3
 *
 * Rows come ordered by key and, within a key, by sequence number, whichever
 * source they are in. Should two sources hold the very same row, the earlier
 * source's comes first: give the newest source first.
 */
import { compareRange } from "../model/ByteOrder.ts"
import { RowView } from "../model/RowEntry.ts"
import { type Cursor, Step } from "./Cursor.ts"

export class KWayMerge<C extends Cursor = Cursor> implements Cursor {
  row: RowView = new RowView()

  /** The sources that said `blocked`: load what they lack, then call `next` again. */
  readonly blocked: Array<C> = []

  readonly #sources: ReadonlyArray<C>
  readonly #sign: 1 | -1
  readonly #ended: Uint8Array
  readonly #losers: Int32Array
  #winner = 0
  #unprimed: Array<number>
  #built = false

  constructor(sources: ReadonlyArray<C>, order: "ascending" | "descending") {
    this.#sources = sources
    this.#sign = order === "ascending" ? 1 : -1
    this.#ended = new Uint8Array(sources.length)
    this.#losers = new Int32Array(sources.length)
    this.#unprimed = sources.map((_, index) => index)
  }

  next(): Step {
    if (this.#sources.length === 0) return Step.done
    if (this.#built) {
      if (!this.#advance(this.#winner)) return Step.blocked
      this.#replay(this.#winner)
    } else {
      this.blocked.length = 0
      this.#unprimed = this.#unprimed.filter((index) => !this.#prime(index))
      if (this.#unprimed.length > 0) return Step.blocked
      this.#winner = this.#build(1)
      this.#built = true
    }
    if (this.#ended[this.#winner] === 1) return Step.done
    this.row = this.#source(this.#winner).row
    return Step.row
  }

  #source(index: number): C {
    return this.#sources[index] as C
  }

  #prime(index: number): boolean {
    const source = this.#source(index)
    const step = source.next()
    if (step === Step.blocked) {
      this.blocked.push(source)
      return false
    }
    if (step === Step.done) this.#ended[index] = 1
    return true
  }

  #advance(index: number): boolean {
    if (this.#ended[index] === 1) return true
    this.blocked.length = 0
    return this.#prime(index)
  }

  /** Plays the whole tournament below `node` and returns its winner. */
  #build(node: number): number {
    const count = this.#sources.length
    if (node >= count) return node - count
    const left = this.#build(2 * node)
    const right = this.#build(2 * node + 1)
    const leftWins = this.#beats(left, right)
    this.#losers[node] = leftWins ? right : left
    return leftWins ? left : right
  }

  /** Plays the matches on the way from a leaf to the root again. */
  #replay(leaf: number): void {
    const losers = this.#losers
    let winner = leaf
    for (let node = (leaf + this.#sources.length) >> 1; node >= 1; node >>= 1) {
      const loser = losers[node] as number
      if (this.#beats(loser, winner)) {
        losers[node] = winner
        winner = loser
      }
    }
    this.#winner = winner
  }

  #beats(a: number, b: number): boolean {
    if (this.#ended[a] === 1) return this.#ended[b] === 1 && a < b
    if (this.#ended[b] === 1) return true
    const left = this.#source(a).row
    const right = this.#source(b).row
    const byKey =
      this.#sign * compareRange(left.key, left.keyStart, left.keyEnd, right.key, right.keyStart, right.keyEnd)
    if (byKey !== 0) return byKey < 0
    const bySequence = this.#sign * (right.sequence - left.sequence)
    return bySequence !== 0 ? bySequence < 0 : a < b
  }
}
