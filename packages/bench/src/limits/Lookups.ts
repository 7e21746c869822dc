/** Structures of a memtable: filling one with random keys, and finding them again. */
import * as Key from "../Key.ts"
import * as Random from "../Random.ts"
import type { Limit } from "./Limit.ts"
import { keep } from "./Limit.ts"

const keyCount = 200_000
const slotCount = 1 << 19
const empty = -1

export const limits = (): ReadonlyArray<Limit> => {
  const random = Random.make(5)
  const keys = Array.from({ length: keyCount }, (_, index) => [random(), Key.make(index)] as const)
    .toSorted(([a], [b]) => a - b)
    .map(([, key]) => key)
  const map = mapOf(keys)
  const hash = hashOf(keys)
  const sorted = [...map.keys()].toSorted()
  const each = (work: (key: Buffer) => number) => (): number => {
    for (const key of keys) keep(work(key))
    return keyCount
  }
  return [
    {
      title: `insert: ${keyCount} random keys of 16 bytes`,
      unit: "key",
      variants: [
        {
          name: "Map of latin1 strings",
          run: () => {
            keep(mapOf(keys).size)
            return keyCount
          }
        },
        {
          name: "Map of latin1 strings, sorted at the end",
          run: () => {
            keep([...mapOf(keys).keys()].toSorted().length)
            return keyCount
          }
        },
        {
          name: "array of latin1 strings, sorted at the end",
          run: () => {
            keep(keys.map((key) => key.toString("latin1")).toSorted().length)
            return keyCount
          }
        },
        {
          name: "array of keys, sorted at the end (Buffer.compare)",
          run: () => {
            keep(keys.toSorted((a, b) => Buffer.compare(a, b)).length)
            return keyCount
          }
        },
        {
          name: "hash over an arena of bytes, no order",
          run: () => {
            keep(hashOf(keys).arena.length)
            return keyCount
          }
        }
      ]
    },
    {
      title: `lookup: ${keyCount} random hits`,
      unit: "lookup",
      variants: [
        { name: "Map, making the latin1 string", run: each((key) => map.get(key.toString("latin1")) ?? 0) },
        { name: "hash over an arena of bytes", run: each((key) => find(hash, key)) },
        { name: "binary search in sorted latin1 strings", run: each((key) => search(sorted, key.toString("latin1"))) }
      ]
    }
  ]
}

const mapOf = (keys: ReadonlyArray<Buffer>): Map<string, number> => {
  const map = new Map<string, number>()
  for (const [index, key] of keys.entries()) map.set(key.toString("latin1"), index)
  return map
}

/** Open addressing: a slot holds the number of a key in the arena. */
interface Hash {
  readonly slots: Int32Array
  readonly arena: Uint8Array
}

const hashOf = (keys: ReadonlyArray<Buffer>): Hash => {
  const hash: Hash = {
    slots: new Int32Array(slotCount).fill(empty),
    arena: new Uint8Array(keys.length * Key.lengthBytes)
  }
  for (const [index, key] of keys.entries()) {
    hash.arena.set(key, index * Key.lengthBytes)
    let slot = slotOf(key)
    while (hash.slots[slot] !== empty) slot = (slot + 1) & (slotCount - 1)
    hash.slots[slot] = index
  }
  return hash
}

const find = ({ arena, slots }: Hash, key: Uint8Array): number => {
  for (let slot = slotOf(key); ; slot = (slot + 1) & (slotCount - 1)) {
    const index = slots[slot] as number
    if (index === empty) return empty
    const start = index * Key.lengthBytes
    let i = 0
    while (i < Key.lengthBytes && arena[start + i] === key[i]) i++
    if (i === Key.lengthBytes) return index
  }
}

/** FNV-1a, folded. */
const slotOf = (key: Uint8Array): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < Key.lengthBytes; i++) hash = Math.imul(hash ^ (key[i] as number), 0x01000193)
  return (hash ^ (hash >>> 15)) & (slotCount - 1)
}

const search = (sorted: ReadonlyArray<string>, key: string): number => {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] as string) < key) low = middle + 1
    else high = middle
  }
  return low
}
