/**
 * What this Node can do at most for the parts of an engine's work: bounds to hold a
 * design against, not measurements of any engine.
 *
 * Variants of one limit are interleaved, and their medians shown. A figure is only
 * to be compared with others of the same limit.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Flag from "effect/cli/Flag"
import * as Garbage from "./Garbage.ts"
import type { Limit, Variant } from "./limits/Limit.ts"
import * as Bytes from "./limits/Bytes.ts"
import * as Checksums from "./limits/Checksums.ts"
import * as Codecs from "./limits/Codecs.ts"
import * as Comparisons from "./limits/Comparisons.ts"
import * as Effects from "./limits/Effects.ts"
import * as EventLoop from "./limits/EventLoop.ts"
import * as Files from "./limits/Files.ts"
import * as Lookups from "./limits/Lookups.ts"
import * as Merges from "./limits/Merges.ts"
import * as Statistics from "./Statistics.ts"
import * as Stopwatch from "./Stopwatch.ts"
import * as Table from "./Table.ts"

const limits = {
  memcpy: Bytes.limits,
  crc32: Checksums.limits,
  codec: Codecs.limits,
  compare: Comparisons.limits,
  lookup: Lookups.limits,
  merge: Merges.limits,
  fs: Files.limits,
  loop: EventLoop.limits,
  effect: Effects.limits
} as const satisfies Record<string, () => ReadonlyArray<Limit>>
type Name = keyof typeof limits
const names = Object.keys(limits) as ReadonlyArray<Name>

/** One variant of one limit. */
export interface Figure {
  readonly limit: string
  readonly variant: string
  readonly unit: string
  readonly perSecond: Statistics.Summary
  readonly cpuNanosPerUnit: number
}

/** Which limits to measure. */
export const only = Flag.String("only").pipe(
  Flag.map((text) => names.filter((name) => text.split(",").includes(name))),
  Flag.withDefault(names),
  Flag.withDescription(`Comma separated, of ${names.join(",")}`)
)

/** Measures and prints. Inputs of a limit are made when its turn comes. */
export const run = Effect.fnUntraced(function* (chosen: ReadonlyArray<Name>, runs: number) {
  const figures: Array<Figure> = []
  for (const limit of chosen.flatMap((name) => limits[name]())) {
    const measured = yield* Effect.promise(() => measure(limit, runs))
    figures.push(...measured)
    yield* Console.log(`\n### ${limit.title} (median of ${runs})\n\n${table(limit.unit, measured)}`)
  }
  return figures
})

const measure = async (limit: Limit, runs: number): Promise<ReadonlyArray<Figure>> => {
  const samples = limit.variants.map(() => [] as Array<Sample>)
  // The first round only warms up.
  for (let round = 0; round <= runs; round++) {
    for (const [index, variant] of limit.variants.entries()) {
      const sample = await sampled(variant)
      if (round > 0) samples[index]?.push(sample)
    }
  }
  await limit.release?.()
  return limit.variants.flatMap(({ name }, index) => {
    const perSecond = Statistics.summary(samples[index]?.map((sample) => sample.perSecond) ?? [])
    if (perSecond === undefined) return []
    const cpuNanosPerUnit = Statistics.median(samples[index]?.map((sample) => sample.cpuNanosPerUnit) ?? [])
    return [{ limit: limit.title, variant: name, unit: limit.unit, perSecond, cpuNanosPerUnit }]
  })
}

interface Sample {
  readonly perSecond: number
  readonly cpuNanosPerUnit: number
}

const sampled = async ({ run }: Variant): Promise<Sample> => {
  Garbage.collect()
  const stop = Stopwatch.start()
  const units = await run()
  const { cpuMicros, nanoseconds } = stop()
  return { perSecond: (units / nanoseconds) * 1e9, cpuNanosPerUnit: (cpuMicros * 1e3) / units }
}

const table = (unit: string, figures: ReadonlyArray<Figure>): string =>
  Table.table(
    ["variant", `${unit}/s`, `ns per ${unit}`, `cpu ns per ${unit}`, `best ${unit}/s`],
    figures.map(({ cpuNanosPerUnit, perSecond, variant }) => [
      variant,
      Table.figure(perSecond.median),
      Table.figure(1e9 / perSecond.median),
      Table.figure(cpuNanosPerUnit),
      Table.figure(perSecond.max)
    ])
  )
