/**
 * The gate of allocations: runs the workloads in a process of its own, with flags
 * that make their figures repeat, and compares these with the stored budget.
 *
 *     pnpm budget            fails when a workload allocates more than its budget
 *     pnpm budget --write    stores what was measured
 */
import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as Budget from "./Budget.ts"

const stored = fileURLToPath(new URL("../../budget.json", import.meta.url))
const worker = fileURLToPath(new URL("./worker.ts", import.meta.url))

/**
 * Only the interpreter: it allocates the same whatever was called how often before. That is more than compiled code
 * does, as every number beyond small integers is an object: figures are to be compared with each other only. A young
 * generation that no round fills: between two readings of the heap nothing is collected.
 */
const flags = [
  "--expose-gc",
  "--no-opt",
  "--no-maglev",
  "--no-sparkplug",
  "--no-lazy-feedback-allocation",
  "--min-semi-space-size=128",
  "--max-semi-space-size=128",
  "--disable-warning=ExperimentalWarning"
]

const budget: Budget.Budget = JSON.parse(readFileSync(stored, "utf8"))
const figures: Budget.Figures = JSON.parse(execFileSync(process.execPath, [...flags, worker], { encoding: "utf8" }))

process.stdout.write(`${"bytes for one operation".padEnd(44)}${"now".padStart(10)}${"budget".padStart(10)}\n`)
process.stdout.write(`${Budget.report(budget, figures)}\n`)
if (process.argv.includes("--write")) {
  writeFileSync(stored, `${JSON.stringify(Budget.withFigures(budget, figures), undefined, 2)}\n`)
  process.stdout.write(`written: ${stored}\n`)
} else {
  const complaints = Budget.complaints(budget, figures)
  for (const complaint of complaints) process.stderr.write(`\nbudget: ${complaint}\n`)
  if (complaints.length > 0) process.exitCode = 1
}
