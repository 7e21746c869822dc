/**
 * The one thing a database stands on: a service that keeps named objects.
 *
 * An object is created whole and read whole or by range; it is never changed in
 * place. The engine needs a single conditional, create-if-absent: manifests and
 * WAL objects are numbered, and who creates a number first owns it. A store that
 * lets two writers both "create" one object loses data, so a database checks
 * its store at the first open.
 *
 * **Paths** are relative, `/`-separated, without empty, `.` or `..` segments
 * ({@link invalidPath}). Each store puts its own root or bucket prefix in front.
 * A path and a folder of the same name (`a` and `a/b`) may live side by side in
 * one store and exclude each other in another (`Invalid`): do not make such names.
 *
 * **Retries.** A store retries what is worth retrying (`isRetryable`) by itself,
 * as long as its own policy says; what still fails reaches the engine, whose
 * tasks go on retrying in their own time. A lost race (`AlreadyExists`) is never
 * retried.
 *
 * **Put ids.** A create whose answer was lost may have happened. Every create
 * carries a fresh id that a store keeps beside the object where it can: when the
 * object is there already and carries the same id, the create was ours and
 * succeeds. So `putIfAbsent` may be repeated with the same id until it answers.
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type * as Stream from "effect/Stream"

/**
 * The bytes of an object: one array, or several to be stored one after another.
 * A store only reads them, and only until its effect ends: then their memory may be
 * written anew.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Body = Uint8Array | ReadonlyArray<Uint8Array>

/**
 * Which bytes of an object: `length` bytes from `offset`, everything from
 * `offset`, or the last `suffix` bytes. A range that reaches beyond the end gives
 * what is there; one that begins at or beyond the end, or of no bytes, is
 * `Invalid`. A suffix longer than the object gives the whole object. An empty
 * object has no valid range.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type ByteRange =
  | { readonly offset: number; readonly length: number }
  | { readonly offset: number; readonly length?: undefined }
  | { readonly suffix: number }

/**
 * What a store knows of an object without reading it.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface ObjectMeta {
  readonly path: string
  /** Bytes. */
  readonly size: number
  /** By the store's clock, milliseconds since the Unix epoch. */
  readonly lastModified: number
  /** The id it was created with, where the store keeps one. Listings need not have it. */
  readonly putId: string | undefined
}

/**
 * What may be asked of a store; `open` is setting one up.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Operation = "get" | "getRange" | "head" | "put" | "putIfAbsent" | "delete" | "list" | "open"

/**
 * Details that every reason carries: the operation, the path it was asked for,
 * and what the store said.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface ReasonDetails {
  readonly operation: Operation
  readonly path: string
  readonly detail?: string | undefined
  readonly cause?: unknown
}

/**
 * There is no such object.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class NotFound extends Data.TaggedError("NotFound")<ReasonDetails> {
  readonly isRetryable: boolean = false
  override get message(): string {
    return say("object not found", this)
  }
}

/**
 * The object exists and was not created by this put.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class AlreadyExists extends Data.TaggedError("AlreadyExists")<ReasonDetails> {
  readonly isRetryable: boolean = false
  override get message(): string {
    return say("object exists already", this)
  }
}

/**
 * The store could not be reached, timed out, was overloaded or failed inside. A
 * write may or may not have happened.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class Unavailable extends Data.TaggedError("Unavailable")<ReasonDetails> {
  readonly isRetryable: boolean = true
  override get message(): string {
    return say("object store unavailable", this)
  }
}

/**
 * The store refuses these credentials this operation.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class Denied extends Data.TaggedError("Denied")<ReasonDetails> {
  readonly isRetryable: boolean = false
  override get message(): string {
    return say("object store denies access", this)
  }
}

/**
 * The request makes no sense to the store: a path outside its rules, a range
 * beyond the object, a bucket that does not exist.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class Invalid extends Data.TaggedError("Invalid")<ReasonDetails> {
  readonly isRetryable: boolean = false
  override get message(): string {
    return say("invalid object store request", this)
  }
}

/**
 * The store cannot do what a database needs, for example create-if-absent.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class Unsupported extends Data.TaggedError("Unsupported")<ReasonDetails> {
  readonly isRetryable: boolean = false
  override get message(): string {
    return say("object store lacks a capability", this)
  }
}

/**
 * Why a store operation failed.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export type Reason = NotFound | AlreadyExists | Unavailable | Denied | Invalid | Unsupported

const TypeId = "~@effect-slatedb/core/ObjectStore/ObjectStoreError"

/**
 * A store operation failed, for the `reason` it carries. Use
 * `Effect.catchReason("ObjectStoreError", "NotFound", ...)` to handle one.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class ObjectStoreError extends Data.TaggedError("ObjectStoreError")<{ readonly reason: Reason }> {
  readonly [TypeId] = TypeId

  /** Whether the same request may succeed later. */
  get isRetryable(): boolean {
    return this.reason.isRetryable
  }

  override get message(): string {
    return this.reason.message
  }
}

/**
 * Whether a value is an {@link ObjectStoreError}.
 *
 * @stability unstable
 * @category guards
 * @since 0.1.0
 */
export const isObjectStoreError = (u: unknown): u is ObjectStoreError => Predicate.hasProperty(u, TypeId)

