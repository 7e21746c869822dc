/**
 * The write-ahead log: numbered objects, each a table of rows in the order they
 * were written.
 *
 * Ids are contiguous. Creating the next one is also how writers find out about
 * each other: an object that is there and is not ours was put by a successor, who
 * fenced us (L10).
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type * as DbError from "../../DbError.ts"
import type { Body, ObjectStore } from "../../ObjectStore.ts"
import * as SsTableReader from "../format/SsTableReader.ts"
import type { ObjectPaths } from "./ObjectPaths.ts"
import * as StoreFailure from "./StoreFailure.ts"

export interface WalStore {
  /**
   * Creates WAL object `id`; `false` when another writer's object is there. May be
   * repeated with the same `putId` until it answers.
   */
  readonly create: (id: number, body: Body, putId: string) => Effect.Effect<boolean, DbError.DbError>
  /** Puts a fence at `id`: an object without rows that the official engine reads, too. */
  readonly fence: (id: number, putId: string) => Effect.Effect<boolean, DbError.DbError>
  /** The bytes of an object; `undefined` when there is none. */
  readonly read: (id: number) => Effect.Effect<Uint8Array | undefined, DbError.DbError>
  /** Ids above `after` that exist, ascending. */
  readonly idsAfter: (after: number) => Effect.Effect<ReadonlyArray<number>, DbError.DbError>
}

export const make = (store: ObjectStore["Service"], paths: ObjectPaths): WalStore => {
  const folder = paths.wals
  const create = (id: number, body: Body, putId: string) =>
    store.putIfAbsent(folder.path(id), body, { putId }).pipe(
      Effect.as(true),
      Effect.catchReason("ObjectStoreError", "AlreadyExists", () => Effect.succeed(false)),
      Effect.mapError(StoreFailure.fromStore)
    )
  return {
    create,
    fence: (id, putId) => create(id, SsTableReader.fence(), putId),
    read: (id) =>
      store.get(folder.path(id)).pipe(
        Effect.map((bytes): Uint8Array | undefined => bytes),
        Effect.catchReason("ObjectStoreError", "NotFound", () => Effect.succeed(undefined)),
        Effect.mapError(StoreFailure.fromStore)
      ),
    idsAfter: (after) =>
      store.list({ prefix: folder.prefix, startAfter: after === 0 ? undefined : folder.path(after) }).pipe(
        Stream.runFold(
          (): Array<number> => [],
          (ids, meta) => {
            const id = folder.id(meta.path)
            if (id !== undefined && id > after) ids.push(id)
            return ids
          }
        ),
        Effect.mapError(StoreFailure.fromStore)
      )
  }
}
