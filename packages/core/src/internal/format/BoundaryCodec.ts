/**
 * The object `gc/<kind>.boundary`: all ids up to this one, of that kind, may have
 * been deleted by a collector. Whoever creates such an id afterwards created it
 * where nobody looks, and must treat it as lost.
 *
 * Text: decimal digits and nothing else. It only ever grows.
 */
import * as Result from "effect/Result"
import { corrupt, type FormatError } from "./FormatError.ts"

/** Digits of 2^64 - 1. */
const digitsMax = 20

const zero = "0".charCodeAt(0)

export const encode = (id: number): Uint8Array => new TextEncoder().encode(String(id))

export const decode = (bytes: Uint8Array): Result.Result<number, FormatError> => {
  if (bytes.length === 0 || bytes.length > digitsMax) {
    return corrupt("boundary", 0, `1 to ${digitsMax} digits`, `${bytes.length} bytes`)
  }
  let id = 0
  for (let i = 0; i < bytes.length; i++) {
    const digit = (bytes[i] as number) - zero
    if (digit < 0 || digit > 9) return corrupt("boundary", i, "a decimal digit", `byte ${bytes[i]}`)
    id = id * 10 + digit
  }
  if (id > Number.MAX_SAFE_INTEGER) return corrupt("boundary", 0, "at most 2^53 - 1", `about ${id}`)
  return Result.succeed(id)
}
