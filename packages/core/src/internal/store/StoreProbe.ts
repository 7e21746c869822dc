/**
 * Whether a store keeps the one promise that a database cannot do without: an
 * object is created once.
 *
 * A store that ignores the condition lets two writers both own a number, and loses
 * data without a word. So the first open of a store creates an object twice and
 * expects to be refused.
 */
import * as Effect from "effect/Effect"
import * as DbError from "../../DbError.ts"
import type { ObjectStore } from "../../ObjectStore.ts"
import type { ObjectPaths } from "./ObjectPaths.ts"
import * as StoreFailure from "./StoreFailure.ts"
import type { UlidSource } from "./UlidSource.ts"

/** Stores that passed, in this process. */
const passed = new WeakSet<ObjectStore["Service"]>()

/** Fails with `Unsupported` when the store lets an object be created twice. Once for each store and process. */
export const probeOnce = (store: ObjectStore["Service"], paths: ObjectPaths, ulids: UlidSource) =>
  Effect.suspend(() =>
    passed.has(store)
      ? Effect.void
      : probe(store, paths, ulids).pipe(Effect.tap(() => Effect.sync(() => passed.add(store))))
  )

export const probe = Effect.fnUntraced(function* (
  store: ObjectStore["Service"],
  paths: ObjectPaths,
  ulids: UlidSource
): Effect.fn.Return<void, DbError.DbError> {
  const path = paths.probe(ulids.next())
  const create = (content: number) => store.putIfAbsent(path, new Uint8Array([content]), { putId: ulids.next() })
  const isRefusedAgain = create(2).pipe(
    Effect.as(false),
    Effect.catchReason("ObjectStoreError", "AlreadyExists", () => Effect.succeed(true))
  )
  const isRefused = yield* create(1).pipe(
    Effect.andThen(isRefusedAgain),
    Effect.mapError(StoreFailure.fromStore),
    // Also when the open fails meanwhile, and this is interrupted.
    Effect.ensuring(Effect.ignore(store.delete(path)))
  )
  if (!isRefused) {
    return yield* DbError.fail(
      new DbError.Unsupported({
        what: "object store",
        detail: `create-if-absent is not honoured: path=${path} was created twice; two writers would destroy each other's data`
      })
    )
  }
})
