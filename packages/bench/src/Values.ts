/**
 * Values of the workloads: slices of one pool, so that making a value costs
 * nothing inside a measured loop.
 */
import * as Random from "./Random.ts"

/** The pool's size. A value is smaller. */
export const poolBytes = 1 << 20

/** A value at the next random place of its pool. */
export type Values = (random: Random.Random) => Uint8Array

/**
 * Values of `valueBytes` bytes. Of every 100 bytes of the pool the first
 * `randomShare` are random and the others repeat what stood 50 bytes before: at
 * 0.5 a compressor halves them, at 1 it gains nothing.
 */
export const make = (valueBytes: number, randomShare: number): Values => {
  const pool = Buffer.allocUnsafe(poolBytes)
  const random = Random.make(12345)
  for (let i = 0; i < poolBytes; i++) {
    pool[i] = i % 100 < randomShare * 100 ? random() >>> 9 : (pool[i - 50] as number)
  }
  const places = poolBytes - valueBytes
  return (random) => {
    const offset = random() % places
    return pool.subarray(offset, offset + valueBytes)
  }
}
