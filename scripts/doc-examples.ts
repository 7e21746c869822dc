/**
 * Type-checks every example of the documents, and runs those that are marked so.
 *
 *     node scripts/doc-examples.ts
 *
 * They are written into a folder of the examples package, which depends on
 * everything that a user would install.
 */
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import * as DocExamples from "./DocExamples.ts"
import * as Workspace from "./Workspace.ts"

const folder = Workspace.path(`examples/.doc-examples/${process.pid}`)

const markdownFiles = (): ReadonlyArray<string> => [
  "README.md",
  ...NodeFs.globSync("docs/**/*.md", { cwd: Workspace.root, exclude: ["docs/api/**"] })
]

const moduleFiles = (): ReadonlyArray<string> =>
  Workspace.packages.flatMap(({ folder: at, modules }) => modules.map((name) => `${at}/src/${name}.ts`))

const read = (file: string): string => NodeFs.readFileSync(Workspace.path(file), "utf8")

export const collect = (): ReadonlyArray<DocExamples.Example> => [
  ...markdownFiles().flatMap((file) => DocExamples.fromMarkdown(file, read(file))),
  ...moduleFiles().flatMap((file) => DocExamples.fromModule(file, read(file)))
]

const write = (examples: ReadonlyArray<DocExamples.Example>): void => {
  NodeFs.rmSync(folder, { recursive: true, force: true })
  NodeFs.mkdirSync(folder, { recursive: true })
  for (const example of examples) {
    NodeFs.writeFileSync(NodePath.join(folder, DocExamples.fileName(example)), example.code)
  }
  const compilerOptions = {
    noEmit: true,
    composite: false,
    incremental: false,
    allowImportingTsExtensions: true,
    // A reader of an example need not use all that it shows.
    noUnusedLocals: false,
    lib: ["ES2023", "ESNext.Disposable"],
    types: ["node"]
  }
  NodeFs.writeFileSync(
    NodePath.join(folder, "tsconfig.json"),
    JSON.stringify({ extends: "../../../tsconfig.base.json", compilerOptions, include: ["*.ts"] })
  )
}

const typeCheck = (examples: ReadonlyArray<DocExamples.Example>): ReadonlyArray<string> => {
  const { ok, output } = Workspace.run("tsc", [
    "--project",
    NodePath.join(folder, "tsconfig.json"),
    "--pretty",
    "false"
  ])
  return ok ? [] : ["an example does not type-check", DocExamples.translate(examples, output)]
}

const runOne = (example: DocExamples.Example): ReadonlyArray<string> => {
  const scratch = NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "effect-slatedb-example-"))
  const place = `${example.source}:${example.line}`
  try {
    const args = [NodePath.join(folder, DocExamples.fileName(example))]
    const { ok, output } = Workspace.run("node", args, { cwd: scratch, timeoutSeconds: 60 })
    if (!ok) return [`${place} the example fails`, DocExamples.translate([example], output)]
    const expected = DocExamples.expectedOutput(example).join("\n")
    return expected === "" || expected === output.trimEnd()
      ? []
      : [`${place} the example prints something else than it says`, `expected:\n${expected}\nfound:\n${output}`]
  } finally {
    NodeFs.rmSync(scratch, { recursive: true, force: true })
  }
}

/** What is wrong with these examples; nothing is kept. */
export const check = (examples: ReadonlyArray<DocExamples.Example>): ReadonlyArray<string> => {
  write(examples)
  try {
    const problems = typeCheck(examples)
    return problems.length > 0 ? problems : examples.filter(({ runs }) => runs).flatMap(runOne)
  } finally {
    NodeFs.rmSync(folder, { recursive: true, force: true })
  }
}

if (import.meta.main) {
  const examples = collect()
  const runnable = examples.filter(({ runs }) => runs).length
  Workspace.finish(check(examples), `examples: ${examples.length} type-checked, ${runnable} of them run`)
}
