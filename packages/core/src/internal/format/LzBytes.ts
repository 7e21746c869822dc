/**
 * What the two codecs here copy with. Ranges were checked by the caller.
 */

/** Up to here a loop is cheaper than a native copy. */
const copyLoopBytesMax = 48

/** Copies `source[start, start + length)` to `target` at `at`. */
export const copyLiterals = (
  source: Uint8Array,
  start: number,
  length: number,
  target: Uint8Array,
  at: number
): void => {
  if (length > copyLoopBytesMax) {
    target.set(source.subarray(start, start + length), at)
    return
  }
  for (const end = start + length; start < end;) target[at++] = source[start++] as number
}

/** Repeats, at `at`, the `length` bytes that begin `distance` before; they may overlap what is being written. */
export const copyMatch = (bytes: Uint8Array, at: number, distance: number, length: number): void => {
  const from = at - distance
  if (length > copyLoopBytesMax && distance >= length) {
    bytes.copyWithin(at, from, from + length)
    return
  }
  for (let i = 0; i < length; i++) bytes[at + i] = bytes[from + i] as number
}
