/**
 * The file of an object: read, looked at, removed.
 *
 * A file is opened for every read. Descriptors kept open would save a microsecond
 * of six, and would have to notice that the file was replaced or deleted, also by
 * another process.
 */
import type * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as Effect from "effect/Effect"
import NodeFs from "node:fs"
import * as Descriptor from "./Descriptor.ts"
import type { FileError } from "./FileErrors.ts"
import * as FileErrors from "./FileErrors.ts"

/** Neither follows a link nor waits for the other end of a pipe. */
const READ_FLAGS = NodeFs.constants.O_RDONLY | NodeFs.constants.O_NOFOLLOW | NodeFs.constants.O_NONBLOCK

/** The bytes that `bounds` chooses by the size of the object; `undefined` when there is no such range. */
export const read = (
  file: string,
  bounds: (size: number) => { readonly start: number; readonly end: number } | undefined
): Effect.Effect<Uint8Array, FileError> =>
  Effect.acquireUseRelease(
    FileErrors.attempt(() => NodeFs.openSync(file, READ_FLAGS)),
    (fd) =>
      Effect.flatMap(
        FileErrors.attempt(() => {
          const size = mustBeFile(NodeFs.fstatSync(fd), file).size
          const chosen = bounds(size)
          if (chosen === undefined) throw FileErrors.make("EINVAL", `range begins at or beyond the end: size=${size}`)
          return chosen
        }),
        ({ end, start }) => Descriptor.read(fd, start, end - start)
      ),
    (fd) => Effect.sync(() => NodeFs.closeSync(fd))
  )

export const head = (file: string, path: string): Effect.Effect<ObjectStore.ObjectMeta, FileError> =>
  FileErrors.attempt(() => metaOf(path, mustBeFile(NodeFs.lstatSync(file), file)))

/** Succeeds also when there is nothing to remove. */
export const remove = (file: string): Effect.Effect<void, FileError> =>
  Effect.catchIf(
    FileErrors.attempt(() => NodeFs.unlinkSync(file)),
    ({ code }) => {
      if (code === "EPERM") return isFolder(file)
      return code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR"
    },
    () => Effect.void
  )

export const metaOf = (path: string, stats: NodeFs.Stats): ObjectStore.ObjectMeta => ({
  path,
  size: stats.size,
  lastModified: Math.floor(stats.mtimeMs),
  putId: undefined
})

const mustBeFile = (stats: NodeFs.Stats, file: string): NodeFs.Stats => {
  if (stats.isFile()) return stats
  if (stats.isDirectory()) throw FileErrors.make("EISDIR", `a folder is no object: ${file}`)
  if (stats.isSymbolicLink()) throw FileErrors.make("ELOOP", `a symbolic link below the root is not followed: ${file}`)
  throw FileErrors.make("EINVAL", `not a regular file: ${file}`)
}

/** How some systems refuse to unlink a folder is how they refuse what is not allowed. */
const isFolder = (file: string): boolean => NodeFs.lstatSync(file, { throwIfNoEntry: false })?.isDirectory() === true
