/**
 * An object store in a local directory: one file per object.
 *
 * A path is a file below the root, its segments written as the official engine's
 * local store writes them, so that databases of both can live in one directory and
 * even be the same.
 *
 * **Whole or not at all.** An object gets its name when all of its bytes are
 * there, by `link(2)` when it must not exist, by `rename(2)` when it may. That holds
 * between processes and when one is killed. With `fsync` (the default) the bytes
 * and the name are on the disk before a write is acknowledged; without it, writes
 * survive the process, not the machine.
 *
 * **Inside the root.** No path leads out of it: `..` is refused with every other
 * invalid path, and symbolic links below the root are not followed: to an object
 * through one the store says `Invalid`, and listings pass them by. The root itself
 * may be a link, and folders may be mount points. The store looks at a folder once:
 * it does not guard against somebody who exchanges folders under it.
 *
 * **What is not an object.** Folders, links, files whose names no path is written
 * as, and files that are being written (their names end in `#` and digits). Those
 * whose writer died are removed by the first writer that comes into the folder a
 * day later.
 *
 * **Limits.** A segment is at most 255 bytes in a file system, percent-encoding and
 * the mark of a temporary file included, else `Invalid`; an object and a folder of
 * the same name exclude each other, likewise. Put ids are kept in memory: a create
 * may be repeated by the store that tried it first, and `head` tells no ids. The
 * file system must be POSIX-like, tell names apart by case, and have hard links
 * (else creates fail with `Unsupported`). Nothing is retried here: what local disks
 * refuse, they refuse again at once. Operations on a few hundred KiB run on the
 * calling thread, since the page cache answers faster than a thread; on a network
 * file system they block it.
 *
 * **Example** (A store in a directory)
 *
 * ```ts
 * import * as FileObjectStore from "@effect-slatedb/store-fs/FileObjectStore"
 * import { ObjectStore } from "@effect-slatedb/core/ObjectStore"
 * import * as NodeServices from "@effect/platform-node/NodeServices"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * const StoreLive = FileObjectStore.layer({ root: "./data" }).pipe(Layer.provide(NodeServices.layer))
 *
 * const program = Effect.gen(function* () {
 *   const store = yield* ObjectStore
 *   yield* store.put("greetings/en", new TextEncoder().encode("hello"))
 *   return yield* store.get("greetings/en")
 * }).pipe(Effect.provide(StoreLive))
 * ```
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import NodeFs from "node:fs"
import NodePath from "node:path"
import * as AtomicWrite from "./internal/AtomicWrite.ts"
import * as FileErrors from "./internal/FileErrors.ts"
import * as FileNames from "./internal/FileNames.ts"
import * as Folders from "./internal/Folders.ts"
import * as FolderWalk from "./internal/FolderWalk.ts"
import * as ObjectFile from "./internal/ObjectFile.ts"

/**
 * Where the objects are and how safe they are kept.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The directory. Made by the first write when it is not there; until then the store is empty. */
  readonly root: string
  /**
   * Whether a write waits until the disk has it. Default `true`. Without it, a power failure can lose acknowledged
   * writes, and can leave a database that does not open: for tests and for data that can be made again.
   */
  readonly fsync?: boolean | undefined
}

/**
 * A store in a directory. Fails with `Invalid` when the root is something else.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<
  ObjectStore.ObjectStore["Service"],
  ObjectStore.ObjectStoreError,
  FileSystem.FileSystem | Path.Path
> {
  const fileSystem = yield* FileSystem.FileSystem
  const root = (yield* Path.Path).resolve(options.root)
  yield* checkRoot(root)
  const fsync = options.fsync ?? true
  const folders = Folders.make({ root, fsync, fileSystem })
  const number = yield* Random.nextIntBetween(1, 2 ** 48)
  const { create, replace } = AtomicWrite.make({ folders, fsync, number })

  /** Runs an operation on the file that a path names. */
  const onFile = <A>(
    operation: ObjectStore.Operation,
    path: string,
    run: (file: string) => Effect.Effect<A, FileErrors.FileError>
  ): Effect.Effect<A, ObjectStore.ObjectStoreError> =>
    Effect.suspend(() => {
      const problem = ObjectStore.invalidPath(path)
      if (problem !== undefined) return Effect.fail(invalid(operation, path, problem))
      const file = NodePath.join(root, ...path.split("/").map(FileNames.encode))
      return FileErrors.attempt(() => folders.check(NodePath.dirname(file))).pipe(
        Effect.andThen(run(file)),
        Effect.mapError(FileErrors.toStoreError(operation, path))
      )
    })

  return {
    get: (path) => onFile("get", path, (file) => ObjectFile.read(file, (size) => ({ start: 0, end: size }))),
    getRange: (path, range) => {
      const problem = ObjectStore.invalidRange(range)
      if (problem !== undefined) return Effect.fail(invalid("getRange", path, problem))
      return onFile("getRange", path, (file) => ObjectFile.read(file, (size) => ObjectStore.resolveRange(range, size)))
    },
    head: (path) => onFile("head", path, (file) => ObjectFile.head(file, path)),
    put: (path, body) => onFile("put", path, (file) => replace(file, body)),
    putIfAbsent: (path, body, { putId }) => onFile("putIfAbsent", path, (file) => create(file, body, putId)),
    delete: (path) => onFile("delete", path, ObjectFile.remove),
    list: (wanted) =>
      Stream.mapError(
        FolderWalk.list(fileSystem, root, wanted, folders.check),
        FileErrors.toStoreError("list", wanted.prefix)
      )
  }
})

/**
 * Provides a store in a directory.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options
): Layer.Layer<ObjectStore.ObjectStore, ObjectStore.ObjectStoreError, FileSystem.FileSystem | Path.Path> =>
  Layer.effect(ObjectStore.ObjectStore, make(options))

/** The root may be missing, and may be a link, but not to something else than a directory. */
const checkRoot = (root: string): Effect.Effect<void, ObjectStore.ObjectStoreError> =>
  FileErrors.attempt(() => NodeFs.statSync(root, { throwIfNoEntry: false })).pipe(
    Effect.mapError(FileErrors.toStoreError("open", root)),
    Effect.flatMap((stats) =>
      stats === undefined || stats.isDirectory()
        ? Effect.void
        : Effect.fail(invalid("open", root, "the root is not a directory"))
    )
  )

const invalid = (operation: ObjectStore.Operation, path: string, detail: string): ObjectStore.ObjectStoreError =>
  ObjectStore.fail(new ObjectStore.Invalid({ operation, path, detail }))
