/**
 * One page of a listing: what is asked for, and what is made of the answer.
 *
 * The engine finds its newest manifest and its WAL objects by listing, so a page
 * that is wrong loses data. An answer that is no listing at all (a proxy's
 * greeting parses as an empty one) is refused, and so is one that is not in byte
 * order or cannot be continued.
 *
 * Objects under the root whose names could not be paths of ours (the folder
 * markers that consoles make, say) are left out.
 */
import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import type { ListObjectsV2Output } from "@aws-sdk/client-s3"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as S3Failure from "./S3Failure.ts"

/** What is asked for: every path of `root` that begins with `prefix` and sorts after `startAfter`. */
export interface Query {
  readonly root: string
  readonly prefix: string
  readonly startAfter: string | undefined
}

/** Where the next page begins: the server's word for it, and the last key it gave. */
export interface Position {
  readonly token: string
  readonly lastKey: string
}

/** A page, and where the next one begins if there is one. */
export type Page = readonly [ReadonlyArray<ObjectStore.ObjectMeta>, Option.Option<Position>]

/**
 * The `Prefix` and `StartAfter` to send. No path holds control characters or lone
 * surrogates, and a URL cannot carry the latter: what stands before them is asked
 * for, and `decode` looks at the rest.
 */
export const parameters = ({ root, prefix, startAfter }: Query): { Prefix: string; StartAfter?: string } => ({
  Prefix: root + sendable(prefix),
  ...(startAfter === undefined ? {} : { StartAfter: root + sendable(startAfter) })
})

const sendable = (text: string): string => {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  const index = text.search(/[\u0000-\u001f\u007f]|\p{Surrogate}/u)
  return index === -1 ? text : text.slice(0, index)
}

/** Makes a page of an answer, which came after `position`. */
export const decode = (
  request: S3Failure.Request,
  query: Query,
  position: Position | undefined,
  answer: ListObjectsV2Output
): Result.Result<Page, ObjectStore.ObjectStoreError> => {
  if (answer.IsTruncated === undefined) return Result.fail(S3Failure.malformed(request, "the answer is not a listing"))
  const page: Array<ObjectStore.ObjectMeta> = []
  let lastKey = position?.lastKey ?? ""
  for (const { Key: key, Size: size, LastModified: lastModified } of answer.Contents ?? []) {
    if (key === undefined || size === undefined || lastModified === undefined) {
      return Result.fail(S3Failure.malformed(request, `the listing lacks key, size or time of an object: key=${key}`))
    }
    if (lastKey !== "" && ObjectStore.comparePaths(lastKey, key) >= 0) {
      const detail = `the listing is not in byte order: key=${key} after=${lastKey}`
      return Result.fail(S3Failure.unsupported(request, detail))
    }
    lastKey = key
    const path = key.slice(query.root.length)
    if (isAskedFor(query, key, path)) {
      page.push({ path, size, lastModified: lastModified.getTime(), putId: undefined })
    }
  }
  if (!answer.IsTruncated) return Result.succeed([page, Option.none()])
  if (answer.NextContinuationToken === undefined) {
    return Result.fail(S3Failure.unsupported(request, `the listing cannot be continued: lastKey=${lastKey}`))
  }
  return Result.succeed([page, Option.some({ token: answer.NextContinuationToken, lastKey })])
}

const isAskedFor = ({ root, prefix, startAfter }: Query, key: string, path: string): boolean =>
  key.startsWith(root) &&
  path.startsWith(prefix) &&
  (startAfter === undefined || ObjectStore.comparePaths(path, startAfter) > 0) &&
  ObjectStore.invalidPath(path) === undefined
