/**
 * Axes of the plots: from a value to a place between 0 and 1, and where the ticks
 * are.
 *
 * A logarithmic axis covers whole decades, so that plots of the same quantity look
 * the same and small changes do not look large. A row gives each of a few values a
 * place of its own, the same distance apart: it may begin at 0.
 */

export interface Tick {
  readonly value: number
  readonly label: string
}

export interface Axis {
  readonly label: string
  readonly place: (value: number) => number
  readonly ticks: ReadonlyArray<Tick>
  /** Lines between the ticks, without a label. */
  readonly minor: ReadonlyArray<number>
}

/** An axis over the decades that the values are in; they are above 0, and there is one. */
export const logarithmic = (label: string, values: ReadonlyArray<number>): Axis => {
  const low = Math.floor(Math.log10(Math.min(...values)))
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))))
  const decades = Array.from({ length: high - low + 1 }, (_, i) => low + i)
  return {
    label,
    place: (value) => (Math.log10(value) - low) / (high - low),
    ticks: decades.map((decade) => ({ value: power(decade), label: decadeLabel(decade) })),
    minor: decades.slice(0, -1).flatMap((decade) => [2, 3, 4, 5, 6, 7, 8, 9].map((digit) => product(digit, decade)))
  }
}

/** An axis with a place for each value; a single one is in the middle. */
export const row = (label: string, values: ReadonlyArray<number>): Axis => ({
  label,
  place: (value) => (values.length === 1 ? 0.5 : values.indexOf(value) / (values.length - 1)),
  ticks: values.map((value) => ({ value, label: value.toLocaleString("en-US") })),
  minor: []
})

// Negative powers are divided, as 10 ** -1 and 2 * 0.1 are not what their digits say.
const power = (decade: number): number => product(1, decade)
const product = (digit: number, decade: number): number => (decade < 0 ? digit / 10 ** -decade : digit * 10 ** decade)

/** Plain where it is short, 10⁶ where it is not. */
const decadeLabel = (decade: number): string =>
  decade >= -3 && decade <= 3
    ? String(power(decade))
    : `10${[...String(decade)].map((digit) => superscripts[digit] ?? digit).join("")}`

const superscripts: Readonly<Record<string, string>> = {
  "-": "⁻",
  "0": "⁰",
  "1": "¹",
  "2": "²",
  "3": "³",
  "4": "⁴",
  "5": "⁵",
  "6": "⁶",
  "7": "⁷",
  "8": "⁸",
  "9": "⁹"
}
