/**
 * The files that a report of `bench scale` is shown with: a plot per workload, two of
 * what is open or lies beside an operation, and a page of tables around them.
 *
 * A pure function of the report: the same report gives the same bytes.
 */
import * as Workloads from "../Workloads.ts"
import * as Axis from "./Axis.ts"
import * as Growth from "./Growth.ts"
import * as Page from "./Page.ts"
import type { Dot, Panel, Plot } from "./Plot.ts"
import * as PlotText from "./Plot.ts"
import { figure } from "../Table.ts"
import type { Curve, Quantity, ScaleReport } from "./ScaleReport.ts"
import { curve } from "./ScaleReport.ts"

/** Contents by file name. */
export const files = (report: ScaleReport): ReadonlyMap<string, string> => {
  const plots = [...ofWorkloads(report), ...besides(report)]
  return new Map([
    ...plots.map((plot) => [`${plot.id}.svg`, PlotText.svg(plot)] as const),
    ["README.md", Page.markdown(report, plots)]
  ])
}

const ofWorkloads = (report: ScaleReport): ReadonlyArray<Plot> =>
  Workloads.names.flatMap((workload) => {
    const panels = [curve(report, workload, "entries"), curve(report, workload, "lanes")].flatMap((each) =>
      each === undefined ? [] : [each.by === "entries" ? overEntries(each) : overFew(each, laneTitle(report))]
    )
    return panels.length === 0 ? [] : [plot(workload, `${workload}: cost of one operation`, panels)]
  })

const laneTitle = ({ entries }: ScaleReport): string => `${entries.toLocaleString("en-US")} entries`

/** What must not weigh on a put or a get. */
const besides = (report: ScaleReport): ReadonlyArray<Plot> =>
  (
    [
      ["held-scans", "heldScans", "Scans that are held open"],
      ["level-0", "level0Tables", "Tables of level 0"]
    ] as const
  ).flatMap(([id, by, title]) => {
    const panels = (["overwrite", "readrandom"] as const).flatMap((workload) => {
      const each = curve(report, workload, by)
      return each === undefined ? [] : [overFew(each, workload)]
    })
    return panels.length === 0 ? [] : [plot(id, `${title}: cost of one operation`, panels)]
  })

const plot = (id: string, title: string, panels: ReadonlyArray<Panel>): Plot => ({
  id,
  title,
  description: panels.map(described).join(". "),
  cost: Axis.logarithmic("microseconds per operation", panels.flatMap(costs)),
  panels
})

/** The plot in words, for who does not see it. */
const described = ({ axis, dots, title }: Panel): string =>
  `${title}, microseconds by ${axis.label}: ${dots.map(({ label, x }) => `${label} at ${x.toLocaleString("en-US")}`).join(", ")}`

const costs = ({ dots, reference }: Panel): ReadonlyArray<number> => [
  ...dots.flatMap(({ cost }) => [cost.min, cost.max]),
  ...(reference?.points ?? []).map(([, cost]) => cost)
]

const overEntries = (each: Curve): Panel => {
  const panel = {
    title: "1 lane",
    axis: Axis.logarithmic(
      quantityNames.entries,
      each.points.map(({ at }) => at)
    ),
    weight: 2,
    dots: dotsOf(each)
  }
  const [first] = each.points
  if (first === undefined || each.points.length < 2) return panel
  const points = Growth.logarithmThrough(
    { n: first.at, cost: first.microsPerOperation.median },
    each.points.map(({ at }) => at)
  )
  return { ...panel, reference: { name: "log₂ n", points: points.map(({ cost, n }) => [n, cost] as const) } }
}

const overFew = (each: Curve, title: string): Panel => ({
  title,
  axis: Axis.row(
    quantityNames[each.by],
    each.points.map(({ at }) => at)
  ),
  weight: 1,
  dots: dotsOf(each)
})

const quantityNames: Readonly<Record<Quantity, string>> = {
  entries: "entries",
  lanes: "lanes",
  heldScans: "held scans",
  level0Tables: "tables of level 0"
}

const dotsOf = ({ points }: Curve): ReadonlyArray<Dot> =>
  points.map(({ at, microsPerOperation }) => ({
    x: at,
    cost: microsPerOperation,
    label: figure(microsPerOperation.median)
  }))
