/**
 * Why bytes could not be understood.
 *
 * Decoders are pure and answer with a `Result`: they know the offset inside the
 * bytes they were given, not the object these came from. The store floor adds
 * the object's path and turns this into a `DbError`.
 */
import * as Data from "effect/Data"
import * as Result from "effect/Result"

/**
 * - `corrupt`: no writer writes these bytes.
 * - `unsupported`: a newer writer may; `found` names the version or feature.
 */
export class FormatError extends Data.TaggedError("FormatError")<{
  readonly kind: "corrupt" | "unsupported"
  /** The part at fault, in the words of the format documents: `block crc`, `manifest.l0`, `row flags`. */
  readonly part: string
  /** Byte offset inside the bytes that were decoded. */
  readonly offset: number
  readonly expected: string
  readonly found: string
}> {
  override get message(): string {
    return `${this.kind} ${this.part}: offset=${this.offset} expected=${this.expected} found=${this.found}`
  }
}

export const corrupt = (
  part: string,
  offset: number,
  expected: string,
  found: string | number
): Result.Result<never, FormatError> =>
  Result.fail(new FormatError({ kind: "corrupt", part, offset, expected, found: String(found) }))

export const unsupported = (
  part: string,
  offset: number,
  expected: string,
  found: string | number
): Result.Result<never, FormatError> =>
  Result.fail(new FormatError({ kind: "unsupported", part, offset, expected, found: String(found) }))

/** The same error, its offset counted from further left: for a part decoded on its own. */
export const shift = (error: FormatError, by: number): FormatError =>
  new FormatError({
    kind: error.kind,
    part: error.part,
    offset: error.offset + by,
    expected: error.expected,
    found: error.found
  })
