import { assert, describe, it } from "@effect/vitest"
import * as TestReport from "../TestReport.ts"

const file = (name: string, ...statuses: ReadonlyArray<string>) => ({
  name: `packages/core/test/${name}`,
  status: statuses.includes("failed") ? "failed" : "passed",
  message: "",
  assertionResults: statuses.map((status, index) => ({ fullName: `test ${index}`, status }))
})

const full = [
  file("Db.test.ts", "passed", "skipped"),
  file("S3.integration.test.ts", "passed"),
  file("Engine.interop.test.ts", "passed", "passed")
]

const summarise = (...testResults: TestReport.Report["testResults"]) => TestReport.summarise({ testResults })

describe("TestReport", () => {
  it("counts what the runner counted", () => {
    const { all, byKind, problems } = summarise(...full)
    assert.deepStrictEqual(all, { files: 3, passed: 4, failed: 0, skipped: 1 })
    assert.deepStrictEqual(byKind.get("interoperation"), { files: 1, passed: 2, failed: 0, skipped: 0 })
    assert.isEmpty(problems)
  })

  it("a required kind that was not run, or only in part, is a problem", () => {
    assert.deepStrictEqual(summarise(...full.slice(0, 2)).problems, ["no interoperation test was run"])
    assert.deepStrictEqual(summarise(...full, file("More.integration.test.ts", "skipped")).problems, [
      "1 S3 tests were skipped"
    ])
  })

  it("a file that did not load is a failure, although it has no tests", () => {
    const broken = { ...file("Broken.test.ts"), status: "failed", message: "cannot find module" }
    const { all, problems } = summarise(...full, broken)
    assert.strictEqual(all.failed, 1)
    assert.deepStrictEqual(problems, [
      "the test file did not load: file=packages/core/test/Broken.test.ts cannot find module"
    ])
  })

  it("a run of nothing is a problem", () => assert.include(summarise().problems, "no test was run"))
})
