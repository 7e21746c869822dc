/**
 * The floor: a `Map` keyed by latin1 strings with copied values, and a sorted
 * array of its keys, rebuilt at the first scan after a new key. Nothing is durable
 * and nothing bounds its memory: no database can be faster in this language.
 */
import type { Engine } from "../Engine.ts"
import { promised } from "../Engine.ts"

export const engine: Engine<Promise<unknown>> = {
  name: "Map + sorted array",
  version: process.version,
  stores: [],
  open: async () => {
    const values = new Map<string, Buffer>()
    let sorted: Array<string> | undefined

    const put = (key: Buffer, value: Uint8Array): undefined => {
      const before = values.size
      values.set(text(key), Buffer.from(value))
      if (values.size !== before) sorted = undefined
    }
    const remove = (key: Buffer): undefined => {
      if (values.delete(text(key))) sorted = undefined
    }
    return {
      ...promised,
      put,
      get: (key) => values.get(text(key)),
      delete: remove,
      batch: (entries) => {
        for (const [key, value] of entries) {
          if (value === undefined) remove(key)
          else put(key, value)
        }
        return undefined
      },
      scan: ({ from, limit = Infinity, to }, visit) => {
        sorted ??= [...values.keys()].toSorted(compare)
        const end = to === undefined ? undefined : text(to)
        let count = 0
        for (let i = from === undefined ? 0 : lowerBound(sorted, text(from)); i < sorted.length && count < limit; i++) {
          const key = sorted[i] as string
          if (end !== undefined && key >= end) break
          visit(Buffer.from(key, "latin1"), values.get(key) as Buffer)
          count++
        }
        return count
      },
      flush: () => undefined,
      close: () => {
        values.clear()
        sorted = undefined
        return undefined
      }
    }
  }
}

const text = (key: Buffer): string => key.toString("latin1")

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** The index of the first key that is not below `bound`. */
const lowerBound = (sorted: ReadonlyArray<string>, bound: string): number => {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] as string) < bound) low = middle + 1
    else high = middle
  }
  return low
}
