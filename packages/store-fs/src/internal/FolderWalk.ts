/**
 * Listing: a walk through the folders in the order of the paths.
 *
 * The walk begins in the folder that the prefix names: the folders above it may be
 * those of many databases. A folder is read when the walk comes to it, and left when
 * its last entry is done: what is in memory are the names of the folders on the way.
 * Folders in which nothing can be wanted are not entered.
 *
 * ```
 * root/          entries are sorted by the path they stand for,
 *   a-b          a folder as its name with a slash:  "a-b" < "a/" < "a0"
 *   a/
 *     x          <- here the walk stands, with [root, a] on its stack
 *   a0
 * ```
 */
import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import NodeFs from "node:fs"
import NodePath from "node:path"
import type { FileError } from "./FileErrors.ts"
import * as FileErrors from "./FileErrors.ts"
import * as FileNames from "./FileNames.ts"
import type { Folders } from "./Folders.ts"
import * as ObjectFile from "./ObjectFile.ts"

/** So many objects at most are looked up before the consumer gets them. */
const PAGE_MAX = 256

export interface Wanted {
  readonly prefix: string
  readonly startAfter?: string | undefined
}

type Page = Arr.NonEmptyReadonlyArray<ObjectStore.ObjectMeta>

/** The objects below `root` that are wanted, in order. */
export const list = (
  fileSystem: FileSystem.FileSystem,
  root: string,
  wanted: Wanted,
  checkFolder: Folders["check"]
): Stream.Stream<ObjectStore.ObjectMeta, FileError> =>
  Stream.suspend(() => {
    const begin = beginOf(root, wanted.prefix)
    if (begin === undefined) return Stream.empty
    const walk: Array<Folder> = [begin]
    const entered = Effect.catchIf(
      FileErrors.attempt(() => checkFolder(begin.file)),
      isNoFolder,
      () => Effect.sync(() => walk.pop())
    )
    const pull: Pull.Pull<Page, FileError> = Effect.flatMap(nextPage(fileSystem, walk, wanted), (page) =>
      Arr.isReadonlyArrayNonEmpty(page) ? Effect.succeed(page) : Cause.done()
    )
    return Stream.fromPull(Effect.as(entered, pull))
  })

/** The folder that everything with the prefix is in; `undefined` for one that cannot be. */
const beginOf = (root: string, prefix: string): Folder | undefined => {
  const path = prefix.slice(0, prefix.lastIndexOf("/") + 1)
  if (path === "") return { path, file: root, entries: undefined, next: 0 }
  const folder = path.slice(0, -1)
  if (ObjectStore.invalidPath(folder) !== undefined) return undefined
  const file = NodePath.join(root, ...folder.split("/").map(FileNames.encode))
  return { path, file, entries: undefined, next: 0 }
}

/** Nothing is listed through links, and under names that are too long for a file system. */
const isNoFolder = FileErrors.hasCode("ELOOP", "ENAMETOOLONG")

/** A folder on the way. Its entries are read when the walk enters it. */
interface Folder {
  /** With a slash at the end; the root's is empty. */
  readonly path: string
  readonly file: string
  entries: ReadonlyArray<Entry> | undefined
  next: number
}

/** What stands in a folder: `path` of a folder ends in a slash. */
interface Entry {
  readonly path: string
  readonly file: string
}

/** A page is empty only behind the end. */
const nextPage = Effect.fnUntraced(function* (fileSystem: FileSystem.FileSystem, walk: Array<Folder>, wanted: Wanted) {
  const page: Array<ObjectStore.ObjectMeta> = []
  while (page.length < PAGE_MAX) {
    const folder = walk.at(-1)
    if (folder === undefined) break
    folder.entries ??= yield* readEntries(fileSystem, folder, wanted)
    const entry = folder.entries[folder.next++]
    if (entry === undefined) {
      walk.pop()
    } else if (entry.path.endsWith("/")) {
      walk.push({ ...entry, entries: undefined, next: 0 })
    } else {
      const meta = yield* FileErrors.attempt(() => lookUp(entry))
      if (meta !== undefined) page.push(meta)
    }
  }
  return page
})

const readEntries = (
  fileSystem: FileSystem.FileSystem,
  folder: Folder,
  wanted: Wanted
): Effect.Effect<ReadonlyArray<Entry>, FileError> =>
  fileSystem.readDirectoryEntries(folder.file).pipe(
    Effect.mapError(FileErrors.fromCause),
    Effect.map((found) =>
      found
        .flatMap((entry) => entryOf(folder, entry))
        .filter(({ path }) => isWanted(path, wanted))
        .toSorted((a, b) => ObjectStore.comparePaths(a.path, b.path))
    ),
    // A folder that went since its name was read holds nothing; nor does one that is a file or was never written to.
    Effect.catchIf(FileErrors.hasCode("ENOENT", "ENOTDIR"), () => Effect.succeed([]))
  )

/** Links, sockets and the like are no objects, nor is a file whose name no path is written as. */
const entryOf = (folder: Folder, { name, type }: FileSystem.DirectoryEntry): ReadonlyArray<Entry> => {
  const segment = FileNames.decode(name)
  if (segment === undefined) return []
  const file = NodePath.join(folder.file, name)
  switch (type === "Unknown" ? typeOf(file) : type) {
    case "File":
      return [{ path: folder.path + segment, file }]
    case "Directory":
      return [{ path: `${folder.path}${segment}/`, file }]
    default:
      return []
  }
}

/** Some file systems do not tell in a listing what an entry is. */
const typeOf = (file: string): "File" | "Directory" | undefined => {
  const stats = NodeFs.lstatSync(file, { throwIfNoEntry: false })
  return stats?.isFile() === true ? "File" : stats?.isDirectory() === true ? "Directory" : undefined
}

/** Whether an object is wanted, or anything below a folder can be. */
const isWanted = (path: string, { prefix, startAfter }: Wanted): boolean => {
  const isFolder = path.endsWith("/")
  if (!path.startsWith(prefix) && !(isFolder && prefix.startsWith(path))) return false
  if (startAfter === undefined || ObjectStore.comparePaths(path, startAfter) > 0) return true
  return isFolder && startAfter.startsWith(path)
}

/** `undefined` when the file went since its name was read. */
const lookUp = ({ file, path }: Entry): ObjectStore.ObjectMeta | undefined => {
  const stats = NodeFs.lstatSync(file, { throwIfNoEntry: false })
  return stats?.isFile() === true ? ObjectFile.metaOf(path, stats) : undefined
}
