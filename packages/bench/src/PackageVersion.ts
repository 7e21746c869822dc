/**
 * The version of an installed package, from the manifest beside its entry: not
 * every package exports its `package.json`.
 */
import { existsSync, readFileSync } from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"

export const of = (name: string): string => {
  let folder = path.dirname(fileURLToPath(import.meta.resolve(name)))
  while (folder !== path.dirname(folder)) {
    const manifest = path.join(folder, "package.json")
    if (existsSync(manifest)) {
      const { name: found, version }: { name?: string; version?: string } = JSON.parse(readFileSync(manifest, "utf8"))
      if (found === name && version !== undefined) return version
    }
    folder = path.dirname(folder)
  }
  return "unknown"
}
