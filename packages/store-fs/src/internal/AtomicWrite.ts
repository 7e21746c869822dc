/**
 * Writing an object so that it is there whole or not at all.
 *
 * ```
 * open NAME#123 (new) -> write -> fsync -> close -> link or rename to NAME -> unlink NAME#123 -> fsync of the folder
 *                                                   `-- the object is there
 * ```
 *
 * The object gets its name when its bytes are on the disk, and the write is
 * acknowledged when the name is. `link` fails when the name exists, in one step for
 * all processes: that is create-if-absent. Whoever dies on the way leaves a
 * temporary file, which nobody takes for an object.
 *
 * A create may be repeated with its put id. The file has no place for the id, so
 * the store remembers which file its last creates made: enough for a create that
 * was interrupted, or failed, between the name and the answer.
 */
import type * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as Effect from "effect/Effect"
import NodeFs from "node:fs"
import NodePath from "node:path"
import * as Descriptor from "./Descriptor.ts"
import type { FileError } from "./FileErrors.ts"
import * as FileErrors from "./FileErrors.ts"
import * as FileNames from "./FileNames.ts"
import type { Folders } from "./Folders.ts"

/** The creates that can still be repeated: the newest of this store. */
const CREATES_MAX = 1024

/** Names of temporary files that are tried before giving up. */
const NAMES_MAX = 1000

export interface AtomicWrite {
  readonly replace: (file: string, body: ObjectStore.Body) => Effect.Effect<void, FileError>
  /** Fails with EEXIST when the file is there and another put made it. */
  readonly create: (file: string, body: ObjectStore.Body, putId: string) => Effect.Effect<void, FileError>
}

export const make = (options: {
  readonly folders: Folders
  readonly fsync: boolean
  /** A number that other processes do not draw. */
  readonly number: number
}): AtomicWrite => {
  const { folders, fsync } = options
  const syncFolder = (folder: string) => (fsync ? Descriptor.syncFolder(folder) : Effect.void)
  const creates = new Map<string, Create>()
  let names = 0

  const openTemporary = (file: string): Temporary => {
    for (let tries = 0; tries < NAMES_MAX; tries++) {
      const name = FileNames.temporary(file, `${options.number}${String(names++).padStart(6, "0")}`)
      try {
        return new Temporary(name, NodeFs.openSync(name, "wx"))
      } catch (cause) {
        if (FileErrors.fromCause(cause).code !== "EEXIST") throw cause
      }
    }
    throw FileErrors.make("EBUSY", `no free temporary name for ${file}`)
  }

  const write = (file: string, body: ObjectStore.Body, commit: (temporary: Temporary) => void) => {
    const folder = NodePath.dirname(file)
    const open = Effect.andThen(
      folders.prepare(folder),
      FileErrors.attempt(() => openTemporary(file))
    )
    return Effect.acquireUseRelease(
      // A folder that vanished since it was prepared is made again, once.
      Effect.catchIf(open, FileErrors.hasCode("ENOENT"), () => {
        folders.forget(folder)
        return open
      }),
      (temporary) =>
        Descriptor.write(temporary.fd, body).pipe(
          Effect.andThen(fsync ? Descriptor.sync(temporary.fd) : Effect.void),
          Effect.andThen(FileErrors.attempt(() => commit(temporary)))
        ),
      (temporary) => Effect.sync(() => temporary.discard())
    ).pipe(Effect.andThen(syncFolder(folder)))
  }

  const isOurs = (file: string, putId: string): boolean => {
    const made = creates.get(file)
    const stats = NodeFs.lstatSync(file, { bigint: true, throwIfNoEntry: false })
    return made?.putId === putId && stats !== undefined && isSame(made.identity, stats)
  }

  const create = (file: string, body: ObjectStore.Body, putId: string): Effect.Effect<void, FileError> =>
    FileErrors.attempt(() => mustBeAbsent(file)).pipe(
      Effect.andThen(
        write(file, body, (temporary) => {
          const identity = temporary.close()
          link(temporary.name, file)
          remember(creates, file, { putId, identity })
        })
      ),
      Effect.catchIf(FileErrors.hasCode("EEXIST"), (error) =>
        isOurs(file, putId) ? syncFolder(NodePath.dirname(file)) : Effect.fail(error)
      )
    )

  const replace = (file: string, body: ObjectStore.Body): Effect.Effect<void, FileError> =>
    write(file, body, (temporary) => {
      temporary.close()
      temporary.rename(file)
    })

  return { create, replace }
}

/** A file that is being written. Once it is closed and has another name, nothing is left to discard. */
class Temporary {
  readonly name: string
  readonly fd: number
  private isOpen = true
  private isThere = true

  constructor(name: string, fd: number) {
    this.name = name
    this.fd = fd
  }

  /** Before the object gets its name: a network file system may tell of a failed write only here. */
  close(): FileIdentity {
    const identity = NodeFs.fstatSync(this.fd, { bigint: true })
    this.isOpen = false
    NodeFs.closeSync(this.fd)
    return identity
  }

  rename(file: string): void {
    NodeFs.renameSync(this.name, file)
    this.isThere = false
  }

  discard(): void {
    try {
      if (this.isOpen) NodeFs.closeSync(this.fd)
      if (this.isThere) NodeFs.unlinkSync(this.name)
    } catch {
      // What became of the write is decided already; a temporary file that stays is swept one day.
    }
  }
}

/** Tells a file from another that stood under the same name before or after it. */
interface FileIdentity {
  readonly ino: bigint
  readonly mtimeNs: bigint
}

interface Create {
  readonly putId: string
  readonly identity: FileIdentity
}

const isSame = (a: FileIdentity, b: FileIdentity): boolean => a.ino === b.ino && a.mtimeNs === b.mtimeNs

/** Spares the writing of a body that will be refused. What decides is `link`. */
const mustBeAbsent = (file: string): void => {
  const stats = NodeFs.lstatSync(file, { throwIfNoEntry: false })
  if (stats === undefined) return
  throw stats.isDirectory()
    ? FileErrors.make("EISDIR", `a folder stands where the object would be: ${file}`)
    : FileErrors.make("EEXIST", `the object is there: ${file}`)
}

const link = (temporary: string, file: string): void => {
  try {
    NodeFs.linkSync(temporary, file)
  } catch (cause) {
    // The folder may be written to, as the temporary file shows; EPERM is how Linux says that there are no links.
    const hasNoLinks = FileErrors.fromCause(cause).code === "EPERM"
    throw hasNoLinks ? FileErrors.make("ENOTSUP", `the file system has no hard links: ${file}`) : cause
  }
}

const remember = (creates: Map<string, Create>, file: string, create: Create): void => {
  creates.delete(file)
  creates.set(file, create)
  const oldest = creates.keys().next()
  if (creates.size > CREATES_MAX && oldest.done !== true) creates.delete(oldest.value)
}
