/**
 * Byte ranges in HTTP's words: the header that asks for one, and the check that
 * what came back is what was asked for.
 *
 * A `Range` is a wish. A server may answer with the whole object (status 200, no
 * `Content-Range`), and the bytes are then cut from it; a server or a proxy that
 * answers with another range is caught by its own `Content-Range`. So a caller
 * gets the bytes it meant or an error, never others.
 */
import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as Result from "effect/Result"
import * as S3Failure from "./S3Failure.ts"

/** The value of the `Range` header for a valid range. It never reaches beyond what is wanted. */
export const header = (range: ObjectStore.ByteRange): string => {
  if ("suffix" in range) return `bytes=-${range.suffix}`
  if (range.length === undefined) return `bytes=${range.offset}-`
  return `bytes=${range.offset}-${Math.min(range.offset + range.length - 1, Number.MAX_SAFE_INTEGER)}`
}

/** What a server sent for a range. */
export interface Answer {
  readonly bytes: Uint8Array
  /** Its `Content-Range`; absent when it sent the whole object. */
  readonly contentRange: string | undefined
}

/** The bytes of a valid range out of the answer to it. */
export const select = (
  request: S3Failure.Request,
  range: ObjectStore.ByteRange,
  { bytes, contentRange }: Answer
): Result.Result<Uint8Array, ObjectStore.ObjectStoreError> => {
  if (contentRange === undefined) return selectFromWhole(request, range, bytes)
  const sent = parse(contentRange)
  const wanted = sent && ObjectStore.resolveRange(range, sent.size)
  if (sent === undefined || wanted === undefined || sent.start !== wanted.start || sent.end !== wanted.end) {
    const detail = `the server sent another range than asked: asked=${header(range)} contentRange=${contentRange}`
    return Result.fail(S3Failure.unsupported(request, detail))
  }
  if (bytes.length !== sent.end - sent.start) {
    const detail = `the server sent another number of bytes than it said: contentRange=${contentRange} bytes=${bytes.length}`
    return Result.fail(S3Failure.malformed(request, detail))
  }
  return Result.succeed(bytes)
}

const selectFromWhole = (
  request: S3Failure.Request,
  range: ObjectStore.ByteRange,
  bytes: Uint8Array
): Result.Result<Uint8Array, ObjectStore.ObjectStoreError> => {
  const wanted = ObjectStore.resolveRange(range, bytes.length)
  if (wanted === undefined) {
    return Result.fail(S3Failure.invalid(request, `the range begins at or beyond the end: size=${bytes.length}`))
  }
  // A copy, so that a block does not keep its whole object in memory.
  return Result.succeed(new Uint8Array(bytes.subarray(wanted.start, wanted.end)))
}

const parse = (
  contentRange: string
): { readonly start: number; readonly end: number; readonly size: number } | undefined => {
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(contentRange)
  if (match === null) return undefined
  return { start: Number(match[1]), end: Number(match[2]) + 1, size: Number(match[3]) }
}
