/**
 * A number for each key that sorts as the keys do, ties aside.
 *
 * Comparing numbers needs no trip to the keys' bytes. A double counts to 2^53, and
 * that room is spent where keys differ: behind the prefix that most keys share,
 * and on the bytes that are seen there. Decimal digits take less than four bits
 * each, so that 14 of them fit, where of arbitrary bytes there are six.
 *
 *     prefix = "user:"   p = 5   bytes seen behind it: '0' to '9', so a digit is 0 to 11
 *
 *     "user:417..."  in     the digits behind the prefix                     [0, 2^52)
 *     "usage"        below  leaves at d = 2, byte < prefix's: d, digits      [-2^52, 0)
 *     "zone"         above  leaves at d = 0, byte > prefix's: -d, digits     [2^52, 2^53)
 *
 * Leaving later means closer to the prefix: greater below it, smaller above it. A byte
 * below those seen, or the key's end, is digit 0, one above them the highest digit;
 * what follows such a byte does not count. So `number(a) < number(b)` implies
 * `a < b`; equal numbers say nothing, and bytes decide.
 */

import { copyOf } from "./ByteCopy.ts"

/** Where a key leaves the prefix takes twelve bits; those that leave here or later have one number. */
const leaveMax = 4095

const inEnd = 2 ** 52
const outRange = 2 ** 40

/** How many bytes behind the prefix are looked at, to see which there are. */
const alphabetBytes = 16

export class KeyNumber {
  private readonly prefix: Uint8Array
  /** One less than the least byte seen. */
  private readonly zero: number
  /** The digit of bytes above those seen. */
  private readonly highest: number
  private readonly inDigits: number
  private readonly outDigits: number
  private readonly powers: Float64Array

  /** Numbers for keys of which many begin with `prefix`, and go on with bytes from `least` to `greatest`. */
  constructor(prefix: Uint8Array, least: number, greatest: number) {
    this.prefix = prefix
    this.zero = least - 1
    this.highest = greatest - this.zero + 1
    const base = this.highest + 1
    const powers = [1]
    while ((powers.at(-1) as number) * base <= inEnd) powers.push((powers.at(-1) as number) * base)
    this.powers = Float64Array.from(powers)
    this.inDigits = powers.length - 1
    this.outDigits = powers.findLastIndex((power) => power <= outRange)
  }

  /**
   * The numbering for keys like these, which are sorted: it skips what the middle half of
   * them begin with, so that a few stray keys do not spoil it for all others.
   */
  static like(sorted: ReadonlyArray<Uint8Array>): KeyNumber {
    const first = sorted.length >> 2
    const last = (sorted.length * 3) >> 2
    const prefix = commonPrefix(sorted[first], sorted[last])
    let least = 0xff
    let greatest = 0
    for (const key of sorted.slice(first, last + 1)) {
      const end = Math.min(key.length, prefix.length + alphabetBytes)
      for (let at = prefix.length; at < end; at++) {
        const byte = key[at] as number
        if (byte < least) least = byte
        if (byte > greatest) greatest = byte
      }
    }
    return least > greatest ? new KeyNumber(prefix, 0, 0xff) : new KeyNumber(prefix, least, greatest)
  }

  /** The number of `key[start, end)`. */
  of(key: Uint8Array, start: number, end: number): number {
    const prefix = this.prefix
    const length = prefix.length
    let same = 0
    while (same < length && start + same < end && key[start + same] === prefix[same]) same++
    const at = start + same
    if (same === length) return this.digits(key, at, end, this.inDigits)
    const isBelow = at === end || (key[at] as number) < (prefix[same] as number)
    const digits = same < leaveMax ? this.digits(key, at, end, this.outDigits) : 0
    const leave = Math.min(same, leaveMax)
    return isBelow ? -inEnd + leave * outRange + digits : inEnd + (leaveMax - leave) * outRange + digits
  }

  /**
   * Whether only `key[start, end)` has its number among keys of its length: the bytes behind the prefix are no more than
   * there are digits, and each is one of those seen.
   */
  isExact(number: number, key: Uint8Array, start: number, end: number): boolean {
    const behind = start + this.prefix.length
    if (number < 0 || number >= inEnd || end - behind > this.inDigits) return false
    const { highest, zero } = this
    for (let at = behind; at < end; at++) {
      const digit = (key[at] as number) - zero
      if (digit <= 0 || digit >= highest) return false
    }
    return true
  }

  /** How many first bytes two keys of this number are known to share. */
  sharedBytes(number: number): number {
    return number >= 0 && number < inEnd ? this.prefix.length : 0
  }

  /** The next bytes as a number of so many digits. */
  private digits(key: Uint8Array, start: number, end: number, count: number): number {
    const { highest, zero } = this
    let number = 0
    let left = count
    for (let at = start; at < end && left > 0; at++) {
      const digit = (key[at] as number) - zero
      if (digit <= 0) break
      left--
      if (digit >= highest) {
        number = number * (highest + 1) + highest
        break
      }
      number = number * (highest + 1) + digit
    }
    return number * (this.powers[left] as number)
  }
}

/** What two keys both begin with, and so all keys between them. */
const commonPrefix = (first: Uint8Array | undefined, last: Uint8Array | undefined): Uint8Array => {
  if (first === undefined || last === undefined) return new Uint8Array(0)
  const length = Math.min(first.length, last.length)
  let same = 0
  while (same < length && first[same] === last[same]) same++
  return copyOf(first, 0, same)
}
