/**
 * Reads what code allocates on the heap of V8, and what it leaves there.
 *
 * Bytes of array buffers do not count: arenas and blocks are those. The process must
 * run with `--expose-gc`, and with a young generation that one round does not fill:
 * then nothing is collected between two readings, and their difference is exact.
 */
import * as v8 from "node:v8"
import { collect } from "../Garbage.ts"

const rounds = 5

const used = (): number => v8.getHeapStatistics().used_heap_size

/**
 * Bytes that one operation allocates: of some rounds of `operations` the least, as what the first ones allocate besides,
 * feedback of the interpreter above all, is not theirs.
 */
export const allocated = async (operations: number, round: (number: number) => Promise<void>): Promise<number> => {
  let least = Infinity
  for (let number = 0; number < rounds; number++) {
    collect()
    const before = used()
    await round(number)
    least = Math.min(least, used() - before)
  }
  if (least < 0) throw new Error("garbage was collected in the middle of a round: it allocates too much")
  return least / operations
}

/** Bytes that are left of each of so many things after a full collection. */
export const left = async (count: number, make: () => Promise<unknown>): Promise<number> => {
  collect()
  const before = used()
  const made = await make()
  collect()
  const after = used()
  // The read keeps it alive until here.
  return made === undefined ? Infinity : (after - before) / count
}
