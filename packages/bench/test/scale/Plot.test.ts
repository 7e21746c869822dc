import { assert, describe, it } from "@effect/vitest"
import * as Axis from "../../src/scale/Axis.ts"
import * as Plot from "../../src/scale/Plot.ts"

const still = (median: number) => ({ median, min: median, max: median })

const plot: Plot.Plot = {
  id: "get",
  title: 'get: a < b & "c"',
  description: "1 at 10",
  cost: Axis.logarithmic("us", [1, 100]),
  panels: [
    {
      title: "1 lane",
      axis: Axis.logarithmic("entries", [10, 1000]),
      weight: 2,
      dots: [
        { x: 10, cost: { median: 10, min: 1, max: 100 }, label: "ten" },
        { x: 1000, cost: still(1), label: "one" }
      ],
      reference: {
        name: "log n",
        points: [
          [10, 10],
          [1000, 100]
        ]
      }
    },
    { title: "10 entries", axis: Axis.row("lanes", [1, 16]), weight: 1, dots: [{ x: 16, cost: still(10), label: "L" }] }
  ]
}

/** What is drawn with this class, in order. */
const drawn = (svg: string, kind: string): ReadonlyArray<string> =>
  svg.split("\n").filter((line) => line.includes(` class="${kind}"`))

describe("Plot", () => {
  const svg = Plot.svg(plot)

  it("is the same text for the same plot", () => {
    assert.strictEqual(Plot.svg(structuredCloneOf(plot)), svg)
    assert.isTrue(svg.endsWith("</svg>\n"))
  })

  it("has a name and a description for those who do not see it", () => {
    assert.include(svg, 'role="img" aria-labelledby="get-title get-description"')
    assert.include(svg, '<desc id="get-description">1 at 10</desc>')
  })

  it("escapes what it is given", () => {
    assert.include(svg, '<title id="get-title">get: a &lt; b &amp; &quot;c&quot;</title>')
  })

  it("closes every element", () => {
    const open: Array<string> = []
    for (const [, close, name, self] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
      if (close === "/") assert.strictEqual(open.pop(), name)
      else if (self !== "/") open.push(name ?? "")
    }
    assert.deepStrictEqual(open, [])
  })

  it("places the cost upwards from the bottom and the quantity to the right", () => {
    assert.deepStrictEqual(drawn(svg, "dot"), [
      '<circle class="dot" cx="88" cy="174" r="3.5"/>',
      '<circle class="dot" cx="440" cy="284" r="3.5"/>',
      '<circle class="dot" cx="680" cy="174" r="3.5"/>'
    ])
  })

  it("draws a line from the fastest run to the slowest", () => {
    assert.strictEqual(drawn(svg, "range")[0], '<line class="range" x1="88" y1="284" x2="88" y2="64"/>')
  })

  it("draws the reference beside the curve, and names it", () => {
    assert.deepStrictEqual(drawn(svg, "reference"), ['<polyline class="reference" points="88,174 440,64"/>'])
    assert.match(drawn(svg, "reference-name").join(""), />···· log n</)
  })

  it("labels both axes, the cost once", () => {
    for (const [label, times] of [
      ["us", 1],
      ["entries", 1],
      ["lanes", 1],
      ["100", 1]
    ] as const) {
      assert.strictEqual(svg.split(`>${label}</text>`).length - 1 - (label === "100" ? 1 : 0), times, label)
    }
  })

  it("divides the width by the weights", () => {
    const [first, second] = Plot.boxes(plot.panels)
    assert.deepStrictEqual(
      [first, second],
      [
        { left: 64, right: 464 },
        { left: 504, right: 704 }
      ]
    )
  })
})

/** The same plot made of other objects. */
function structuredCloneOf({ panels, ...rest }: Plot.Plot): Plot.Plot {
  return { ...rest, panels: panels.map((panel) => ({ ...panel, dots: panel.dots.map((dot) => ({ ...dot })) })) }
}
