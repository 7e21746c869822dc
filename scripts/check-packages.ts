/**
 * Whether the packages would work for somebody who installs them.
 *
 *     build ─> pack every public package ─> publint ─> are the types wrong? ─> import every public module
 *
 * The last step stands where a user stands: the packed files in a folder of
 * their own, the peers beside them, and plain Node importing the compiled
 * modules. Internal modules must not be importable.
 */
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import * as Workspace from "./Workspace.ts"

const packAll = (folder: string): ReadonlyMap<Workspace.Package, string> => {
  const tarballs = new Map<Workspace.Package, string>()
  for (const item of Workspace.packages.filter(({ isPublic }) => isPublic)) {
    const destination = NodePath.join(folder, NodePath.basename(item.folder))
    NodeFs.mkdirSync(destination)
    const { ok, output } = Workspace.run("npx", ["-y", "pnpm@12", "pack", "--pack-destination", destination], {
      cwd: Workspace.path(item.folder)
    })
    const [tarball] = NodeFs.readdirSync(destination)
    if (!ok || tarball === undefined) throw new Error(`cannot pack package=${item.name}\n${output}`)
    tarballs.set(item, NodePath.join(destination, tarball))
  }
  return tarballs
}

const lintTarball = (name: string, tarball: string): ReadonlyArray<string> => {
  const tools: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
    ["publint", ["run", tarball, "--strict"]],
    ["attw", [tarball, "--profile", "esm-only", "--no-emoji"]]
  ]
  return tools.flatMap(([tool, args]) => {
    const { ok, output } = Workspace.run(tool, args)
    return ok ? [] : [`${tool} of package=${name}`, output]
  })
}

/** Unpacks everything as npm would have installed it; foreign dependencies are those of the workspace. */
const install = (folder: string, tarballs: ReadonlyMap<Workspace.Package, string>): void => {
  for (const [item, tarball] of tarballs) {
    const target = NodePath.join(folder, "node_modules", item.name)
    NodeFs.mkdirSync(target, { recursive: true })
    const { ok, output } = Workspace.run("tar", ["-xzf", tarball, "-C", target, "--strip-components", "1"])
    if (!ok) throw new Error(`cannot unpack tarball=${tarball}\n${output}`)
    for (const dependency of foreignDependencies(target)) {
      const link = NodePath.join(folder, "node_modules", dependency)
      if (NodeFs.existsSync(link)) continue
      NodeFs.mkdirSync(NodePath.dirname(link), { recursive: true })
      NodeFs.symlinkSync(NodeFs.realpathSync(Workspace.path(item.folder, "node_modules", dependency)), link)
    }
  }
}

const foreignDependencies = (target: string): ReadonlyArray<string> => {
  const json: Record<"dependencies" | "peerDependencies", Record<string, string> | undefined> = JSON.parse(
    NodeFs.readFileSync(NodePath.join(target, "package.json"), "utf8")
  )
  const names = Object.keys({ ...json.dependencies, ...json.peerDependencies })
  return names.filter((name) => !name.startsWith("@effect-slatedb/"))
}

const importAll = (folder: string, items: Iterable<Workspace.Package>): ReadonlyArray<string> => {
  const modules = [...items].flatMap(({ name, modules }) => [
    ...(modules.length > 0 ? [name] : []),
    ...modules.map((module) => `${name}/${module}`)
  ])
  const script = NodePath.join(folder, "import-all.mjs")
  NodeFs.writeFileSync(
    script,
    `for (const name of ${JSON.stringify(modules)}) {
  const module = await import(name)
  if (typeof module !== "object") throw new Error(name)
}
const hidden = await import("@effect-slatedb/core/internal/model/Sequence").then(() => true, () => false)
if (hidden) throw new Error("an internal module can be imported")
`
  )
  const { ok, output } = Workspace.run("node", [script], { cwd: folder })
  return ok ? [] : ["importing every public module of the packed packages", output]
}

const check = (): void => {
  const build = Workspace.run("tsc", ["-b", "tsconfig.packages.json"])
  if (!build.ok) return Workspace.finish(["the packages do not build", build.output], "")
  const folder = NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "effect-slatedb-packages-"))
  try {
    const tarballs = packAll(folder)
    install(folder, tarballs)
    const problems = [
      ...[...tarballs].flatMap(([item, tarball]) => lintTarball(item.name, tarball)),
      ...importAll(folder, tarballs.keys())
    ]
    Workspace.finish(problems, `packages: ${tarballs.size} packed, linted and imported`)
  } finally {
    NodeFs.rmSync(folder, { recursive: true, force: true })
  }
}

check()
