/**
 * Keys of the workloads: 16 bytes, the decimal of an index with leading zeros, so
 * that keys sort as their indexes do.
 */

export const lengthBytes = 16

const digits = 10
const zero = 0x30

/** The key of an index below 10^10. */
export const make = (index: number): Buffer => {
  const key = Buffer.allocUnsafe(lengthBytes)
  let rest = index
  for (let i = lengthBytes - 1; i >= lengthBytes - digits; i--) {
    const quotient = Math.floor(rest / 10)
    key[i] = zero + (rest - quotient * 10)
    rest = quotient
  }
  key[0] = key[1] = key[2] = key[3] = key[4] = key[5] = zero
  return key
}

/** A key that sorts among the others and is never written: it ends in a dot. */
export const missing = (index: number): Buffer => {
  const key = make(index)
  key[lengthBytes - 1] = 0x2e
  return key
}
