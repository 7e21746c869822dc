/**
 * What must fail: with an error of a kind, with words that help, and with the bucket
 * left as it was.
 */
import type * as DbError from "@effect-slatedb/core/DbError"
import type * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"

/** Runs what must fail with a reason of this kind and these words, and must leave the bucket as it was. */
export const refused = <A>(
  bucket: MemoryObjectStore.State,
  effect: Effect.Effect<A, DbError.DbError | DbError.KeyNotFound>,
  reason: DbError.Reason["_tag"],
  ...words: ReadonlyArray<string>
) =>
  Effect.gen(function* () {
    const before = new Map(bucket.objects)
    const error = yield* Effect.flip(effect)
    if (error._tag !== "DbError") return assert.fail(error._tag)
    assert.strictEqual(error.reason._tag, reason, error.message)
    for (const word of words) assert.include(error.message, word)
    assert.deepStrictEqual(new Map(bucket.objects), before)
    return error
  })
