/** Comparing keys of 16 bytes that differ in their last bytes. */
import * as Key from "../Key.ts"
import * as Random from "../Random.ts"
import type { Limit } from "./Limit.ts"
import { keep } from "./Limit.ts"

const keyCount = 200_000

export const limits = (): ReadonlyArray<Limit> => {
  const random = Random.make(5)
  const keys = Array.from({ length: keyCount }, () => Key.make(random() % keyCount))
  const strings = keys.map((key) => key.toString("latin1"))
  return [
    {
      title: "compare: 16-byte keys",
      unit: "comparison",
      variants: [
        { name: "Buffer.compare", run: pairs(keys, (a, b) => Buffer.compare(a, b)) },
        { name: "loop over bytes", run: pairs(keys, compareBytes) },
        { name: "latin1 strings in hand", run: pairs(strings, (a, b) => (a < b ? -1 : a > b ? 1 : 0)) },
        { name: "making the latin1 string", run: pairs(keys, (a) => a.toString("latin1").length) }
      ]
    }
  ]
}

const compareBytes = (a: Uint8Array, b: Uint8Array): number => {
  for (let i = 0; i < Key.lengthBytes; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return 0
}

/** Compares each item with the one before it. */
const pairs =
  <K>(items: ReadonlyArray<K>, compare: (a: K, b: K) => number) =>
  (): number => {
    for (let i = 1; i < items.length; i++) keep(compare(items[i - 1] as K, items[i] as K))
    return items.length - 1
  }
