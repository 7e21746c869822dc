/**
 * A plot as the text of an SVG: panels side by side that share the axis of cost.
 *
 *     title
 *     cost | curve, reference    | curve
 *          +-----------------    +--------
 *            quantity of panel     quantity of panel
 *
 * A pure function: the same plot is the same bytes. Colours are of middle lightness
 * and the ground is left free, so that it can be read on light and on dark pages.
 */
import type { Axis } from "./Axis.ts"
import type { Summary } from "../Statistics.ts"

export interface Dot {
  readonly x: number
  readonly cost: Summary
  /** The figure that is written beside it. */
  readonly label: string
}

export interface Panel {
  readonly title: string
  readonly axis: Axis
  /** Its share of the width. */
  readonly weight: number
  readonly dots: ReadonlyArray<Dot>
  /** What the curve is held against: a dotted line with a name. */
  readonly reference?: { readonly name: string; readonly points: ReadonlyArray<readonly [x: number, cost: number]> }
}

export interface Plot {
  /** Names the plot in a page of several. */
  readonly id: string
  readonly title: string
  readonly description: string
  readonly cost: Axis
  readonly panels: ReadonlyArray<Panel>
}

interface Box {
  readonly left: number
  readonly right: number
}

const width = 720
const height = 340
const top = 64
const bottom = height - 56
const marginLeft = 64
const marginRight = 16
const gap = 40
/** Between the sides of a panel and its first and last value. */
const inset = 24

const style = [
  "text{font:12px system-ui,sans-serif;fill:#767e87}",
  ".title{font-size:15px;font-weight:600}",
  ".axis,.tick{stroke:#767e87;fill:none}",
  ".grid{stroke:#767e87;stroke-opacity:.35}",
  ".minor{stroke:#767e87;stroke-opacity:.15}",
  ".curve{stroke:#2f81d8;stroke-width:2;fill:none}",
  ".range{stroke:#2f81d8}",
  ".dot{fill:#2f81d8}",
  ".figure{font-size:11px;fill:#2f81d8}",
  ".reference{stroke:#c4622d;stroke-width:1.5;stroke-dasharray:2 4;fill:none}",
  ".reference-name{font-size:11px;fill:#c4622d}"
].join("")

export const svg = (plot: Plot): string =>
  [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"` +
      ` role="img" aria-labelledby="${plot.id}-title ${plot.id}-description">`,
    `<title id="${plot.id}-title">${escaped(plot.title)}</title>`,
    `<desc id="${plot.id}-description">${escaped(plot.description)}</desc>`,
    `<style>${style}</style>`,
    text({ x: marginLeft, y: 22, class: "title" }, plot.title),
    costLabel(plot.cost),
    ...boxes(plot.panels).flatMap((box, index) => {
      const panel = plot.panels[index]
      return panel === undefined ? [] : drawn(panel, box, plot.cost, index === 0)
    }),
    "</svg>",
    ""
  ].join("\n")

/** The places of the panels from left to right, by their weights. */
export const boxes = (panels: ReadonlyArray<Pick<Panel, "weight">>): ReadonlyArray<Box> => {
  const room = width - marginLeft - marginRight - gap * (panels.length - 1)
  const weights = panels.reduce((sum, { weight }) => sum + weight, 0)
  let left = marginLeft
  return panels.map(({ weight }) => {
    const box = { left, right: left + (room * weight) / weights }
    left = box.right + gap
    return box
  })
}

const drawn = (panel: Panel, box: Box, cost: Axis, isFirst: boolean): ReadonlyArray<string> => {
  const x = (value: number): number => box.left + inset + panel.axis.place(value) * (box.right - box.left - 2 * inset)
  const y = (value: number): number => bottom - cost.place(value) * (bottom - top)
  const across = (kind: string) => (value: number) =>
    line({ class: kind, x1: box.left, y1: y(value), x2: box.right, y2: y(value) })
  const middle = (box.left + box.right) / 2
  return [
    text({ x: box.left, y: top - 12 }, panel.title),
    ...cost.minor.map(across("minor")),
    ...cost.ticks.map(({ value }) => across("grid")(value)),
    ...(isFirst
      ? cost.ticks.map(({ label, value }) => text({ x: box.left - 8, y: y(value) + 4, "text-anchor": "end" }, label))
      : []),
    path("axis", [
      [box.left, top],
      [box.left, bottom],
      [box.right, bottom]
    ]),
    ...panel.axis.ticks.flatMap(({ label, value }) => [
      line({ class: "tick", x1: x(value), y1: bottom, x2: x(value), y2: bottom + 5 }),
      text({ x: x(value), y: bottom + 19, "text-anchor": "middle" }, label)
    ]),
    text({ x: middle, y: bottom + 42, "text-anchor": "middle" }, panel.axis.label),
    ...referenceLine(panel, box, x, y),
    ...curve(panel, x, y)
  ]
}

const referenceLine = (
  { reference }: Panel,
  box: Box,
  x: (value: number) => number,
  y: (cost: number) => number
): ReadonlyArray<string> => {
  if (reference === undefined) return []
  return [
    path(
      "reference",
      reference.points.map(([at, cost]) => [x(at), y(cost)])
    ),
    text({ x: box.right, y: top - 12, "text-anchor": "end", class: "reference-name" }, `···· ${reference.name}`)
  ]
}

/** Figures stand above their dots, or below where the reference is above. */
const curve = (
  { dots, reference }: Panel,
  x: (value: number) => number,
  y: (cost: number) => number
): ReadonlyArray<string> => [
  path(
    "curve",
    dots.map((dot) => [x(dot.x), y(dot.cost.median)])
  ),
  ...dots.flatMap(({ cost, label, x: at }) => {
    const above = reference?.points.find(([of]) => of === at)?.[1] ?? 0
    const place = cost.median < above ? y(cost.min) + 17 : y(cost.max) - 8
    return [
      line({ class: "range", x1: x(at), y1: y(cost.min), x2: x(at), y2: y(cost.max) }),
      element("circle", { class: "dot", cx: x(at), cy: y(cost.median), r: 3.5 }),
      text({ x: x(at), y: place, "text-anchor": "middle", class: "figure" }, label)
    ]
  })
]

/** Upright beside the axis, in the middle of it. */
const costLabel = ({ label }: Axis): string => {
  const place = `translate(16 ${rounded((top + bottom) / 2)}) rotate(-90)`
  return text({ transform: place, "text-anchor": "middle" }, label)
}

type Attributes = Readonly<Record<string, string | number>>

const path = (kind: string, points: ReadonlyArray<readonly [number, number]>): string =>
  element("polyline", { class: kind, points: points.map(([x, y]) => `${rounded(x)},${rounded(y)}`).join(" ") })

const line = (attributes: Attributes): string => element("line", attributes)

const text = (attributes: Attributes, content: string): string =>
  `<text ${written(attributes)}>${escaped(content)}</text>`

const element = (name: string, attributes: Attributes): string => `<${name} ${written(attributes)}/>`

const written = (attributes: Attributes): string =>
  Object.entries(attributes)
    .map(([name, value]) => `${name}="${typeof value === "number" ? rounded(value) : escaped(value)}"`)
    .join(" ")

/** Tenths of a pixel; what is beyond them differs between machines, and nobody sees it. */
const rounded = (value: number): string => String(Math.round(value * 10) / 10)

const escaped = (content: string): string =>
  content.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;")
