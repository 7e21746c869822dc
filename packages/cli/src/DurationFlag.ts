/** A duration as a flag, in the spellings that settings have. */
import * as Settings from "@effect-slatedb/core/Settings"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { Flag } from "effect/cli"
import * as Problem from "./Problem.ts"

export const make = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar("DURATION"), Flag.withDescription(description), Flag.optional)

/** `undefined` when nothing was said. */
export const parse = (
  name: string,
  text: Option.Option<string>
): Effect.Effect<Duration.Duration | undefined, Problem.Problem> => {
  if (Option.isNone(text)) return Effect.succeed(undefined)
  // The widest duration among the settings, so that bounds are for who uses it.
  const defaultTtl = /^\d+$/.test(text.value) ? Number(text.value) : text.value
  const settings = Result.flatMap(Settings.fromJson(JSON.stringify({ defaultTtl })), Settings.fromInput)
  return Result.isSuccess(settings) && settings.success.defaultTtl !== null
    ? Effect.succeed(settings.success.defaultTtl)
    : Effect.fail(Problem.usage(`--${name}: "${text.value}" is no duration`, 'give one as 90s or "2 days"'))
}
