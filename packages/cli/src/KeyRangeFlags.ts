/** Which keys, as flags of the commands that walk them. */
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Flag } from "effect/cli"
import * as TypedBytes from "./TypedBytes.ts"

const bound = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar("KEY"), Flag.withDescription(description), Flag.optional)

export const flags = {
  from: bound("from", "First key"),
  to: bound("to", "Key to stop before"),
  prefix: bound("prefix", "Only keys that begin with this")
}

/** The keys that all given flags allow. */
export const parse = Effect.fnUntraced(function* (given: {
  readonly [Name in keyof typeof flags]: Option.Option<string>
}) {
  const bytes = (text: Option.Option<string>) =>
    Option.isNone(text) ? Effect.succeed(undefined) : TypedBytes.key(text.value)
  const from = yield* bytes(given.from)
  const to = yield* bytes(given.to)
  const prefix = yield* bytes(given.prefix)
  const range = KeyRange.make({ from, to })
  return prefix === undefined ? range : KeyRange.intersect(KeyRange.prefix(prefix), range)
})
