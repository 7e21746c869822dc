/**
 * Seeded runs of a database against the model: random writes, reads, flushes,
 * crashes, takeovers, compactions and collections by others, under a store that fails,
 * delays, loses answers and lists late. All time is virtual, all chance comes from the
 * seed. A failing seed is added to `knownSeeds` with what it found.
 *
 * `SLATEDB_SEEDS=1000-1999` runs others.
 */
import { describe, it } from "@effect/vitest"
import { simulate } from "./Simulate.ts"

const knownSeeds: ReadonlyArray<number> = [
  // The tick of the WAL came again and again at the end of a window, and no time passed.
  38
]

const range = /^(\d+)-(\d+)$/.exec(process.env["SLATEDB_SEEDS"] ?? "")
const first = Number(range?.[1] ?? 1)
const last = Number(range?.[2] ?? 25)
const seeds = [...knownSeeds, ...Array.from({ length: last - first + 1 }, (_, i) => first + i)]

describe("simulation", () => {
  it.effect.each(seeds)("seed %i agrees with the model", (seed) => simulate(seed, 150))
})
