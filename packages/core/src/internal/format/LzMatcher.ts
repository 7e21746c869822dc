/**
 * Finds repetitions, for the two codecs that are written here: the part that
 * snappy and LZ4 have in common, once.
 *
 * It is the greedy search of both originals: a hash table remembers where four
 * bytes were last seen; where the same four bytes come again, the match is made as
 * long as it goes. The more positions in vain, the larger the steps, so that bytes
 * that do not compress are soon over with.
 *
 *     begin(bytes) ─> next() ─> literals [literalStart, matchStart), then a match ─> next() ...
 *                            ─> false: only literals are left, from literalStart on
 *
 * The table is kept from one input to the next and never cleared: entries of
 * earlier inputs lie below `base` and are ignored.
 */

const hashBits = 12

/** Matches begin this far before the end, and end `lastLiterals` before it: LZ4's rules, harmless in snappy. */
const matchMargin = 12
const lastLiterals = 5

/** Both formats have 16-bit distances. */
const distanceMax = 0xffff

/** Positions are 32-bit; what lies beyond is left as literals. */
const searchedBytesMax = 2 ** 30

const matchBytesMin = 4

export class LzMatcher {
  literalStart = 0
  matchStart = 0
  matchLength = 0
  distance = 0
  private bytes: Uint8Array = new Uint8Array(0)
  private searchEnd = 0
  private matchEnd = 0
  private readonly table = new Int32Array(1 << hashBits)
  private base = 1
  private searchedBytes = 0

  begin(bytes: Uint8Array): void {
    this.base += this.searchedBytes
    const length = Math.min(bytes.length, searchedBytesMax)
    if (this.base > searchedBytesMax) {
      this.table.fill(0)
      this.base = 1
    }
    this.bytes = bytes
    this.searchedBytes = length
    this.searchEnd = length - matchMargin
    this.matchEnd = length - lastLiterals
    this.matchStart = 0
    this.matchLength = 0
  }

  next(): boolean {
    const { base, bytes, searchEnd, table } = this
    let at = this.matchStart + this.matchLength
    this.literalStart = at
    for (let misses = 0; at <= searchEnd; at += 1 + (misses++ >> 5)) {
      const word = wordAt(bytes, at)
      const slot = Math.imul(word, 0x9e3779b1) >>> (32 - hashBits)
      const candidate = (table[slot] as number) - base
      table[slot] = base + at
      if (candidate >= 0 && at - candidate <= distanceMax && wordAt(bytes, candidate) === word) {
        this.extend(at, candidate)
        return true
      }
    }
    return false
  }

  private extend(at: number, candidate: number): void {
    const { bytes, literalStart, matchEnd } = this
    const distance = at - candidate
    let end = at + matchBytesMin
    while (end < matchEnd && bytes[end] === bytes[end - distance]) end++
    while (at > literalStart && at > distance && bytes[at - 1] === bytes[at - 1 - distance]) at--
    this.matchStart = at
    this.matchLength = end - at
    this.distance = distance
  }
}

const wordAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) |
  ((bytes[at + 1] as number) << 8) |
  ((bytes[at + 2] as number) << 16) |
  ((bytes[at + 3] as number) << 24)
