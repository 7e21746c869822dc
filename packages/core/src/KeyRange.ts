/**
 * Which keys: bounds, a prefix, or all.
 *
 * A range holds the keys from `start` (included) up to `end` (excluded), in the
 * order of unsigned bytes. Text is UTF-8.
 *
 * @stability unstable
 * @since 0.1.0
 */
import { copyOf } from "./internal/model/ByteCopy.ts"
import { compare } from "./internal/model/ByteOrder.ts"

/**
 * Bytes as callers may give them: an array, or text that is encoded as UTF-8.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Bytes = Uint8Array | string

/**
 * A range of keys. Plain data: make it with the constructors below.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface KeyRange {
  /** First key that may be in the range; absent: no lower bound. */
  readonly start: Uint8Array | undefined
  /** First key beyond the range; absent: no upper bound. */
  readonly end: Uint8Array | undefined
}

/**
 * The bytes of a key or value.
 *
 * **Details**
 *
 * An array is returned as it is, not copied.
 *
 * @stability unstable
 * @category conversions
 * @since 0.1.0
 */
export const toBytes = (bytes: Bytes): Uint8Array => (typeof bytes === "string" ? encoder.encode(bytes) : bytes)

const encoder = new TextEncoder()

/**
 * Every key.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const all: KeyRange = { start: undefined, end: undefined }

/**
 * The keys from `from` (included) to `to` (excluded).
 *
 * **Gotchas**
 *
 * `to` before `from` is not refused here, as this is pure data: a scan of such a
 * range fails with `Invalid`.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: { readonly from?: Bytes | undefined; readonly to?: Bytes | undefined }): KeyRange => ({
  start: options.from === undefined ? undefined : copyOf(toBytes(options.from)),
  end: options.to === undefined ? undefined : copyOf(toBytes(options.to))
})

/**
 * The keys that begin with `prefix`. An empty prefix gives every key.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const prefix = (prefix: Bytes): KeyRange => {
  const start = copyOf(toBytes(prefix))
  return { start: start.length === 0 ? undefined : start, end: successor(start) }
}

/**
 * Whether the range holds the key.
 *
 * @stability unstable
 * @category guards
 * @since 0.1.0
 */
export const contains = (self: KeyRange, key: Uint8Array): boolean =>
  (self.start === undefined || compare(self.start, key) <= 0) && (self.end === undefined || compare(key, self.end) < 0)

/**
 * The keys that are in both ranges.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const intersect = (self: KeyRange, that: KeyRange): KeyRange => ({
  start:
    self.start === undefined || (that.start !== undefined && compare(that.start, self.start) > 0)
      ? that.start
      : self.start,
  end: self.end === undefined || (that.end !== undefined && compare(that.end, self.end) < 0) ? that.end : self.end
})

/**
 * Whether no key can be in the range.
 *
 * @stability unstable
 * @category guards
 * @since 0.1.0
 */
export const isEmpty = (self: KeyRange): boolean =>
  self.start !== undefined && self.end !== undefined && compare(self.start, self.end) >= 0

/**
 * Whether the end sorts before the start: no such range was meant.
 *
 * @stability unstable
 * @category guards
 * @since 0.1.0
 */
export const isReversed = (self: KeyRange): boolean =>
  self.start !== undefined && self.end !== undefined && compare(self.start, self.end) > 0

/** The least byte string above everything that begins with `prefix`: none when all its bytes are 0xff. */
const successor = (prefix: Uint8Array): Uint8Array | undefined => {
  let last = prefix.length - 1
  while (last >= 0 && prefix[last] === 0xff) last--
  if (last < 0) return undefined
  const end = copyOf(prefix, 0, last + 1)
  end[last] = (end[last] as number) + 1
  return end
}
