/**
 * The few figures that a report is made of.
 *
 * Ratios are taken run by run and only then summarised: what disturbs the machine
 * during one run disturbs both engines of that run, and the ratio keeps still.
 */

/** Several measurements of one quantity. */
export interface Summary {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** The middle value; between the two middle values when their number is even. */
export const median = (values: ReadonlyArray<number>): number => {
  if (values.length === 0) throw new RangeError("median of no values")
  const sorted = Float64Array.from(values).toSorted()
  const middle = sorted.length >>> 1
  const upper = sorted[middle] as number
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2
}

/** `undefined` when there is nothing to summarise. */
export const summary = (values: ReadonlyArray<number>): Summary | undefined =>
  values.length === 0 ? undefined : { median: median(values), min: Math.min(...values), max: Math.max(...values) }

/** The value below which the given share (0 to 1) of ascending values lies. */
export const percentile = (ascending: Float64Array, share: number): number | undefined =>
  ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))]

/** Each value through the baseline's of the same run. Runs that either one lacks are left out. */
export const ratios = (
  values: ReadonlyArray<number | undefined>,
  baseline: ReadonlyArray<number | undefined>
): ReadonlyArray<number> =>
  values.flatMap((value, run) => {
    const base = baseline[run]
    return value === undefined || base === undefined ? [] : [value / base]
  })
