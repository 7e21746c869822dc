import { assert, describe, it } from "@effect/vitest"
import * as Versus from "../../src/lifecycle/Versus.ts"

describe("Versus", () => {
  it("compares figures run by run, and leaves out what was asked for, texts and what is nested", () => {
    const line = (seconds: number) => ({ part: "scan", entries: 5, took: seconds, disk: { wal: 1 }, version: "1" })
    const runs: Versus.Runs = new Map([
      ["a", [[line(1)], [line(4)], [line(2)]]],
      ["b", [[line(3)], [line(4)], [line(1)]]]
    ])
    assert.strictEqual(
      Versus.table(runs),
      ["| median | a | b | b / a |", "|---|---:|---:|---:|", "| took | 2.00 | 3.00 | 1.00x (0.50 to 3.00) |"].join("\n")
    )
  })

  it("tells phases apart, and shows a dash where an engine has no such figure or the ratio is none", () => {
    const runs: Versus.Runs = new Map([
      [
        "a",
        [
          [
            { phase: "put", count: 0, seconds: 3 },
            { phase: "idle", count: 2 }
          ]
        ]
      ],
      ["b", [[{ phase: "put", count: 4 }], undefined]]
    ])
    assert.strictEqual(
      Versus.table(runs),
      [
        "| median | a | b | b / a |",
        "|---|---:|---:|---:|",
        "| put: count | 0.000 | 4.00 | - |",
        "| idle: count | 2.00 | - | - |"
      ].join("\n")
    )
  })
})
