import { defineConfig } from "vitest/config"

const project = (root: string) => ({
  extends: true as const,
  root,
  test: { name: root.replace("packages/", ""), include: ["test/**/*.test.ts"] }
})

// Where to leave the run's figures for scripts/test-report.ts, besides the terminal.
const report = process.env["SLATEDB_TEST_REPORT"]

export default defineConfig({
  test: {
    reporters: report === undefined ? ["default"] : ["default", ["json", { outputFile: report }]],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      "packages/core",
      "packages/store-memory",
      "packages/store-fs",
      "packages/store-s3",
      "packages/platform-node",
      "packages/testkit",
      "packages/cli",
      "packages/bench",
      "examples",
      "scripts"
    ].map(project)
  }
})
