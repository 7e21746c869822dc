/**
 * The workspace as the scripts see it: where it is, what is in it, how to run its tools.
 */
import { spawnSync } from "node:child_process"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("../", import.meta.url))

/** An absolute path, from one that begins at the root. */
export const path = (...segments: ReadonlyArray<string>): string => NodePath.join(root, ...segments)

export interface Package {
  readonly name: string
  /** From the root: `packages/core`. */
  readonly folder: string
  readonly isPublic: boolean
  /** Its public modules, without ending: the files directly below `src` but for the barrel. A program has none. */
  readonly modules: ReadonlyArray<string>
}

const packageAt = (folder: string): Package => {
  const json: { readonly name: string; readonly private?: boolean; readonly exports: Record<string, unknown> } =
    JSON.parse(NodeFs.readFileSync(path(folder, "package.json"), "utf8"))
  return {
    name: json.name,
    folder,
    isPublic: json.private !== true,
    modules: json.exports["."] === undefined ? [] : nounsIn(path(folder, "src"))
  }
}

const nounsIn = (folder: string): ReadonlyArray<string> =>
  NodeFs.readdirSync(folder)
    .filter((name) => /^[A-Z]\w*\.ts$/.test(name))
    .map((name) => name.slice(0, -".ts".length))
    .toSorted()

export const packages: ReadonlyArray<Package> = NodeFs.readdirSync(path("packages"))
  .toSorted()
  .map((name) => packageAt(`packages/${name}`))

export interface Outcome {
  readonly ok: boolean
  /** Both streams, in that order: out, err. */
  readonly output: string
}

/** Runs a command to its end. One that is a tool of the workspace is found without a path. */
export const run = (
  command: string,
  args: ReadonlyArray<string>,
  options: { readonly cwd?: string; readonly timeoutSeconds?: number } = {}
): Outcome => {
  const result = spawnSync(command, args, {
    cwd: options.cwd ?? root,
    encoding: "utf8",
    env: { ...process.env, PATH: `${path("node_modules/.bin")}${NodePath.delimiter}${process.env["PATH"] ?? ""}` },
    maxBuffer: 64 * 1024 * 1024,
    timeout: (options.timeoutSeconds ?? 600) * 1000
  })
  const problem = result.error === undefined ? "" : `${command}: ${result.error.message}\n`
  return { ok: result.status === 0, output: `${result.stdout ?? ""}${result.stderr ?? ""}${problem}` }
}

/** Prints what is wrong and leaves with 1, or says that all is well. */
export const finish = (problems: ReadonlyArray<string>, allIsWell: string): void => {
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) process.exitCode = 1
  else console.log(allIsWell)
}
