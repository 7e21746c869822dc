/**
 * Reproducible pseudo-random numbers (xorshift, 32 bits): cheap enough to be
 * called inside a measured loop. Not for anything else.
 */

/** The next number, from 1 to 2^32 - 1. */
export type Random = () => number

export const make = (seed: number): Random => {
  let state = seed >>> 0 || 1
  return () => {
    state ^= state << 13
    state >>>= 0
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state
  }
}
