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
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { PlatformError } from "effect/PlatformError"

/** How an operation on files fails, before callers are told in the words of the contract. */
export class FileError extends Data.TaggedError("FileError")<{
  /** That of the operating system: `ENOENT`. */
  readonly code: string
  readonly message: string
  readonly cause?: unknown
}> {}

/** An error as the operating system would raise it. */
export const make = (code: string, message: string): FileError =>
  new FileError({ code, message: `${code}: ${message}` })

/** What was thrown by an operation on files, or what the `FileSystem` service failed with. */
export const fromCause = (cause: unknown): FileError => {
  if (cause instanceof FileError) return cause
  if (cause instanceof PlatformError && cause.reason.cause !== undefined) return fromCause(cause.reason.cause)
  if (!(cause instanceof Error)) return new FileError({ code: "UNKNOWN", message: String(cause), cause })
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : "UNKNOWN"
  return new FileError({ code, message: cause.message, cause })
}

/** Runs a synchronous operation on files. */
export const attempt = <A>(run: () => A): Effect.Effect<A, FileError> => Effect.try({ try: run, catch: fromCause })

export const hasCode =
  (...codes: ReadonlyArray<string>) =>
  (error: FileError): boolean =>
    codes.includes(error.code)

/** Tells why an operation on `path` failed in the words of the contract. */
export const toStoreError =
  (operation: ObjectStore.Operation, path: string) =>
  (error: FileError): ObjectStore.ObjectStoreError =>
    ObjectStore.fail(reasonOf(operation, path, error))

const reasonOf = (
  operation: ObjectStore.Operation,
  path: string,
  { cause, code, message }: FileError
): ObjectStore.Reason => {
  const writes = operation === "put" || operation === "putIfAbsent"
  const details = { operation, path, detail: message, cause }
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
