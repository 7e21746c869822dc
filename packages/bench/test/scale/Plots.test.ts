import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Page from "../../src/scale/Page.ts"
import * as Plots from "../../src/scale/Plots.ts"
import * as ScaleReport from "../../src/scale/ScaleReport.ts"
import * as Table from "../../src/Table.ts"
import * as Workloads from "../../src/Workloads.ts"

const point = (at: number, micros: number): ScaleReport.Point => ({
  at,
  runs: 5,
  microsPerOperation: { median: micros, min: micros / 2, max: micros * 2 },
  cpuMicrosPerOperation: micros,
  p50Micros: micros,
  p99Micros: undefined,
  rssMiB: 100,
  level0Tables: 1
})

const report: ScaleReport.ScaleReport = {
  engine: "effect-slatedb 0.1.0",
  node: "v24.0.0",
  processor: "some processor",
  cpus: 2,
  memoryGiB: 8,
  at: "2026-01-02T03:04:05.678Z",
  valueBytes: 100,
  entries: 100_000,
  seconds: 0.5,
  mode: "best",
  store: "memory",
  settings: { l0_max_ssts: 4, compactor_options: null },
  curves: [
    {
      workload: "readrandom",
      by: "entries",
      points: [point(1e4, 2), point(1e6, 2)],
      omitted: [{ at: 1e7, reason: "not enough memory" }]
    },
    { workload: "overwrite", by: "entries", points: [point(1e4, 1), point(1e5, 2), point(1e6, 4)], omitted: [] },
    { workload: "readseq", by: "entries", points: [], omitted: [{ at: 1e4, reason: "it failed" }] },
    { workload: "readrandom", by: "lanes", points: [point(1, 3), point(256, 6)], omitted: [] },
    { workload: "readrandom", by: "level0Tables", points: [point(1, 2), point(8, 5)], omitted: [] }
  ]
}

const page = Plots.files(report).get("README.md") ?? ""

describe("ScaleReport", () => {
  it.effect("comes back from the JSON that it is written as", () =>
    Effect.gen(function* () {
      const read = yield* ScaleReport.decode(Table.json(report, 1))
      assert.deepStrictEqual(Plots.files(read), Plots.files(report))
      assert.deepStrictEqual(read.curves[0]?.omitted, report.curves[0]?.omitted)
    })
  )

  it.effect("is not any other JSON", () =>
    Effect.gen(function* () {
      for (const text of ["", "{}", Table.json({ ...report, curves: [{ workload: "readrandom" }] })]) {
        assert.strictEqual((yield* Effect.flip(ScaleReport.decode(text)))._tag, "SchemaError")
      }
    })
  )
})

describe("Plots", () => {
  it("are one of each workload that was measured, and one of what lies beside it", () => {
    assert.deepStrictEqual([...Plots.files(report).keys()].toSorted(), [
      "README.md",
      "level-0.svg",
      "overwrite.svg",
      "readrandom.svg"
    ])
  })

  it("are the same bytes for the same report", () => {
    assert.deepStrictEqual(Plots.files(report), Plots.files(report))
  })

  it("hold entries against log n from the first point on, and lanes against nothing", () => {
    const svg = Plots.files(report).get("readrandom.svg") ?? ""
    const [start] = /class="curve" points="([^ ]+)/.exec(svg)?.slice(1) ?? []
    assert.include(svg, `class="reference" points="${start} `)
    assert.strictEqual(svg.split('class="reference"').length, 2)
    assert.include(svg, "2.00 at 10,000, 2.00 at 1,000,000. 100,000 entries, microseconds by lanes: 3.00 at 1")
  })
})

describe("Page", () => {
  it("says what each workload costs, and whether it grows faster than log n", () => {
    assert.include(
      page,
      [
        "| workload | 10,000 | 100,000 | 1,000,000 | exponent | of log n | at most as log n |",
        "|---|---:|---:|---:|---:|---:|---:|",
        "| `readrandom` | 2.00 | - | 2.00 | 0.00 | 0.09 | yes |",
        "| `overwrite` | 1.00 | 2.00 | 4.00 | 0.30 | 0.09 | no |"
      ].join("\n")
    )
    assert.notInclude(page, "`readseq` |")
  })

  it("says what dominates each of them", () => {
    assert.include(page, `- \`overwrite\`: ${Workloads.byName.overwrite.dominatedBy}.`)
  })

  it("compares the last point of what is varied beside entries with the first", () => {
    assert.include(page, "a put looks at none.\n\n| workload | 1 | 8 | last to first |")
    assert.include(page, "| `readrandom` | 2.00 | 5.00 | 2.50x |")
  })

  it("names what was left out, with the reason", () => {
    assert.include(
      page,
      "- `readrandom`, entries 10,000,000: not enough memory\n- `readseq`, entries 10,000: it failed"
    )
  })

  it("shows every plot", () => {
    for (const name of ["overwrite", "readrandom", "level-0"]) assert.include(page, `(${name}.svg)`)
  })

  it("has no growth for a single point", () => {
    assert.isUndefined(Page.growthOf({ points: [point(10, 1)] }))
  })
})
