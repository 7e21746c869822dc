/**
 * Copies of bytes that may be a Node `Buffer`, whose own `slice` shares memory
 * instead of copying it.
 */

/** Up to this many bytes a loop beats `set`, which costs the same 30 ns or so for up to some hundred bytes. */
const loopBytesMax = 8

/** The same for a part of an array, of which `set` wants a `subarray`: making one costs more than `set` does. */
const partLoopBytesMax = 40

/**
 * The bytes of `bytes[start, end)` in memory of their own; a plain array, whatever they are from. To `slice` a `Buffer`
 * would make another, and takes four times as long.
 */
export const copyOf = (bytes: Uint8Array, start = 0, end = bytes.length): Uint8Array => {
  const length = end - start
  if (length > partLoopBytesMax && bytes.constructor === Uint8Array) return bytes.slice(start, end)
  const copy = new Uint8Array(length)
  copyInto(bytes, start, end, copy, 0)
  return copy
}

/** Writes `from[start, end)` to `to`, from `at` on. */
export const copyInto = (from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): void => {
  const length = end - start
  const isWhole = length === from.length
  if (length > (isWhole ? loopBytesMax : partLoopBytesMax)) {
    to.set(isWhole ? from : from.subarray(start, end), at)
    return
  }
  const shift = at - start
  for (let i = start; i < end; i++) to[i + shift] = from[i] as number
}
