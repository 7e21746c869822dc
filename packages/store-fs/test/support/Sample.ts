/**
 * Bodies that tell whether they are whole: their length in the first four bytes,
 * their seed in every other one.
 */

/** How many objects the rivals of a race create. */
export const RACE_OBJECTS = 100

export const make = (seed: number, length: number): Uint8Array => {
  const bytes = new Uint8Array(length + 4).fill(seed)
  new DataView(bytes.buffer).setUint32(0, length)
  return bytes
}

/** The seed of a whole body, else `undefined`. */
export const seedOf = (bytes: Uint8Array): number | undefined => {
  if (bytes.length < 5) return undefined
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
  const seed = bytes[4]
  return bytes.length === length + 4 && bytes.every((byte, i) => i < 4 || byte === seed) ? seed : undefined
}
