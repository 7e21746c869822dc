/**
 * Chance from a seed, as plain functions: the same throws in every process that
 * has the same seed. (sfc32; the seed may have several parts, such as a run's seed
 * and the number of a round.)
 */

export interface Dice {
  /** A whole number from 0, below `end`. */
  readonly below: (end: number) => number
  readonly chance: (probability: number) => boolean
  readonly pick: <A>(values: ReadonlyArray<A>) => A
  readonly bytes: (length: number) => Uint8Array
}

export const make = (...seed: ReadonlyArray<number>): Dice => {
  const next = sfc32(seed)
  const below = (end: number): number => Math.floor((next() / 2 ** 32) * end)
  return {
    below,
    chance: (probability) => next() / 2 ** 32 < probability,
    pick: (values) => {
      const value = values[below(values.length)]
      if (value === undefined) throw new RangeError("there is nothing to pick from")
      return value
    },
    bytes: (length) => Uint8Array.from({ length }, () => next() & 0xff)
  }
}

/** The next number, from 0 below 2^32. */
const sfc32 = (seed: ReadonlyArray<number>): (() => number) => {
  let a = 0x9e3779b9
  let b = 0x243f6a88
  let c = 0xb7e15162
  let counter = 1
  const next = (): number => {
    const sum = (((a + b) | 0) + counter++) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  for (const part of seed) {
    a ^= part | 0
    b ^= Math.floor(part / 2 ** 32)
    for (let i = 0; i < 12; i++) next()
  }
  return next
}
