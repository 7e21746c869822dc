/**
 * Copies of bytes that may be a Node `Buffer`, whose own `slice` shares memory
 * instead of copying it.
 */

/** The bytes of `bytes[start, end)` in memory of their own. */
export const copyOf = (bytes: Uint8Array, start = 0, end = bytes.length): Uint8Array =>
  Uint8Array.prototype.slice.call(bytes, start, end)
