/**
 * The folders below the root: which may be entered, and which are there to stay.
 *
 * A path names folders, and none may lead out of the root: a symbolic link below
 * the root is never followed. Every folder on the way to an object is checked when
 * the store first meets it, and remembered.
 *
 * A folder is durable when its entry in every folder above it is. Whoever writes
 * into a folder first makes all that sure, once, whoever created it: an object that
 * survives a power failure in a folder that does not is lost.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import NodeFs from "node:fs"
import NodePath from "node:path"
import * as Descriptor from "./Descriptor.ts"
import type { FileError } from "./FileErrors.ts"
import * as FileErrors from "./FileErrors.ts"
import * as FileNames from "./FileNames.ts"

/** Temporary files this old belong to nobody: their writers died. Milliseconds. */
export const TEMPORARY_AGE_MAX = 24 * 60 * 60 * 1000

/** Beyond so many folders all are forgotten, and checked again when met. */
const REMEMBERED_MAX = 10_000

/** Folders are given by their absolute names, at or below the root. */
export interface Folders {
  /** Throws ELOOP when a link is on the way to a folder; a folder that is not there is fine. */
  readonly check: (folder: string) => void
  /** Makes a folder ready to be written into: there, durable, and without temporary files that nobody owns. */
  readonly prepare: (folder: string) => Effect.Effect<void, FileError>
  /** Takes note that a folder that was there has vanished. */
  readonly forget: (folder: string) => void
}

export const make = (options: {
  readonly root: string
  readonly fsync: boolean
  readonly fileSystem: FileSystem.FileSystem
}): Folders => {
  const { fileSystem, fsync, root } = options
  const checked = new Set<string>()
  const prepared = new Set<string>()

  const check = (folder: string): void => {
    if (checked.has(folder)) return
    if (stepsTo(root, folder).every(isThere)) remember(checked, folder)
  }

  const makeSteps = Effect.fnUntraced(function* (folder: string) {
    const changed = missingAbove(root)
    if (changed.length > 0)
      yield* Effect.mapError(fileSystem.makeDirectory(root, { recursive: true }), FileErrors.fromCause)
    const steps = stepsTo(root, folder)
    for (const step of steps) {
      // Each is checked before anything is made below it.
      const there = yield* FileErrors.attempt(() => isThere(step))
      if (!there) yield* makeFolder(fileSystem, step)
    }
    return [...changed, root, ...steps].filter((entered) => entered !== folder)
  })

  const prepare = Effect.fnUntraced(function* (folder: string) {
    if (prepared.has(folder)) return
    const above = yield* makeSteps(folder)
    if (fsync) yield* Effect.forEach(above, Descriptor.syncFolder, { discard: true })
    yield* sweep(fileSystem, folder)
    remember(prepared, folder)
  })

  return {
    check,
    prepare,
    forget: (folder) => {
      checked.delete(folder)
      prepared.delete(folder)
    }
  }
}

const remember = (folders: Set<string>, folder: string): void => {
  if (folders.size >= REMEMBERED_MAX) folders.clear()
  folders.add(folder)
}

/** The folders from below `root` down to `folder`. */
const stepsTo = (root: string, folder: string): ReadonlyArray<string> => {
  const steps: Array<string> = []
  for (let step = folder; step !== root; step = NodePath.dirname(step)) steps.unshift(step)
  return steps
}

/** Whether a folder is there; throws when a link stands in its place. A file there says so to whoever goes on. */
const isThere = (folder: string): boolean => {
  const stats = NodeFs.lstatSync(folder, { throwIfNoEntry: false })
  if (stats?.isSymbolicLink() === true) {
    throw FileErrors.make("ELOOP", `a symbolic link below the root is not followed: ${folder}`)
  }
  return stats?.isDirectory() === true
}

/** The folders above the root that get a new entry when it is made, topmost first. The root itself may be a link. */
const missingAbove = (root: string): ReadonlyArray<string> => {
  const changed: Array<string> = []
  for (let folder = root; !NodeFs.existsSync(folder); folder = NodePath.dirname(folder)) {
    changed.unshift(NodePath.dirname(folder))
  }
  return changed
}

const makeFolder = (fileSystem: FileSystem.FileSystem, folder: string): Effect.Effect<void, FileError> =>
  fileSystem.makeDirectory(folder).pipe(
    Effect.mapError(FileErrors.fromCause),
    // Somebody else made it at the same time. If that is a file, what is written below it will fail.
    Effect.catchIf(FileErrors.hasCode("EEXIST"), () => Effect.void)
  )

const sweep = Effect.fnUntraced(function* (fileSystem: FileSystem.FileSystem, folder: string) {
  const now = yield* Clock.currentTimeMillis
  const names = yield* Effect.mapError(fileSystem.readDirectory(folder), FileErrors.fromCause)
  yield* FileErrors.attempt(() => {
    for (const name of names.filter(FileNames.isTemporary)) {
      const file = NodePath.join(folder, name)
      const stats = NodeFs.lstatSync(file, { throwIfNoEntry: false })
      if (stats?.isFile() === true && now - stats.mtimeMs > TEMPORARY_AGE_MAX) NodeFs.rmSync(file, { force: true })
    }
  })
})
