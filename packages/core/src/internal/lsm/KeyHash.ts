/**
 * The hash of a key: HalfSipHash-1-3, 32 bits, under a seed of the generation.
 *
 * Keys come from outside, and so may be chosen to collide. A plain hash with a
 * seed mixed in does not help: in FNV the difference of two hashes depends on the
 * lowest byte of the seed alone, so one set of colliding keys in 256 hits. A keyed
 * hash has no such sets, and reading four bytes at a time it costs no more.
 */

/** The key of the hash. */
export interface HashSeed {
  readonly low: number
  readonly high: number
}

/** Spreads a whole number below 2^53 over both halves of the seed. */
export const seed = (value: number): HashSeed => ({ low: value | 0, high: Math.floor(value / 0x1_0000_0000) | 0 })

/** The hash of `key[start, end)`, as a signed 32-bit integer. */
export const hash = (seed: HashSeed, key: Uint8Array, start: number, end: number): number => {
  let v0 = seed.low
  let v1 = seed.high
  let v2 = 0x6c796765 ^ v0
  let v3 = 0x74656462 ^ v1
  const length = end - start
  const words = length >>> 2
  const wordsEnd = start + (words << 2)
  let at = start
  // One turn per word, one for the tail with the length, three to finish.
  for (let turn = words + 4; turn > 0; turn--) {
    let word = 0
    if (at < wordsEnd) {
      word =
        (key[at] as number) |
        ((key[at + 1] as number) << 8) |
        ((key[at + 2] as number) << 16) |
        ((key[at + 3] as number) << 24)
      at += 4
    } else if (turn === 4) {
      word = length << 24
      if (at < end) word |= key[at] as number
      if (at + 1 < end) word |= (key[at + 1] as number) << 8
      if (at + 2 < end) word |= (key[at + 2] as number) << 16
    } else if (turn === 3) {
      v2 ^= 0xff
    }
    v3 ^= word
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    v0 ^= word
  }
  return v1 ^ v3
}
