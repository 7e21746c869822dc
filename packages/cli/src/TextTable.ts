/** Rows of words in columns, as wide as they need and no wider than the screen. */
import { CliOutput } from "effect/cli"

export interface Column {
  readonly title: string
  readonly align?: "left" | "right" | undefined
}

/** Lines without trailing spaces; the last column is cut where the screen ends. */
export const render = (
  columns: ReadonlyArray<Column>,
  rows: ReadonlyArray<ReadonlyArray<string>>,
  columnsMax: number = 80
): ReadonlyArray<string> => {
  const widths = columns.map(({ title }, i) =>
    rows.reduce((most, row) => Math.max(most, width(row[i] ?? "")), width(title))
  )
  const line = (cells: ReadonlyArray<string>): string => {
    const padded = columns.map(({ align }, i) => pad(cells[i] ?? "", widths[i] ?? 0, align ?? "left"))
    return cut(padded.join("  ").trimEnd(), columnsMax)
  }
  return [line(columns.map(({ title }) => title)), ...rows.map(line)]
}

/** Text of at most so many cells; what is cut off is marked. */
export const cut = (text: string, max: number): string => {
  if (width(text) <= max) return text
  let kept = ""
  for (const character of text) {
    if (width(kept + character) > max - 1) break
    kept += character
  }
  return `${kept}…`
}

const pad = (text: string, to: number, align: "left" | "right"): string => {
  const spaces = " ".repeat(Math.max(0, to - width(text)))
  return align === "left" ? text + spaces : spaces + text
}

/** Cells of a terminal. */
const width = CliOutput.displayWidth