/**
 * Wraps a reason.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const fail = (reason: Reason): ObjectStoreError => new ObjectStoreError({ reason })

/**
 * Where a database keeps its objects. Provided by `MemoryObjectStore`,
 * `FileObjectStore` or `S3ObjectStore`, or by your own implementation: run
 * the conformance suite of the testkit against it.
 *
 * **Details**
 *
 * - Every operation on one path refuses an {@link invalidPath} as `Invalid`, also
 *   when it would have had nothing to do.
 * - `get`, `getRange`: fresh bytes that the caller owns. `NotFound` when absent.
 *   An {@link invalidRange} is refused without looking for the object.
 * - `head`: size and modification time. `NotFound` when absent.
 * - `put`: creates or replaces, whole or not at all; a reader meets the old bytes
 *   or the new ones. The new object has no put id. Durable when it answers.
 * - `putIfAbsent`: creates, whole or not at all; `AlreadyExists` when another
 *   put's object is there, which stays as it is. Durable when it answers.
 * - `delete`: succeeds also when there is nothing to delete.
 * - `list`: every object whose path begins with `prefix` (plain text, not a
 *   folder; any text may be asked for) and sorts after `startAfter`, in the order of
 *   {@link comparePaths}, page by page as the stream is pulled. What was there
 *   before the first pull and still is after the last one is listed exactly once;
 *   what came or went meanwhile may be listed or not. A stream may be run again
 *   and is then a new listing.
 * - An interrupted `put`, `putIfAbsent` or `delete` has happened or has not, or
 *   happens a little later: never by half.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export class ObjectStore extends Context.Service<
  ObjectStore,
  {
    readonly get: (path: string) => Effect.Effect<Uint8Array, ObjectStoreError>
    readonly getRange: (path: string, range: ByteRange) => Effect.Effect<Uint8Array, ObjectStoreError>
    readonly head: (path: string) => Effect.Effect<ObjectMeta, ObjectStoreError>
    readonly put: (path: string, body: Body) => Effect.Effect<void, ObjectStoreError>
    readonly putIfAbsent: (
      path: string,
      body: Body,
      options: { readonly putId: string }
    ) => Effect.Effect<void, ObjectStoreError>
    readonly delete: (path: string) => Effect.Effect<void, ObjectStoreError>
    readonly list: (options: {
      readonly prefix: string
      readonly startAfter?: string | undefined
    }) => Stream.Stream<ObjectMeta, ObjectStoreError>
  }
>()("@effect-slatedb/core/ObjectStore") {}

/**
 * The number of bytes in a body.
 *
 * @stability unstable
 * @category getters
 * @since 0.1.0
 */
export const byteLength = (body: Body): number =>
  body instanceof Uint8Array ? body.length : body.reduce((sum, part) => sum + part.length, 0)

const PATH_BYTES_MAX = 1024

/**
 * What is wrong with a path, or `undefined` when it may be used: it is relative,
 * not empty, at most 1,024 UTF-8 bytes, well-formed text without control
 * characters, and without empty, `.` or `..` segments. Every store refuses what
 * this refuses.
 *
 * @stability unstable
 * @category guards
 * @since 0.1.0
 */
export const invalidPath = (path: string): string | undefined => {
  if (path.length === 0) return "path is empty"
  // A UTF-16 unit is at most three UTF-8 bytes, so short paths need no encoding.
  if (path.length * 3 > PATH_BYTES_MAX && new TextEncoder().encode(path).length > PATH_BYTES_MAX) {
    return `path is longer than ${PATH_BYTES_MAX} bytes`
  }
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i)
    if (code < 0x20 || code === 0x7f) return `path holds control character ${code} at index ${i}`
    if (code < 0xd800 || code > 0xdfff) continue
    // Two lone surrogates have the same UTF-8 bytes: two paths would be one object.
    const next = path.charCodeAt(++i)
    if (code > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return `path holds a lone surrogate at index ${i - 1}`
  }
  for (const segment of path.split("/")) {
    if (segment === "") return "path has an empty segment (leading, trailing or double slash)"
    if (segment === "." || segment === "..") return `path has a '${segment}' segment`
  }
  return undefined
}

/**
 * The order of listings: that of the UTF-8 bytes of the paths. It differs from
 * the order of JavaScript strings where one has a character above U+FFFF.
 *
 * @stability unstable
 * @category ordering
 * @since 0.1.0
 */
export const comparePaths = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return codePointRank(x) - codePointRank(y)
  }
  return a.length - b.length
}

/** UTF-16 units in the order of the code points they begin: surrogates stand for those above U+FFFF. */
const codePointRank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit)

/**
 * What is wrong with a range whatever the object, or `undefined` when it may be
 * asked for: offset, length and suffix are safe integers, the offset not negative,
 * the others at least 1.
 *
 * @stability unstable
 * @category guards
 * @since 0.1.0
 */
export const invalidRange = (range: ByteRange): string | undefined => {
  if ("suffix" in range) return notAtLeast("suffix", range.suffix, 1)
  return (
    notAtLeast("offset", range.offset, 0) ??
    (range.length === undefined ? undefined : notAtLeast("length", range.length, 1))
  )
}

const notAtLeast = (name: string, value: number, bound: number): string | undefined =>
  Number.isSafeInteger(value) && value >= bound
    ? undefined
    : `range ${name} must be an integer of at least ${bound}: ${name}=${value}`

/**
 * The bytes `[start, end)` that a valid range means in an object of `size` bytes,
 * or `undefined` when it begins at or beyond the end.
 *
 * @stability unstable
 * @category getters
 * @since 0.1.0
 */
export const resolveRange = (
  range: ByteRange,
  size: number
): { readonly start: number; readonly end: number } | undefined => {
  const start = "suffix" in range ? Math.max(0, size - range.suffix) : range.offset
  if (start >= size) return undefined
  const end = "suffix" in range || range.length === undefined ? size : Math.min(size, start + range.length)
  return { start, end }
}

const say = (what: string, details: ReasonDetails): string =>
  `${what}: operation=${details.operation} path=${details.path}${
    details.detail === undefined ? "" : ` detail=${details.detail}`
  }`
