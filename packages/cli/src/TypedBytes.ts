/** Keys and values as they were typed: bytes, by the formats of the command line. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as ByteText from "./ByteText.ts"
import * as GlobalFlags from "./GlobalFlags.ts"
import * as Problem from "./Problem.ts"

export const key = (text: string) => Effect.flatMap(GlobalFlags.KeyFormat, (format) => parse("key", format, text))

export const value = (text: string) => Effect.flatMap(GlobalFlags.ValueFormat, (format) => parse("value", format, text))

const parse = (what: "key" | "value", format: ByteText.Format, text: string) =>
  Effect.fromResult(
    Result.mapError(ByteText.parse(format, text), (detail) =>
      Problem.usage(`${what}: ${detail}`, `correct it, or say with --${what} how it is written`)
    )
  )
