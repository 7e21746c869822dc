/**
 * The envelope of manifests and compactions files: a big-endian u16, then a
 * FlatBuffer. No checksum, no length, no magic number.
 *
 * A number that is not known is refused by name: it may mean anything.
 */
import * as Result from "effect/Result"
import { corrupt, type FormatError, unsupported } from "./FormatError.ts"

/** Bytes of the version, before the FlatBuffer. */
export const size = 2

export const read = <const Version extends number>(
  part: string,
  bytes: Uint8Array,
  supported: ReadonlyArray<Version>
): Result.Result<Version, FormatError> => {
  if (bytes.length < size) return corrupt(`${part} version`, 0, `${size} bytes`, `${bytes.length} bytes`)
  const version = ((bytes[0] as number) << 8) | (bytes[1] as number)
  const known = supported.find((candidate) => candidate === version)
  return known === undefined
    ? unsupported(`${part} version`, 0, supported.join(" or "), version)
    : Result.succeed(known)
}

/** Fills in the version, in the bytes kept for it. */
export const write = (bytes: Uint8Array, version: number): Uint8Array => {
  bytes[0] = version >> 8
  bytes[1] = version & 0xff
  return bytes
}
