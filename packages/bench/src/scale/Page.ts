/**
 * The page around the plots: tables of every curve, what dominates each workload, and
 * what was left out.
 */
import * as Table from "../Table.ts"
import * as Workloads from "../Workloads.ts"
import * as Growth from "./Growth.ts"
import type { Plot } from "./Plot.ts"
import type { Curve, Quantity, ScaleReport } from "./ScaleReport.ts"

export const markdown = (report: ScaleReport, plots: ReadonlyArray<Pick<Plot, "id" | "title">>): string =>
  [
    "# Cost as work grows",
    `Written by \`pnpm bench plots\` from a report of \`pnpm bench scale\`; not to be edited. ${setting(report)}`,
    "Figures are microseconds of wall time per operation, medians of the runs of one point; what an operation is, and what" +
      " is kept still while something else grows, stands in [the package](../../packages/bench/README.md). Lines in the" +
      " plots reach from the fastest run to the slowest.",
    "## Entries",
    ofEntries(curvesBy(report, "entries")),
    "The exponent is the slope of log cost over log n: 0 is a cost that stays the same, 1 one that follows n. Beside it, the" +
      " exponent of log n over the same sizes.",
    ...dominating(report),
    ...(["lanes", "heldScans", "level0Tables"] as const).flatMap((by) => of(report, by)),
    "## Plots",
    ...plots.map(({ id, title }) => `![${title}](${id}.svg)`),
    ...leftOut(report)
  ].join("\n\n") + "\n"

const setting = ({ at, cpus, engine, memoryGiB, mode, node, processor, ...report }: ScaleReport): string =>
  `${engine}, Node ${node}, ${cpus} x ${processor}, ${memoryGiB} GiB, ${at.slice(0, 10)}: values of ${report.valueBytes} B,` +
  ` ${report.store} store, mode \`${mode}\`.`

const curvesBy = ({ curves }: ScaleReport, by: Quantity): ReadonlyArray<Curve> =>
  curves.filter((curve) => curve.by === by && curve.points.length > 0)

const ofEntries = (curves: ReadonlyArray<Curve>): string => {
  const sizes = valuesOf(curves)
  return Table.table(
    ["workload", ...sizes.map(count), "exponent", "of log n", "at most as log n"],
    curves.map((curve) => {
      const growth = growthOf(curve)
      return [
        `\`${curve.workload}\``,
        ...costs(curve, sizes),
        decimals(growth?.exponent),
        decimals(growth?.ofLogarithm),
        growth === undefined ? "-" : growth.exponent <= growth.ofLogarithm ? "yes" : "no"
      ]
    })
  )
}

/** `undefined` with fewer than two points. */
export const growthOf = ({ points }: Pick<Curve, "points">) => {
  const exponent = Growth.exponent(
    points.map(({ at, microsPerOperation }) => ({ n: at, cost: microsPerOperation.median }))
  )
  const ofLogarithm = Growth.exponentOfLogarithm(points.map(({ at }) => at))
  return exponent === undefined || ofLogarithm === undefined ? undefined : { exponent, ofLogarithm }
}

/** One line for each workload. */
const dominating = (report: ScaleReport): ReadonlyArray<string> => {
  const lines = curvesBy(report, "entries").map(
    ({ workload }) => `- \`${workload}\`: ${Workloads.byName[workload].dominatedBy}.`
  )
  return lines.length === 0 ? [] : ["What dominates:", lines.join("\n")]
}

const sections: Readonly<Record<Exclude<Quantity, "entries">, { readonly title: string; readonly note: string }>> = {
  lanes: { title: "Lanes", note: "The lanes share one thread: they save only what they can wait for together." },
  heldScans: {
    title: "Scans that are begun and held open",
    note: "From its first scan on a memtable keeps its keys in order, which every put pays for; more scans are to add nothing."
  },
  level0Tables: {
    title: "Tables of level 0 that span all keys",
    note: "A get asks one filter per table at most; a put looks at none."
  }
}

const of = (report: ScaleReport, by: keyof typeof sections): ReadonlyArray<string> => {
  const curves = curvesBy(report, by)
  if (curves.length === 0) return []
  const values = valuesOf(curves)
  const rows = curves.map((curve) => [`\`${curve.workload}\``, ...costs(curve, values), factor(curve)])
  return [
    `## ${sections[by].title}`,
    `At ${count(report.entries)} entries. ${sections[by].note}`,
    Table.table(["workload", ...values.map(count), "last to first"], rows)
  ]
}

/** How many times the cost of the first point the last one has. */
const factor = ({ points }: Curve): string => {
  const first = points[0]
  const last = points.at(-1)
  if (first === undefined || last === undefined || first === last) return "-"
  return `${Table.figure(last.microsPerOperation.median / first.microsPerOperation.median)}x`
}

const valuesOf = (curves: ReadonlyArray<Curve>): ReadonlyArray<number> =>
  [...new Set(curves.flatMap(({ points }) => points.map(({ at }) => at)))].toSorted((a, b) => a - b)

const costs = ({ points }: Curve, values: ReadonlyArray<number>): ReadonlyArray<string> =>
  values.map((value) => Table.figure(points.find(({ at }) => at === value)?.microsPerOperation.median))

const leftOut = ({ curves }: ScaleReport): ReadonlyArray<string> => {
  const lines = curves.flatMap(({ by, omitted, workload }) =>
    omitted.map(({ at, reason }) => `- \`${workload}\`, ${by} ${count(at)}: ${reason}`)
  )
  return lines.length === 0 ? [] : ["## Left out", lines.join("\n")]
}

const count = (value: number): string => value.toLocaleString("en-US")
const decimals = (value: number | undefined): string =>
  value === undefined ? "-" : value.toFixed(2).replace("-0.00", "0.00")
