/**
 * What the operating system says, in the words of the store contract.
 *
 * | error | reading, deleting | writing |
 * |---|---|---|
 * | ENOENT | `NotFound` | `Unavailable`: a file or folder vanished under the write |
 * | ENOTDIR, EISDIR | `NotFound`: no such object can be there | `Invalid`: a path crosses an object or a folder |
 * | EEXIST | | `AlreadyExists` |
 * | EACCES, EPERM, EROFS | `Denied` | `Denied` |
 * | EINVAL, ELOOP, ENAMETOOLONG | `Invalid` | `Invalid` |
 * | ENOSYS, ENOTSUP, EOPNOTSUPP | `Unsupported` | `Unsupported` |
 * | everything else: EIO, ENOSPC, EDQUOT, EMFILE, EBUSY, ESTALE... | `Unavailable` | `Unavailable` |
 *
 * Only `Unavailable` is worth repeating: a disk gets space, a descriptor free.
 */
import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as Effect from "effect/Effect"
import type { PlatformError } from "effect/PlatformError"

/** How an operation on files fails before it is told to callers. */
export type FileError = PlatformError | NodeJS.ErrnoException

/** Runs a synchronous operation on files. */
export const attempt = <A>(run: () => A): Effect.Effect<A, FileError> =>
  Effect.try({ try: run, catch: (cause) => (cause instanceof Error ? cause : new Error(String(cause))) })

/** Tells why an operation on `path` failed in the words of the contract. */
export const toStoreError =
  (operation: ObjectStore.Operation, path: string) =>
  (error: FileError): ObjectStore.ObjectStoreError =>
    ObjectStore.fail(reasonOf(operation, path, error))

const reasonOf = (operation: ObjectStore.Operation, path: string, error: FileError): ObjectStore.Reason => {
  const { code, message } = errnoOf(error)
  const writes = operation === "put" || operation === "putIfAbsent"
  const details = { operation, path, detail: message, cause: error }
  switch (code) {
    case "ENOENT":
      return writes ? new ObjectStore.Unavailable(details) : new ObjectStore.NotFound(details)
    case "ENOTDIR":
    case "EISDIR":
      return writes ? new ObjectStore.Invalid(details) : new ObjectStore.NotFound(details)
    case "EEXIST":
      return new ObjectStore.AlreadyExists(details)
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new ObjectStore.Denied(details)
    case "EINVAL":
    case "ELOOP":
    case "ENAMETOOLONG":
      return new ObjectStore.Invalid(details)
    case "ENOSYS":
    case "ENOTSUP":
    case "EOPNOTSUPP":
      return new ObjectStore.Unsupported(details)
    default:
      return new ObjectStore.Unavailable(details)
  }
}

/** The error of the operating system, also from inside a `PlatformError`. */
export const errnoOf = (error: FileError): NodeJS.ErrnoException => {
  if (!("reason" in error)) return error
  return error.reason.cause instanceof Error ? error.reason.cause : error
}

/** An error as the operating system would have raised it. */
export const errno = (code: string, message: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`${code}: ${message}`), { code })
