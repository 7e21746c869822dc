/**
 * Files and bytes below a folder, by the name of the folder that holds them.
 */
import { readdir, stat } from "node:fs/promises"
import * as path from "node:path"

export interface Usage {
  readonly files: number
  readonly bytes: number
}

export const of = async (root: string): Promise<Readonly<Record<string, Usage>>> => {
  const usage: Record<string, Usage> = {}
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const folder = entry.parentPath === root ? "." : path.basename(entry.parentPath)
    const { bytes, files } = usage[folder] ?? { files: 0, bytes: 0 }
    const { size } = await stat(path.join(entry.parentPath, entry.name))
    usage[folder] = { files: files + 1, bytes: bytes + size }
  }
  return usage
}
