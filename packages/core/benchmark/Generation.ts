/**
 * What a generation costs: a put, a get, a scan, the stalls between, and the memory.
 *
 *     node --expose-gc benchmark/Generation.ts [rows] [keys: random | ascending | descending | tenants]
 *
 * Keys of 16 bytes, values of 100. Each figure is the median of three runs on fresh
 * generations, in microseconds of wall time for each operation; `stall` is
 * the longest single append, in milliseconds. Figures with and without an order are
 * not to be compared with those of a whole `Db.put`, which also encodes its WAL row.
 */
import { Step } from "../src/internal/lsm/Cursor.ts"
import { ByteCopies } from "../src/internal/lsm/ByteCopies.ts"
import { Generation } from "../src/internal/lsm/Generation.ts"
import { Kind, neverExpires, RowView } from "../src/internal/model/RowEntry.ts"

const rows = Number(process.argv[2] ?? 600_000)
const keyKind = process.argv[3] ?? "random"
const keyBytes = 16
const value = new Uint8Array(100).fill(7)
const all = Infinity

/** Spreads whole numbers so that neighbours have nothing in common. */
const mixed = (n: number): number => {
  let mixing = Math.imul(n ^ (n >>> 16), 0x85ebca6b)
  mixing = Math.imul(mixing ^ (mixing >>> 13), 0xc2b2ae35)
  return (mixing ^ (mixing >>> 16)) >>> 0
}

/** All keys, one behind the other: making them is not what is measured. */
const makeKeys = (): Uint8Array => {
  const keys = new Uint8Array(rows * keyBytes)
  const encoder = new TextEncoder()
  for (let i = 0; i < rows; i++) {
    const number = keyKind === "ascending" ? i : keyKind === "descending" ? rows - i : mixed(i + 1)
    const prefix = keyKind === "tenants" ? `user${i % 2}:` : "00000:"
    encoder.encodeInto(`${prefix}${String(number).padStart(10, "0")}`, keys.subarray(i * keyBytes))
  }
  return keys
}

const keys = makeKeys()
const order = Uint32Array.from({ length: rows }, (_, i) => mixed(i + 77) % rows)

const elapsed = (run: () => void): number => {
  const before = process.hrtime.bigint()
  run()
  return Number(process.hrtime.bigint() - before) / 1000
}

const append = (generation: Generation, row: number): void => {
  const at = row * keyBytes
  generation.append(keys, at, at + keyBytes, value, 0, value.length, row + 1, Kind.put, 1, neverExpires)
}

const fill = (generation: Generation): void => {
  for (let row = 0; row < rows; row++) append(generation, row)
}

const longestAppend = (generation: Generation): number => {
  let longest = 0
  for (let row = 0; row < rows; row++) {
    const before = performance.now()
    append(generation, row)
    longest = Math.max(longest, performance.now() - before)
  }
  return longest
}

const scan = (generation: Generation, descending: boolean): void => {
  const cursor = generation.cursor({ maxSequence: all, descending })
  while (cursor.next() === Step.row) {
    // Walking is all.
  }
}

const view = new RowView()
const copies = new ByteCopies()

const get = (generation: Generation): void => {
  let bytes = 0
  for (const row of order) {
    const at = row * keyBytes
    generation.view(generation.find(keys, at, at + keyBytes, all), view)
    bytes += copies.copy(view.value, view.valueStart, view.valueEnd).length
  }
  if (bytes !== rows * value.length) throw new Error("a key was not found")
}

const find = (generation: Generation): void => {
  let found = 0
  for (const row of order) {
    const at = row * keyBytes
    if (generation.find(keys, at, at + keyBytes, all) !== -1) found++
  }
  if (found !== rows) throw new Error("a key was not found")
}

const seeks = 50_000
const seek = (generation: Generation): void => {
  for (let i = 0; i < seeks; i++) {
    const at = (order[i] as number) * keyBytes
    const cursor = generation.cursor({ start: keys.subarray(at, at + keyBytes), maxSequence: all })
    for (let row = 0; row < 10; row++) cursor.next()
  }
}

const make = (): Generation => Generation.make({ hashSeed: 12345 })
const ordered = (): Generation => {
  const generation = make()
  generation.prepareOrder(1)
  return generation
}

const slices = (generation: Generation): { readonly total: number; readonly longest: number } => {
  let total = 0
  let longest = 0
  for (;;) {
    const before = performance.now()
    const isComplete = generation.prepareOrder(100_000)
    const slice = (performance.now() - before) * 1000
    total += slice
    longest = Math.max(longest, slice)
    if (isComplete) break
  }
  return { total, longest }
}

const results: Record<string, Array<number>> = {}
const note = (name: string, figure: number): void => {
  ;(results[name] ??= []).push(figure)
}

for (let run = 0; run < 3; run++) {
  globalThis.gc?.()
  const before = process.memoryUsage()
  const plain = make()
  note("put, no order (us)", elapsed(() => fill(plain)) / rows)
  note("find (us)", elapsed(() => find(plain)) / rows)
  note("get with a copy (us)", elapsed(() => get(plain)) / rows)
  globalThis.gc?.()
  const after = process.memoryUsage()
  note("resident, no order (MiB)", (after.rss - before.rss) / 2 ** 20)
  note("heap, no order (MiB)", (after.heapUsed - before.heapUsed) / 2 ** 20)
  note("allocated, no order (MiB)", plain.allocatedBytes / 2 ** 20)
  const { longest, total } = slices(plain)
  note("build the order (us a row)", total / rows)
  note("longest slice of it (ms)", longest / 1000)
  note("scan (us)", elapsed(() => scan(plain, false)) / rows)
  note("scan backwards (us)", elapsed(() => scan(plain, true)) / rows)
  note("seek and 10 (us)", elapsed(() => seek(plain)) / seeks)
  const kept = ordered()
  note("put, order kept (us)", elapsed(() => fill(kept)) / rows)
  note("allocated, order kept (MiB)", kept.allocatedBytes / 2 ** 20)
  note("scan, order kept (us)", elapsed(() => scan(kept, false)) / rows)
  const stalled = ordered()
  note("stall of a put, order kept (ms)", longestAppend(stalled))
}

for (const [name, figures] of Object.entries(results)) {
  const sorted = figures.toSorted((a, b) => a - b)
  const figure = sorted[sorted.length >> 1] as number
  console.log(
    `${name.padEnd(36)} ${figure.toFixed(2).padStart(9)}   ${sorted.map((each) => each.toFixed(2)).join(" ")}`
  )
}
