/**
 * The stored budget, and what is said of figures that are above it.
 *
 * Figures are bytes for one operation. They hardly vary from run to run, so the
 * headroom is for changes that are meant, not for noise; a few bytes are free where
 * the budget is close to nothing.
 */
export type Figures = Readonly<Record<string, number>>

export interface Budget {
  readonly headroomPercent: number
  readonly freeBytes: number
  readonly bytesPerOperation: Figures
}

/** How to take a figure that is right after all into the budget. */
export const renew = "pnpm budget --write"

/** What a figure may be at most. */
export const limit = (budget: Budget, bytes: number): number =>
  bytes * (1 + budget.headroomPercent / 100) + budget.freeBytes

/** One message for each workload that is above its budget, or of which one of the two is missing. */
export const complaints = (budget: Budget, figures: Figures): ReadonlyArray<string> => {
  const names = new Set([...Object.keys(budget.bytesPerOperation), ...Object.keys(figures)])
  return Array.from(names).flatMap((name) => {
    const stored = budget.bytesPerOperation[name]
    const bytes = figures[name]
    if (bytes === undefined) return [`"${name}" has a budget, but was not measured; if that is meant: ${renew}`]
    if (stored === undefined) return [`"${name}" has no budget yet: ${renew}`]
    const most = limit(budget, stored)
    return bytes <= most
      ? []
      : [
          `"${name}" allocates ${text(bytes)} bytes for each, above its budget of ${text(stored)} ` +
            `(${budget.headroomPercent} % and ${budget.freeBytes} bytes of headroom: ${text(most)}). ` +
            `Find what allocates, or, if it is worth it, renew the budget and say why in the commit: ${renew}`
        ]
  })
}

/** A line for each figure. */
export const report = (budget: Budget, figures: Figures): string =>
  Object.entries(figures)
    .map(([name, bytes]) => {
      const stored = budget.bytesPerOperation[name]
      return `${name.padEnd(44)}${text(bytes).padStart(10)}${stored === undefined ? "" : text(stored).padStart(10)}`
    })
    .join("\n")

/** The budget with these figures in the place of its own. */
export const withFigures = (budget: Budget, figures: Figures): Budget => ({
  ...budget,
  bytesPerOperation: Object.fromEntries(
    Object.entries(figures).map(([name, bytes]) => [name, Number(bytes.toFixed(1))])
  )
})

const text = (bytes: number): string => bytes.toFixed(1)
