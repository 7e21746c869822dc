/**
 * What all tests of the suite stand on: a folder of its own for each, bytes that
 * tell where they came from, and assertions on failures.
 */
import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import type { Vitest } from "@effect/vitest"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"

export type It = Vitest.MethodsNonLive<ObjectStore.ObjectStore>

/** The store under test, and a folder in it that nothing else uses. It ends in a slash. */
export const setUp = Effect.gen(function* () {
  const store = yield* ObjectStore.ObjectStore
  const id = yield* Random.nextIntBetween(0, 2 ** 48)
  return { store, folder: `suite/${id.toString(36)}/` }
})

/** `length` bytes that differ from place to place and from seed to seed. */
export const sample = (length: number, seed: number): Uint8Array => {
  const bytes = new Uint8Array(length)
  let state = seed + 1
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

/** Like `deepStrictEqual`, fast for large arrays. */
export const assertBytes = (actual: Uint8Array, expected: Uint8Array, what: string): void => {
  assert.strictEqual(actual.length, expected.length, `${what}: length`)
  assert.isTrue(
    actual.every((byte, i) => byte === expected[i]),
    `${what}: the ${expected.length} bytes that were stored`
  )
}

/** Runs an operation that must fail for this reason and checks what the error says of it. */
export const assertFails = Effect.fnUntraced(function* <A>(
  effect: Effect.Effect<A, ObjectStore.ObjectStoreError>,
  tag: ObjectStore.Reason["_tag"],
  operation: ObjectStore.Operation,
  path: string
) {
  const error = yield* Effect.flip(effect)
  assert.isTrue(ObjectStore.isObjectStoreError(error))
  assert.strictEqual(error.reason._tag, tag, error.message)
  assert.strictEqual(error.reason.operation, operation)
  assert.strictEqual(error.reason.path, path)
  assert.strictEqual(error.isRetryable, tag === "Unavailable")
})

export const listPaths = (
  store: ObjectStore.ObjectStore["Service"],
  prefix: string,
  startAfter?: string
): Effect.Effect<ReadonlyArray<string>, ObjectStore.ObjectStoreError> =>
  Effect.map(Stream.runCollect(store.list({ prefix, startAfter })), (metas) => metas.map(({ path }) => path))
