/**
 * Counts of visits as the database keeps them: 8 bytes, big-endian, folded by
 * addition.
 */
import type * as MergeOperator from "@effect-slatedb/core/MergeOperator"

export const encode = (count: bigint): Uint8Array => {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, count)
  return bytes
}

export const decode = (bytes: Uint8Array): bigint => new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0)

/** One more visit, as an operand. */
export const one = encode(1n)

/** Associative, as a merge operator must be. No other key of the application is merged. */
export const add: MergeOperator.Merge = (_key, existing, operand) =>
  existing === undefined ? operand : encode(decode(existing) + decode(operand))
