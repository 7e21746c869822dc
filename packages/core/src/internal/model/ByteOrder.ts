/**
 * The order of keys: bytes, unsigned, left to right; a prefix sorts before what it begins.
 */

/** Below zero, zero or above zero, as `a[aStart, aEnd)` sorts before, with or after `b[bStart, bEnd)`. */
export const compareRange = (
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number
): number => {
  const aLength = aEnd - aStart
  const bLength = bEnd - bStart
  const length = aLength < bLength ? aLength : bLength
  for (let i = 0; i < length; i++) {
    const difference = (a[aStart + i] as number) - (b[bStart + i] as number)
    if (difference !== 0) return difference
  }
  return aLength - bLength
}

/** Below zero, zero or above zero, as `a` sorts before, with or after `b`. */
export const compare = (a: Uint8Array, b: Uint8Array): number => compareRange(a, 0, a.length, b, 0, b.length)

/** Whether both ranges hold the same bytes. Neighbours in key order differ at their ends: it looks there first. */
export const equalsRange = (
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number
): boolean => {
  if (aEnd - aStart !== bEnd - bStart) return false
  const shift = bStart - aStart
  for (let i = aEnd - 1; i >= aStart; i--) {
    if (a[i] !== b[i + shift]) return false
  }
  return true
}
