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

const noRow = new RowView()

export class KWayMerge<C extends Cursor = Cursor> implements Cursor {
  row = noRow

  /** The sources that said `blocked`: load what they lack, then call `next` again. */
  readonly blocked: Array<C> = []

  #sources: ReadonlyArray<C> = []
  /** The row that each source stands on, `noRow` before the first: a source may have to look for it, and each is asked for several times. */
  readonly #rows: Array<RowView> = []
  #sign: 1 | -1 = 1
  readonly #ended: Array<boolean> = []
  readonly #losers: Array<number> = []
  #winner = 0
  /** The winning source; absent once all have ended. */
  #leader: C | undefined
  #built = false

  constructor(sources: ReadonlyArray<C>, order: "ascending" | "descending") {
    this.start(sources, order)
  }

  /** Begins anew, with whatever sources. */
  start(sources: ReadonlyArray<C>, order: "ascending" | "descending"): void {
    this.#sources = sources
    for (let index = 0; index < sources.length; index++) {
      this.#rows[index] = noRow
      this.#ended[index] = false
      this.#losers[index] = 0
    }
    this.#sign = order === "ascending" ? 1 : -1
    this.#winner = 0
    this.#leader = undefined
    this.#built = false
    this.row = noRow
    this.#unblock()
  }

  next(): Step {
    if (!this.#built) return this.#begin()
    const leader = this.#leader
    if (leader === undefined) return Step.done
    const step = leader.next()
    if (step === Step.row) {
      const row = leader.row
      if (this.#sources.length > 1) {
        this.#rows[this.#winner] = row
        return this.#replay()
      }
      this.row = row
      return step
    }
    if (step === Step.blocked) {
      this.#unblock()
      this.blocked.push(leader)
      return step
    }
    this.#ended[this.#winner] = true
    return this.#replay()
  }

  /** Moves every source to its first row, and plays the tournament. */
  #begin(): Step {
    const sources = this.#sources
    if (sources.length === 0) return Step.done
    this.#unblock()
    for (let index = 0; index < sources.length; index++) {
      if (!this.#ended[index] && this.#rows[index] === noRow) this.#prime(index)
    }
    if (this.blocked.length > 0) return Step.blocked
    this.#built = true
    return this.#lead(this.#build(1))
  }

  /** To set a length, even where it is the same, is a call out of compiled code. */
  #unblock(): void {
    if (this.blocked.length > 0) this.blocked.length = 0
  }

  /** The source that won: its row is the next one, unless all have ended. */
  #lead(winner: number): Step {
    this.#winner = winner
    if (this.#ended[winner]) {
      this.#leader = undefined
      return Step.done
    }
    this.#leader = this.#source(winner)
    this.row = this.#rows[winner] as RowView
    return Step.row
  }

  #source(index: number): C {
    return this.#sources[index] as C
  }

  /** Moves a source to its first row. */
  #prime(index: number): void {
    const source = this.#source(index)
    const step = source.next()
    if (step === Step.blocked) this.blocked.push(source)
    else if (step === Step.done) this.#ended[index] = true
    else this.#rows[index] = source.row
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

  /** Plays the matches on the way from the winner's leaf to the root again. */
  #replay(): Step {
    const losers = this.#losers
    let winner = this.#winner
    for (let node = (winner + this.#sources.length) >> 1; node >= 1; node >>= 1) {
      const loser = losers[node] as number
      if (this.#beats(loser, winner)) {
        losers[node] = winner
        winner = loser
      }
    }
    return this.#lead(winner)
  }

  #beats(a: number, b: number): boolean {
    if (this.#ended[a]) return this.#ended[b] === true && a < b
    if (this.#ended[b]) return true
    const left = this.#rows[a] as RowView
    const right = this.#rows[b] as RowView
    const byKey =
      this.#sign * compareRange(left.key, left.keyStart, left.keyEnd, right.key, right.keyStart, right.keyEnd)
    if (byKey !== 0) return byKey < 0
    const bySequence = this.#sign * (right.sequence - left.sequence)
    return bySequence !== 0 ? bySequence < 0 : a < b
  }
}
