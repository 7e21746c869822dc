/**
 * What Effect's own diagnostics find and the compiler accepts: an effect that
 * nobody runs, a service that is missing, a generator that lost its `yield*`.
 *
 *     node scripts/effect-diagnostics.ts [package ...]
 *
 * Errors and warnings fail; suggestions are not shown.
 */
import * as NodeFs from "node:fs"
import * as Workspace from "./Workspace.ts"

const projectsOf = (folder: string): ReadonlyArray<string> =>
  ["tsconfig.src.json", "tsconfig.test.json"]
    .map((name) => `${folder}/${name}`)
    .filter((project) => NodeFs.existsSync(Workspace.path(project)))

const wanted = process.argv.slice(2)
const projects = [
  ...Workspace.packages
    .filter(({ folder }) => wanted.length === 0 || wanted.includes(folder.slice("packages/".length)))
    .flatMap(({ folder }) => projectsOf(folder)),
  ...(wanted.length === 0 ? ["examples/tsconfig.json"] : [])
]

// A project sees the sources of the packages it uses, so most findings come several times.
const problems = new Set(
  projects.flatMap((project) => {
    const args = ["diagnostics", "--project", project, "--strict", "--severity", "error,warning", "--format", "text"]
    const { ok, output } = Workspace.run("effect-tsgo", args)
    const findings = output
      .replaceAll(Workspace.root, "")
      .split("\n")
      .filter((line) => / (error|warning) effect\(/.test(line))
    return ok ? [] : findings.length > 0 ? findings : [`effect diagnostics failed: project=${project}\n${output}`]
  })
)

Workspace.finish([...problems], `effect diagnostics: ${projects.length} projects, nothing found`)
