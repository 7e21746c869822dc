/** Merging eight sorted runs whose rows lie one after another in bytes. */
import * as Key from "../Key.ts"
import type { Limit } from "./Limit.ts"
import { keep } from "./Limit.ts"

const runCount = 8
const rowsPerRun = 50_000
const valueBytes = 100
const rowBytes = Key.lengthBytes + valueBytes

/** Takes the row at `offset` of `run`. */
type Take = (run: Uint8Array, offset: number) => void

export const limits = (): ReadonlyArray<Limit> => {
  const runs = Array.from({ length: runCount }, (_, run) => rowsOf(run))
  const output = new Uint8Array(runCount * rowsPerRun * rowBytes)
  const copying = (merge: typeof withHeap) => (): number => {
    let end = 0
    const rows = merge(runs, (run, offset) => {
      output.set(run.subarray(offset, offset + rowBytes), end)
      end += rowBytes
    })
    keep(end)
    return rows
  }
  const walking = (merge: typeof withHeap) => (): number => merge(runs, (_, offset) => keep(offset))
  return [
    {
      title: `merge: ${runCount} runs of ${rowsPerRun} rows`,
      unit: "row",
      variants: [
        { name: "binary heap", run: walking(withHeap) },
        { name: "loser tree", run: walking(withLoserTree) },
        { name: "binary heap, rows copied", run: copying(withHeap) },
        { name: "loser tree, rows copied", run: copying(withLoserTree) }
      ]
    }
  ]
}

const rowsOf = (run: number): Uint8Array => {
  const rows = new Uint8Array(rowsPerRun * rowBytes)
  for (let row = 0; row < rowsPerRun; row++) {
    rows.set(Key.make(row * runCount + ((run * 5 + row) % runCount)), row * rowBytes)
  }
  return rows
}

const compare = (a: Uint8Array, from: number, b: Uint8Array, to: number): number => {
  for (let i = 0; i < Key.lengthBytes; i++) {
    const difference = (a[from + i] as number) - (b[to + i] as number)
    if (difference !== 0) return difference
  }
  return 0
}

const withHeap = (runs: ReadonlyArray<Uint8Array>, take: Take): number => {
  const offsets = new Int32Array(runs.length)
  const heap = runs.map((_, run) => run)
  const at = (slot: number): number => heap[slot] as number
  const below = (a: number, b: number): boolean =>
    compare(runs[a] as Uint8Array, offsets[a] as number, runs[b] as Uint8Array, offsets[b] as number) < 0
  const sink = (start: number, size: number): void => {
    for (let slot = start; ;) {
      let child = 2 * slot + 1
      if (child >= size) return
      if (child + 1 < size && below(at(child + 1), at(child))) child++
      if (!below(at(child), at(slot))) return
      const moved = at(slot)
      heap[slot] = at(child)
      heap[child] = moved
      slot = child
    }
  }
  let size = heap.length
  for (let slot = (size >> 1) - 1; slot >= 0; slot--) sink(slot, size)
  let rows = 0
  while (size > 0) {
    const run = at(0)
    const offset = offsets[run] as number
    take(runs[run] as Uint8Array, offset)
    rows++
    offsets[run] = offset + rowBytes
    if (offset + rowBytes === (runs[run] as Uint8Array).length) heap[0] = at(--size)
    sink(0, size)
  }
  return rows
}

const withLoserTree = (runs: ReadonlyArray<Uint8Array>, take: Take): number => {
  const offsets = new Int32Array(runs.length)
  const losers = new Int32Array(runs.length).fill(-1)
  const over = (run: number): boolean => offsets[run] === (runs[run] as Uint8Array).length
  const below = (a: number, b: number): boolean => {
    if (over(a)) return false
    if (over(b)) return true
    return compare(runs[a] as Uint8Array, offsets[a] as number, runs[b] as Uint8Array, offsets[b] as number) < 0
  }
  /** Plays a run up the tree: the winner, or -1 when it waits at a free node. */
  const play = (run: number): number => {
    let winner = run
    for (let node = (run + runs.length) >> 1; node > 0; node >>= 1) {
      const loser = losers[node] as number
      if (loser === -1) {
        losers[node] = winner
        return -1
      }
      if (below(loser, winner)) {
        losers[node] = winner
        winner = loser
      }
    }
    return winner
  }
  let winner = -1
  for (let run = 0; run < runs.length; run++) winner = play(run)
  let rows = 0
  while (!over(winner)) {
    const offset = offsets[winner] as number
    take(runs[winner] as Uint8Array, offset)
    rows++
    offsets[winner] = offset + rowBytes
    winner = play(winner)
  }
  return rows
}
