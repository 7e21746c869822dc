/**
 * Every index below a size once, in an order that looks random: steps of about the
 * golden section, coprime to the size. It needs no memory, whatever the size.
 */

/** The next index. After `size` indexes the order begins again. */
export const make = (size: number): (() => number) => {
  const step = coprimeStep(size)
  let next = 0
  return () => {
    const index = next
    next = (next + step) % size
    return index
  }
}

const coprimeStep = (size: number): number => {
  let step = Math.floor(size * 0.6180339887) | 1
  while (greatestCommonDivisor(step, size) !== 1) step += 2
  return step
}

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b))
