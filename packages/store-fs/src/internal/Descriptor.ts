/**
 * Reading, writing and syncing by descriptor.
 *
 * What is small is done at once: a read of a few pages from the page cache takes
 * a few microseconds, handing it to a thread and back takes thirty. What may take
 * long (many bytes, any sync) goes to the thread pool.
 *
 * An operation on the thread pool is never abandoned: a descriptor that was closed
 * under it may belong to another file by the time it runs. So none of them can be
 * interrupted; between the chunks of a long read or write there is room for that.
 */
import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as Effect from "effect/Effect"
import NodeFs from "node:fs"
import type { FileError } from "./FileErrors.ts"
import * as FileErrors from "./FileErrors.ts"

/** As many bytes are read or written at once, on the thread of the caller. */
export const SYNC_BYTES_MAX = 256 * 1024

/** Longer parts of a body are written in chunks of this many bytes. */
const CHUNK_BYTES = 1024 * 1024

/** Parts that are shorter are gathered up to this many bytes: a copy costs less than a system call then. */
const GATHERED_BYTES = 64 * 1024

/** Longer ranges are read in chunks of this many bytes. */
const READ_CHUNK_BYTES = 8 * 1024 * 1024

/** Writes a body to a new file. */
export const write = (fd: number, body: ObjectStore.Body): Effect.Effect<void, FileError> => {
  if (ObjectStore.byteLength(body) > SYNC_BYTES_MAX) return writeChunks(fd, body)
  return FileErrors.attempt(() => {
    for (const chunk of chunks(body)) {
      for (let written = 0; written < chunk.length;) written += NodeFs.writeSync(fd, chunk, written)
    }
  })
}

const writeChunks = Effect.fnUntraced(function* (fd: number, body: ObjectStore.Body) {
  for (const chunk of chunks(body)) {
    for (let written = 0; written < chunk.length;) written += yield* writeOnce(fd, chunk.subarray(written))
  }
})

const writeOnce = (fd: number, bytes: Uint8Array): Effect.Effect<number, FileError> =>
  Effect.uninterruptible(
    Effect.callback((resume) => {
      NodeFs.write(fd, bytes, (error, written) =>
        resume(error === null ? Effect.succeed(written) : Effect.fail(FileErrors.fromCause(error)))
      )
    })
  )

/** The body in pieces worth a system call. A piece is valid until the next one is asked for. */
function* chunks(body: ObjectStore.Body): Generator<Uint8Array> {
  const parts = body instanceof Uint8Array ? [body] : body
  const gathered = new Uint8Array(parts.length > 1 ? Math.min(GATHERED_BYTES, ObjectStore.byteLength(body)) : 0)
  let length = 0
  for (const part of parts) {
    if (length + part.length > gathered.length) {
      yield gathered.subarray(0, length)
      length = 0
    }
    if (part.length > gathered.length) {
      for (let start = 0; start < part.length; start += CHUNK_BYTES) yield part.subarray(start, start + CHUNK_BYTES)
    } else {
      gathered.set(part, length)
      length += part.length
    }
  }
  yield gathered.subarray(0, length)
}

/** Reads `length` bytes from `start`. */
export const read = (fd: number, start: number, length: number): Effect.Effect<Uint8Array, FileError> => {
  if (length > SYNC_BYTES_MAX) return readChunks(fd, start, length)
  return FileErrors.attempt(() => {
    const bytes = new Uint8Array(length)
    for (let done = 0; done < length;) {
      done += advance(NodeFs.readSync(fd, bytes, done, length - done, start + done))
    }
    return bytes
  })
}

const readChunks = Effect.fnUntraced(function* (fd: number, start: number, length: number) {
  const bytes = new Uint8Array(length)
  for (let done = 0; done < length;) {
    done += yield* readOnce(fd, bytes.subarray(done, done + READ_CHUNK_BYTES), start + done)
  }
  return bytes
})

const readOnce = (fd: number, bytes: Uint8Array, position: number): Effect.Effect<number, FileError> =>
  Effect.uninterruptible(
    Effect.flatMap(
      Effect.callback<number, FileError>((resume) => {
        NodeFs.read(fd, bytes, 0, bytes.length, position, (error, count) =>
          resume(error === null ? Effect.succeed(count) : Effect.fail(FileErrors.fromCause(error)))
        )
      }),
      (count) => FileErrors.attempt(() => advance(count))
    )
  )

/** Objects do not shrink: only something foreign can have cut the file while it was read. */
const advance = (count: number): number => {
  if (count === 0) throw FileErrors.make("EIO", "the file ended before the size it was opened with")
  return count
}

/** Waits until what was written is on the disk. */
export const sync = (fd: number): Effect.Effect<void, FileError> =>
  Effect.uninterruptible(
    Effect.callback((resume) => {
      NodeFs.fsync(fd, (error) => resume(error === null ? Effect.void : Effect.fail(FileErrors.fromCause(error))))
    })
  )

/** Waits until the entries of a folder are on the disk. */
export const syncFolder = (folder: string): Effect.Effect<void, FileError> =>
  Effect.acquireUseRelease(
    FileErrors.attempt(() => NodeFs.openSync(folder, "r")),
    sync,
    (fd) => Effect.sync(() => NodeFs.closeSync(fd))
  )
