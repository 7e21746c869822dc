/**
 * Writes the reference of the public modules, `docs/api`, from their sources.
 *
 *     node scripts/api-reference.ts            write it
 *     node scripts/api-reference.ts --check    say what in it is not what the sources say
 *
 * It refuses a module without narrative, and an export without doc comment,
 * `@category`, `@since` or `@stability`. The pages are committed, so that a pull
 * request shows each change of the public surface.
 */
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { API } from "typescript/unstable/sync"
import * as ApiModule from "./ApiModule.ts"
import * as Workspace from "./Workspace.ts"

interface Page {
  readonly packageName: string
  readonly moduleName: string
  /** The source, from the root. */
  readonly source: string
  readonly module: ApiModule.ApiModule
}

const readPages = (): ReadonlyArray<Page> => {
  const api = new API({ cwd: Workspace.root })
  const libraries = Workspace.packages.filter(({ modules }) => modules.length > 0)
  const configs = libraries.map(({ folder }) => Workspace.path(folder, "tsconfig.src.json"))
  const snapshot = api.updateSnapshot({ openProjects: configs })
  return libraries.flatMap(({ folder, modules, name }, index) => {
    const project = snapshot.getProject(configs[index] ?? "")
    return modules.map((moduleName) => {
      const source = `${folder}/src/${moduleName}.ts`
      const file = project?.program.getSourceFile(Workspace.path(source))
      if (project === undefined || file === undefined) throw new Error(`the compiler did not read file=${source}`)
      return { packageName: name, moduleName, source, module: ApiModule.extract(file, project.checker) }
    })
  })
}

/** What a page lacks. */
export const gaps = ({ module, source }: Page): ReadonlyArray<string> => [
  ...missing(`${source}:1 the module`, module.narrative, ["since", "stability"]),
  ...module.exports.flatMap(({ doc, line, name }) =>
    missing(`${source}:${line} ${name}`, doc, ["category", "since", "stability"])
  )
]

const missing = (what: string, doc: ApiModule.Doc | undefined, tags: ReadonlyArray<string>): ReadonlyArray<string> => {
  if (doc === undefined) return [`${what} has no doc comment`]
  return [
    ...(doc.prose === "" ? [`${what} has a doc comment that says nothing`] : []),
    ...tags.filter((tag) => doc.tags[tag] === undefined).map((tag) => `${what} has no @${tag}`)
  ]
}

const notice = "<!-- Written by scripts/api-reference.ts from the sources: change those, then run `pnpm api`. -->"

const folderOf = (packageName: string): string => packageName.replace("@effect-slatedb/", "")

export const renderPage = ({ module, moduleName, packageName, source }: Page): string => {
  const categories = Map.groupBy(module.exports, ({ doc }) => doc?.tags["category"]?.[0] ?? "exports")
  return [
    notice,
    `# ${moduleName}`,
    `\`\`\`ts\nimport * as ${moduleName} from "${packageName}/${moduleName}"\n\`\`\``,
    module.narrative?.prose ?? "",
    `Source: [${source}](../../../${source})`,
    ...[...categories].flatMap(([category, exports]) => [`## ${category}`, ...exports.map(renderExport)])
  ]
    .map(unlink)
    .join("\n\n")
    .concat("\n")
}

const renderExport = ({ doc, name, signature }: ApiModule.ApiExport): string => {
  const { category: _, see = [], since = [], stability = [], ...others } = doc?.tags ?? {}
  return [
    `### ${name}`,
    `\`\`\`ts\n${signature}\n\`\`\``,
    doc?.prose ?? "",
    ...see.map((text) => `See ${text}`),
    ...Object.entries(others).map(([tag, texts]) => `*${tag}*: ${texts.join(" ")}`),
    `*Since ${since.join(", ")}, ${stability.join(", ")}*`
  ].join("\n\n")
}

/** Editors follow `{@link X}`; Markdown shows the name. */
const unlink = (text: string): string => text.replaceAll(/\{@link ([^}]+)\}/g, "`$1`")

const renderIndex = (pages: ReadonlyArray<Page>): string => {
  const byPackage = Map.groupBy(pages, ({ packageName }) => packageName)
  const sections = [...byPackage].map(([packageName, modules]) => {
    const rows = modules.map(
      ({ module, moduleName }) =>
        `| [${moduleName}](${folderOf(packageName)}/${moduleName}.md) | ${firstSentence(module.narrative?.prose ?? "")} |`
    )
    return `## ${packageName}\n\n| module | what it is |\n| --- | --- |\n${rows.join("\n")}`
  })
  return `${[notice, "# API reference", ...sections].map(unlink).join("\n\n")}\n`
}

const firstSentence = (prose: string): string => {
  const paragraph = (prose.split("\n\n")[0] ?? "").replaceAll("\n", " ")
  return /^.*?\.(?= |$)/.exec(paragraph)?.[0] ?? paragraph
}

/** Every file of `docs/api`, by its path from there. */
const render = (pages: ReadonlyArray<Page>): ReadonlyMap<string, string> =>
  new Map([
    ["README.md", renderIndex(pages)],
    ...pages.map((page): [string, string] => [`${folderOf(page.packageName)}/${page.moduleName}.md`, renderPage(page)])
  ])

const folder = Workspace.path("docs/api")

const drift = (files: ReadonlyMap<string, string>): ReadonlyArray<string> => {
  const present = NodeFs.globSync("**/*.md", { cwd: folder })
  const changed = [...files].filter(
    ([name, text]) => !present.includes(name) || NodeFs.readFileSync(NodePath.join(folder, name), "utf8") !== text
  )
  return [
    ...changed.map(([name]) => `docs/api/${name} is not what the sources say: run 'pnpm api' and commit it`),
    ...present.filter((name) => !files.has(name)).map((name) => `docs/api/${name} describes a module that is gone`)
  ]
}

const write = (files: ReadonlyMap<string, string>): void => {
  NodeFs.rmSync(folder, { recursive: true, force: true })
  for (const [name, text] of files) {
    NodeFs.mkdirSync(NodePath.dirname(NodePath.join(folder, name)), { recursive: true })
    NodeFs.writeFileSync(NodePath.join(folder, name), text)
  }
}

if (import.meta.main) {
  const pages = readPages()
  const files = render(pages)
  const checks = process.argv.includes("--check")
  if (!checks) write(files)
  const problems = [...pages.flatMap(gaps), ...(checks ? drift(files) : [])]
  const exports = pages.reduce((sum, { module }) => sum + module.exports.length, 0)
  Workspace.finish(problems, `api reference: ${pages.length} modules, ${exports} exports`)
}
