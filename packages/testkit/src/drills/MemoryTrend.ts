/** How the memory of a process goes: samples of its resident set, and the line through them. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"

export interface Sample {
  readonly minutes: number
  readonly mebibytes: number
}

/** Takes a sample a second, from now until the scope ends. */
export const sample: Effect.Effect<ReadonlyArray<Sample>, never, Scope.Scope> = Effect.gen(function* () {
  const samples: Array<Sample> = []
  const start = yield* Clock.currentTimeMillis
  const take = Effect.map(Clock.currentTimeMillis, (now) => {
    samples.push({ minutes: (now - start) / 60_000, mebibytes: process.memoryUsage.rss() / 1024 ** 2 })
  })
  yield* Effect.forkScoped(Effect.repeat(take, Schedule.spaced("1 second")))
  return samples
})

/** The slope of the least squares line through the later half of the time, in MiB a minute; 0 for fewer than two samples. */
export const slope = (samples: ReadonlyArray<Sample>): number => {
  const half = laterHalf(samples)
  const meanMinutes = mean(half.map(({ minutes }) => minutes))
  const meanMebibytes = mean(half.map(({ mebibytes }) => mebibytes))
  let covariance = 0
  let variance = 0
  for (const { mebibytes, minutes } of half) {
    covariance += (minutes - meanMinutes) * (mebibytes - meanMebibytes)
    variance += (minutes - meanMinutes) ** 2
  }
  return variance === 0 ? 0 : covariance / variance
}

/** The later half, in which a database that lives for years should have found its size. */
const laterHalf = (samples: ReadonlyArray<Sample>): ReadonlyArray<Sample> => {
  const end = samples.at(-1)?.minutes ?? 0
  return samples.filter(({ minutes }) => minutes >= end / 2)
}

const mean = (numbers: ReadonlyArray<number>): number =>
  numbers.reduce((sum, number) => sum + number, 0) / Math.max(1, numbers.length)
