import { assert, describe, it } from "@effect/vitest"
import type { Measurement } from "../src/Protocol.ts"
import * as Report from "../src/Report.ts"
import * as Runner from "../src/Runner.ts"
import * as Table from "../src/Table.ts"

const measured = (operationsPerSecond: number): Measurement => ({
  operations: 10,
  operationsPerSecond,
  microsPerOperation: 1e6 / operationsPerSecond,
  cpuMicrosPerOperation: 2,
  megabytesPerSecond: 3,
  p50Micros: 4,
  p99Micros: undefined,
  rssMiB: 5,
  level0Tables: 1,
  extra: undefined,
  counters: { wal: 1 }
})

describe("Report", () => {
  it("gives the median of the runs' ratios, not the ratio of their medians", () => {
    const baseline = [measured(100), measured(10), measured(1)]
    const engine = [measured(300), measured(20), measured(4)]
    const result = Report.engineResult(engine, baseline, false)
    assert.deepStrictEqual(result?.ratio, { median: 3, min: 2, max: 4 })
    assert.strictEqual(result?.operationsPerSecond.median, 20)
    assert.isUndefined(result?.counters)
  })

  it("says how many runs its figures are made of when some failed", () => {
    const result = Report.engineResult([undefined, measured(20)], [measured(1), measured(10)], true)
    assert.strictEqual(result?.runs, 1)
    assert.deepStrictEqual(result?.ratio, { median: 2, min: 2, max: 2 })
    assert.deepStrictEqual(result?.counters, { operations: 10, counts: { wal: 1 } })
  })

  it("has no result for an engine that failed every run, and no ratio without a baseline", () => {
    assert.isUndefined(Report.engineResult([undefined], [measured(1)], false))
    assert.isUndefined(Report.engineResult([measured(1)], [], false)?.ratio)
  })
})

describe("Runner", () => {
  it("reverses the order of the engines on every second run", () => {
    const names = ["a", "b", "c"]
    assert.deepStrictEqual(Runner.order(names, 0), ["a", "b", "c"])
    assert.deepStrictEqual(Runner.order(names, 1), ["c", "b", "a"])
    assert.deepStrictEqual(Runner.order(names, 2), ["a", "b", "c"])
  })
})

describe("Table", () => {
  it("shows figures with the digits that mean something", () => {
    assert.deepStrictEqual([0.01234, 0.5, 12.34, 1234.5, undefined].map(Table.figure), [
      "0.012",
      "0.50",
      "12.3",
      "1,235",
      "-"
    ])
  })

  it("puts engines side by side: throughput of the baseline, ratios of the others, dashes for the failed", () => {
    const baseline = [measured(1000)]
    const engine = (runs: Report.Runs) => {
      const result = Report.engineResult(runs, baseline, false)
      return result === undefined ? {} : { result }
    }
    const report: Report.Report = {
      node: "v24",
      cpus: 2,
      at: "",
      baseline: "uniffi",
      options: {},
      skipped: {},
      engines: {
        uniffi: { name: "u", version: "1", store: "memory", load: undefined },
        map: { name: "m", version: "1", store: "local", load: undefined },
        level: { name: "l", version: "1", store: "local", load: undefined }
      },
      results: [
        {
          workload: "bencher",
          lanes: 4,
          putPercent: 20,
          failures: {},
          engines: Object.fromEntries(
            Object.entries({ uniffi: engine(baseline), map: engine([measured(3000)]) }).flatMap(([name, { result }]) =>
              result === undefined ? [] : [[name, result]]
            )
          )
        }
      ]
    }
    assert.strictEqual(
      Table.sideBySide(report),
      [
        "| workload | uniffi | map | level |",
        "|---|---:|---:|---:|",
        "| bencher put 20% lanes=4 | 1,000/s (2.00 us) | 3.00x (2.00 us) | - |"
      ].join("\n")
    )
  })
})
