/**
 * `slate put`: writes one value, and returns when it is durable.
 */
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { Argument, Command, Flag } from "effect/cli"
import * as Problem from "../Problem.ts"
import * as Target from "../Target.ts"
import * as Ttl from "../Ttl.ts"
import * as TypedBytes from "../TypedBytes.ts"

/** Writes one key. The command ends when the write is durable. */
export const put = Command.make(
  "put",
  {
    key: Argument.String("key"),
    value: Argument.String("value").pipe(Argument.withDescription("The value; - reads it from standard input")),
    ttl: Flag.String("ttl").pipe(
      Flag.withMetavar("DURATION"),
      Flag.withDescription('How long the value lives: 90s, "2 days", or none'),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ key, ttl, value }) {
    const keyBytes = yield* TypedBytes.key(key)
    const valueBytes = value === "-" ? yield* standardInput : yield* TypedBytes.value(value)
    const lifetime = yield* Ttl.parse(ttl)
    yield* Target.withWriter((db) => db.put(keyBytes, valueBytes, { ttl: lifetime }))
  }, Problem.catchAll)
).pipe(
  Command.withDescription("Write a value"),
  Command.withExamples([
    { command: "slate put greeting hello --store file:data --db app", description: "Write one key" }
  ])
)

/** All of standard input, as it is. */
const standardInput = Effect.gen(function* () {
  const { stdin } = yield* Stdio.Stdio
  const chunks = yield* Stream.runCollect(stdin)
  return new Uint8Array(Buffer.concat(chunks))
})
