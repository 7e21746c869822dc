/**
 * What a decoder is given that no writer wrote: each prefix of some bytes, and
 * the bytes with each bit flipped.
 */
import { assert } from "@effect/vitest"
import * as Result from "effect/Result"
import { FormatError } from "../../../src/internal/format/FormatError.ts"

/** Runs `decode` on each; it may refuse, in a typed way and at a place inside, or answer. */
export const endures = <A>(bytes: Uint8Array, decode: (bytes: Uint8Array) => Result.Result<A, FormatError>): void => {
  // Hundreds of thousands of errors, of which nobody wants to know where they arose.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    for (const hostile of variants(bytes)) check(decode(hostile))
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

const check = <A>(result: Result.Result<A, FormatError>): void => {
  if (Result.isSuccess(result)) return
  const { failure } = result
  // An assertion costs more than most decodings; it is made once it will fail.
  if (failure instanceof FormatError && failure.offset >= 0 && failure.part !== "" && failure.found !== "") return
  assert.fail(`not a refusal in a typed way and at a place: ${String(failure)}`)
}

export function* variants(bytes: Uint8Array): Iterable<Uint8Array> {
  for (let length = 0; length < bytes.length; length++) yield bytes.slice(0, length)
  yield* flips(bytes)
}

export function* flips(bytes: Uint8Array): Iterable<Uint8Array> {
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice()
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
    yield flipped
  }
}
