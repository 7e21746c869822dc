/**
 * Says what a test run did.
 *
 *     node scripts/test-report.ts FILE             by kind; fails if a required kind was not run in full
 *     node scripts/test-report.ts FILE --totals    one line: `N passed, N failed`
 */
import * as NodeFs from "node:fs"
import * as TestReport from "./TestReport.ts"
import * as Workspace from "./Workspace.ts"

const [file = ""] = process.argv.slice(2)
const report: TestReport.Report = JSON.parse(NodeFs.readFileSync(file, "utf8"))
const { all, byKind, problems } = TestReport.summarise(report)

if (process.argv.includes("--totals")) {
  console.log(`${all.passed} passed, ${all.failed} failed`)
} else {
  for (const [kind, counts] of byKind) console.log(`${kind}: ${TestReport.say(counts)}`)
  Workspace.finish(problems, `all: ${TestReport.say(all)}`)
}
