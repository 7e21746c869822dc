/**
 * The boundary of a numbered folder in the store: up to which id a collector may
 * have deleted objects.
 *
 *     collector    raise to the greatest id ──> delete
 *     creator      create id ──> read: id at or below it? lost
 *
 * A raise comes before the deletes, so whoever creates an id that was deleted reads a
 * boundary that says so. The value only grows; but a store has no conditional put
 * (ADR 21), so two collectors that raise at the same moment may leave the lesser of
 * their values. `raise` looks again after it wrote, and a collector raises once more
 * after its deletes (ADR 33).
 */
import * as Effect from "effect/Effect"
import type * as DbError from "../../DbError.ts"
import type { ObjectStore } from "../../ObjectStore.ts"
import * as BoundaryCodec from "../format/BoundaryCodec.ts"
import * as StoreFailure from "./StoreFailure.ts"
import type { UlidSource } from "./UlidSource.ts"

/** The boundary; 0 when there is none. */
export const read = (store: ObjectStore["Service"], path: string): Effect.Effect<number, DbError.DbError> =>
  Effect.map(find(store, path), (found) => found ?? 0)

/** Lifts the boundary to `id` at least: done when a read shows it. */
export const raise = Effect.fnUntraced(function* (
  store: ObjectStore["Service"],
  path: string,
  ulids: UlidSource,
  id: number
): Effect.fn.Return<void, DbError.DbError> {
  const body = BoundaryCodec.encode(id)
  for (;;) {
    const found = yield* find(store, path)
    if (found !== undefined && found >= id) return
    yield* found !== undefined
      ? Effect.mapError(store.put(path, body), StoreFailure.fromStore)
      : store.putIfAbsent(path, body, { putId: ulids.next() }).pipe(
          Effect.catchReason("ObjectStoreError", "AlreadyExists", () => Effect.void),
          Effect.mapError(StoreFailure.fromStore)
        )
  }
})

const find = (store: ObjectStore["Service"], path: string): Effect.Effect<number | undefined, DbError.DbError> =>
  store.get(path).pipe(
    Effect.map((bytes): Uint8Array | undefined => bytes),
    Effect.catchReason("ObjectStoreError", "NotFound", () => Effect.succeed(undefined)),
    Effect.mapError(StoreFailure.fromStore),
    Effect.flatMap((bytes) =>
      bytes === undefined
        ? Effect.succeed(undefined)
        : Effect.mapError(Effect.fromResult(BoundaryCodec.decode(bytes)), StoreFailure.fromFormat(path))
    )
  )
