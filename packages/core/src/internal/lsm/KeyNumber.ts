/**
 * A number for each key that sorts as the keys do, ties aside.
 *
 * Comparing numbers needs no trip to the keys' bytes. A double orders 53 bits, so
 * they are spent where keys differ: behind the prefix that the first few hundred
 * keys share. Keys that leave the prefix get numbers below or above all of
 * those that have it, ordered first by where they leave it.
 *
 *     prefix = "user:"        p = 5
 *     "user:417..."    in     the six bytes behind the prefix                    [0, 2^48)
 *     "usage"          below  leaves at d = 2, byte < prefix's: d, five bytes    [-2^52, 0)
 *     "zone"           above  leaves at d = 0, byte > prefix's: p-1-d, five bytes [2^48, 2^48 + 2^52)
 *
 * Leaving later means closer to the prefix: greater below it, smaller above it. So
 * `number(a) < number(b)` implies `a < b`; equal numbers say nothing, and bytes decide.
 */

/** The prefix is cut here, so that where a key leaves it fits twelve bits. */
export const prefixBytesMax = 4095

const sixBytes = 2 ** 48
const fiveBytes = 2 ** 40
const lowest = -(2 ** 52)

export class KeyNumber {
  private readonly prefix: Uint8Array

  /** Numbers for keys of which many begin with `prefix`. */
  constructor(prefix: Uint8Array) {
    this.prefix = prefix.length > prefixBytesMax ? prefix.slice(0, prefixBytesMax) : prefix
  }

  /** The number of `key[start, end)`. */
  of(key: Uint8Array, start: number, end: number): number {
    const prefix = this.prefix
    const length = prefix.length
    let same = 0
    while (same < length && start + same < end && key[start + same] === prefix[same]) same++
    const at = start + same
    if (same === length) return firstFive(key, at, end) * 256 + (at + 5 < end ? (key[at + 5] as number) : 0)
    const isBelow = at === end || (key[at] as number) < (prefix[same] as number)
    return isBelow
      ? lowest + same * fiveBytes + firstFive(key, at, end)
      : sixBytes + (length - 1 - same) * fiveBytes + firstFive(key, at, end)
  }

  /** How many first bytes two keys of this number are known to share. */
  sharedBytes(number: number): number {
    return number >= 0 && number < sixBytes ? this.prefix.length : 0
  }
}

/** The next five bytes as one number; what is missing counts as zero. */
const firstFive = (key: Uint8Array, at: number, end: number): number => {
  if (at + 5 <= end) {
    return (
      (key[at] as number) * 0x1_0000_0000 +
      ((((key[at + 1] as number) << 24) |
        ((key[at + 2] as number) << 16) |
        ((key[at + 3] as number) << 8) |
        (key[at + 4] as number)) >>>
        0)
    )
  }
  let number = 0
  for (let i = 0; i < 5; i++) number = number * 256 + (at + i < end ? (key[at + i] as number) : 0)
  return number
}
