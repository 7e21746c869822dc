/**
 * A limit: several ways to do the same work, measured beside each other.
 */

export interface Variant {
  readonly name: string
  /** Does the work once and gives the number of units done. */
  readonly run: () => number | Promise<number>
}

export interface Limit {
  readonly title: string
  readonly unit: string
  readonly variants: ReadonlyArray<Variant>
  /** Gives back what the variants used. */
  readonly release?: () => Promise<void>
}

let kept = 0

/** Uses a result, so that the work behind it is not optimised away. */
export const keep = (result: number): void => {
  kept ^= result
}
