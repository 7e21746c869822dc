/**
 * Durations as people write them in files and environments.
 *
 *     "100ms"   "5s"   "1s+500ms"     SlateDB's spelling: whole numbers with a unit, added up
 *     "100 millis"   "2 minutes"      Effect's
 *     250                             milliseconds
 *
 * Whatever else `Duration.Input` allows in code is understood as well.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

type Unit = "ns" | "us" | "ms" | "s" | "m" | "h" | "d"

/** One number with its unit. */
export type Term = `${number | bigint}${Unit}`

/** A duration as settings accept it. */
export type Input = Duration.Input | Term | `${Term}+${Term}`

/** The duration, or `undefined` when the value is none. */
export const parse = (value: unknown): Duration.Duration | undefined => {
  if (typeof value === "string") return parseUnits(value) ?? fromInput(value)
  return typeof value === "number" && Number.isNaN(value) ? undefined : fromInput(value)
}

/** The duration of a value that is one. */
export const of = (input: Input): Duration.Duration => {
  const duration = parse(input)
  if (duration === undefined) throw new Error(`not a duration: input=${String(input)}`)
  return duration
}

/** SlateDB's spelling, exact to the nanosecond. Not for infinite durations. */
export const print = (duration: Duration.Duration): Term => {
  const nanos = Duration.toNanosUnsafe(duration)
  for (const [unit, size] of units) {
    if (nanos % size === 0n) return `${nanos / size}${unit}`
  }
  return `${nanos}ns`
}

const fromInput = (value: unknown): Duration.Duration | undefined =>
  // `fromInput` takes any object for a duration of zero length.
  value === null || (typeof value === "object" && !Duration.isDuration(value) && !isDurationObject(value))
    ? undefined
    : Option.getOrUndefined(Duration.fromInput(value as Duration.Input))

const isDurationObject = (value: object): boolean => {
  const keys = Object.keys(value)
  return keys.length > 0 && (Array.isArray(value) || keys.every((key) => objectUnits.has(key)))
}

const objectUnits = new Set<string>([
  "weeks",
  "days",
  "hours",
  "minutes",
  "seconds",
  "milliseconds",
  "microseconds",
  "nanoseconds"
] satisfies ReadonlyArray<keyof Duration.DurationObject>)

const parseUnits = (text: string): Duration.Duration | undefined => {
  let nanos = 0n
  for (const term of text.split("+")) {
    const match = /^\s*(\d{1,15})\s*(ns|us|ms|s|m|h|d)\s*$/.exec(term)
    const size = unitNanos.get(match?.[2] ?? "")
    if (match?.[1] === undefined || size === undefined) return undefined
    nanos += BigInt(match[1]) * size
  }
  return nanos % 1_000_000n === 0n ? Duration.millis(Number(nanos / 1_000_000n)) : Duration.nanos(nanos)
}

/** Greatest first. What is written stops at seconds. */
const units: ReadonlyArray<readonly [unit: Unit, nanos: bigint]> = [
  ["s", 1_000_000_000n],
  ["ms", 1_000_000n],
  ["us", 1_000n]
]

const unitNanos = new Map<string, bigint>([
  ...units,
  ["ns", 1n],
  ["m", 60_000_000_000n],
  ["h", 3_600_000_000_000n],
  ["d", 86_400_000_000_000n]
])
