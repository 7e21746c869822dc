/**
 * Finds out what a store can do, by doing it to objects of its own that it deletes
 * afterwards.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type * as DbError from "../../DbError.ts"
import type { ObjectStore, ObjectStoreError } from "../../ObjectStore.ts"
import type { ObjectPaths } from "./ObjectPaths.ts"
import * as StoreFailure from "./StoreFailure.ts"
import type { UlidSource } from "./UlidSource.ts"

/** One thing that a store does or does not. */
export interface Capability {
  readonly name: string
  /** Whether a database cannot do without it. */
  readonly isRequired: boolean
  readonly isSupported: boolean
  /** What it is good for, or what was seen instead. */
  readonly detail: string
}

/** Fails when the store does not answer or denies access; what it answers wrongly is in the result. */
export const survey = Effect.fnUntraced(function* (
  store: ObjectStore["Service"],
  paths: ObjectPaths,
  ulids: UlidSource
): Effect.fn.Return<ReadonlyArray<Capability>, DbError.DbError> {
  const folder = paths.probe(ulids.next())
  const names = [`${folder}/a`, `${folder}/b`, `${folder}/c`] as const
  return yield* examine(store, folder, names, ulids).pipe(
    Effect.ensuring(Effect.forEach(names, (name) => Effect.ignore(store.delete(name)))),
    Effect.mapError(StoreFailure.fromStore)
  )
})

const examine = Effect.fnUntraced(function* (
  store: ObjectStore["Service"],
  folder: string,
  names: readonly [string, string, string],
  ulids: UlidSource
): Effect.fn.Return<ReadonlyArray<Capability>, ObjectStoreError> {
  const [a, b, c] = names
  const create = (path: string, putId: string) =>
    store.putIfAbsent(path, content, { putId }).pipe(
      Effect.as(true),
      Effect.catchReason("ObjectStoreError", "AlreadyExists", () => Effect.succeed(false))
    )
  const putId = ulids.next()
  const created = yield* create(a, putId)
  const again = yield* create(a, ulids.next())
  const repeated = yield* create(a, putId)
  const { size } = yield* store.head(a)
  const range = yield* store.getRange(a, { offset: 2, length: 3 })
  const suffix = yield* store.getRange(a, { suffix: 4 })
  yield* store.put(c, content)
  yield* store.put(b, content)
  const listed = yield* list(store, folder, a)
  yield* store.delete(b)
  const afterDelete = yield* list(store, folder, a)
  return [
    {
      name: "create if absent",
      isRequired: true,
      isSupported: created && !again,
      detail: again
        ? "an object could be created twice: two writers would destroy each other's data"
        : "who is first owns a number"
    },
    {
      name: "put id",
      isRequired: false,
      isSupported: repeated,
      detail: repeated
        ? "a create whose answer was lost can be told from a lost race"
        : "none is kept: creates are not ambiguous here"
    },
    {
      name: "ranges",
      isRequired: true,
      isSupported:
        isSame(range, content.subarray(2, 5)) && isSame(suffix, content.subarray(4)) && size === content.length,
      detail: `bounded=${range.join(",")} suffix=${suffix.join(",")} size=${size}`
    },
    {
      name: "ordered listing",
      isRequired: true,
      isSupported: listed.join() === [b, c].join(),
      detail: "names in byte order, from after a given one, with what was just written"
    },
    { name: "delete", isRequired: true, isSupported: afterDelete.join() === c, detail: "what is deleted is not listed" }
  ]
})

const content = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7)

const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.join() === b.join()

const list = (store: ObjectStore["Service"], folder: string, after: string) =>
  store.list({ prefix: `${folder}/`, startAfter: after }).pipe(
    Stream.map((meta) => meta.path),
    Stream.runCollect
  )
