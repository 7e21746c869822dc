/**
 * `slate delete`: removes keys, all in one batch.
 */
import * as WriteBatch from "@effect-slatedb/core/WriteBatch"
import * as Effect from "effect/Effect"
import { Argument, Command } from "effect/cli"
import * as Problem from "../Problem.ts"
import * as Target from "../Target.ts"
import * as TypedBytes from "../TypedBytes.ts"

/** Deletes keys, all or none. The command ends when that is durable. */
export const delete_ = Command.make(
  "delete",
  { keys: Argument.String("key").pipe(Argument.variadic({ min: 1 })) },
  Effect.fnUntraced(function* ({ keys }) {
    const bytes = yield* Effect.forEach(keys, TypedBytes.key)
    const batch = bytes.reduce((batch, key) => WriteBatch.delete(batch, key), WriteBatch.empty)
    yield* Target.withWriter((db) => db.write(batch))
  }, Problem.catchAll)
).pipe(Command.withDescription("Delete keys, all in one batch; one that is not there is no error"))
