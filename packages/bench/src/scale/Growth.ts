/**
 * How fast a cost grows, as one number: the exponent `e` of the power of n that fits
 * best, `cost = c * n^e`. It is the slope of a least squares line through log cost
 * over log n: 0 for a cost that stays the same, 1 for one that follows n.
 *
 * The logarithm itself is no power; its exponent over the same sizes is what a cost
 * may have at most that grows no faster than log n there.
 */

export interface Sample {
  /** Above 0. */
  readonly n: number
  /** Above 0. */
  readonly cost: number
}

/** `undefined` for fewer than two different sizes. */
export const exponent = (samples: ReadonlyArray<Sample>): number | undefined => {
  const xs = samples.map(({ n }) => Math.log(n))
  const ys = samples.map(({ cost }) => Math.log(cost))
  const meanX = mean(xs)
  const meanY = mean(ys)
  const variance = mean(xs.map((x) => (x - meanX) ** 2))
  if (!(variance > 0)) return undefined
  return mean(xs.map((x, i) => (x - meanX) * ((ys[i] as number) - meanY))) / variance
}

/** The cost at each size of something that grows as log2 n and agrees with the first sample. */
export const logarithmThrough = (first: Sample, sizes: ReadonlyArray<number>): ReadonlyArray<Sample> =>
  sizes.map((n) => ({ n, cost: (first.cost * Math.log2(n)) / Math.log2(first.n) }))

/** The exponent that log n has over these sizes; they are above 1. */
export const exponentOfLogarithm = (sizes: ReadonlyArray<number>): number | undefined =>
  exponent(sizes.map((n) => ({ n, cost: Math.log2(n) })))

const mean = (values: ReadonlyArray<number>): number => values.reduce((sum, value) => sum + value, 0) / values.length
