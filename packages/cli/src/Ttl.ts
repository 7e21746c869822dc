/** A lifetime as typed. */
import * as Settings from "@effect-slatedb/core/Settings"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Problem from "./Problem.ts"

/** `undefined` when nothing was said: then the database's default holds. */
export const parse = (
  text: Option.Option<string>
): Effect.Effect<Duration.Input | "none" | undefined, Problem.Problem> => {
  if (Option.isNone(text)) return Effect.succeed(undefined)
  if (text.value === "none") return Effect.succeed("none")
  // A lifetime is spelled and bounded as the default one of the settings is.
  const defaultTtl = /^\d+$/.test(text.value) ? Number(text.value) : text.value
  const settings = Result.flatMap(Settings.fromJson(JSON.stringify({ defaultTtl })), Settings.fromInput)
  return Result.isSuccess(settings) && settings.success.defaultTtl !== null
    ? Effect.succeed(settings.success.defaultTtl)
    : Effect.fail(Problem.usage(`--ttl: "${text.value}" is no duration`, 'give one as 90s or "2 days", or none'))
}
