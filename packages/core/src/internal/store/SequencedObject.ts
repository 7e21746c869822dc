/**
 * A register kept as numbered objects: version n + 1 is created if absent, and
 * nothing is ever overwritten (L11). Manifest and compactions file are two of it.
 *
 *     read latest ──> edit (pure) ──> create n + 1 ── created ──> done
 *          ^                              │
 *          └────────── conflict ──────────┘
 *
 * A collector may have deleted old versions and moved a *boundary* up to the
 * greatest id that it deleted. A writer that slept meanwhile could create such an
 * id again; so after each create the boundary is read, and a version at or below
 * it counts as a conflict.
 *
 * Who holds an epoch checks it in `edit`, against every version it is given.
 */
import * as Effect from "effect/Effect"
import type * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type * as DbError from "../../DbError.ts"
import type { ObjectStore } from "../../ObjectStore.ts"
import type { FormatError } from "../format/FormatError.ts"
import * as Boundary from "./Boundary.ts"
import type { Folder } from "./ObjectPaths.ts"
import * as StoreFailure from "./StoreFailure.ts"
import type { UlidSource } from "./UlidSource.ts"

export interface Versioned<A> {
  readonly id: number
  readonly value: A
}

export interface SequencedObject<A> {
  /** The version with the greatest id, or none. */
  readonly latest: Effect.Effect<Versioned<A> | undefined, DbError.DbError>
  /** The same where a listing may lag behind: asks for the versions after it, until one is not there. */
  readonly newest: Effect.Effect<Versioned<A> | undefined, DbError.DbError>
  /** The latest version, read only when it is newer than the one given. One listing when it is not. */
  readonly refresh: (known: Versioned<A>) => Effect.Effect<Versioned<A>, DbError.DbError>
  readonly read: (id: number) => Effect.Effect<Versioned<A> | undefined, DbError.DbError>
  /** Ids that exist, ascending. */
  readonly ids: Effect.Effect<ReadonlyArray<number>, DbError.DbError>
  /** Creates the first version; `false` when another process did. */
  readonly createFirst: (value: A) => Effect.Effect<boolean, DbError.DbError>
  /**
   * Applies a pure edit until it is stored or changes nothing, and answers with the
   * version that holds it. `edit` is told the id that the version it makes would have, and fails to give up, for
   * example when fenced.
   */
  readonly update: (
    known: Versioned<A>,
    edit: (value: A, id: number) => Result.Result<A, DbError.DbError>
  ) => Effect.Effect<Versioned<A>, DbError.DbError>
}

export const make = <A>(options: {
  readonly store: ObjectStore["Service"]
  readonly folder: Folder
  readonly boundaryPath: string
  readonly ulids: UlidSource
  readonly decode: (bytes: Uint8Array) => Result.Result<A, FormatError>
  /** The bytes of a version that follows `previous`; there is none before the first. */
  readonly encode: (value: A, previous: A | undefined) => Uint8Array
}): SequencedObject<A> => {
  const { boundaryPath, folder, store, ulids } = options

  const idsAfter = (after: number) =>
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

  const read = Effect.fnUntraced(function* (id: number): Effect.fn.Return<Versioned<A> | undefined, DbError.DbError> {
    const path = folder.path(id)
    const bytes = yield* store.get(path).pipe(
      Effect.map((bytes): Uint8Array | undefined => bytes),
      Effect.catchReason("ObjectStoreError", "NotFound", () => Effect.succeed(undefined)),
      Effect.mapError(StoreFailure.fromStore)
    )
    if (bytes === undefined) return undefined
    const value = yield* Effect.fromResult(options.decode(bytes)).pipe(Effect.mapError(StoreFailure.fromFormat(path)))
    return { id, value }
  })

  /** A collector may delete a version between the listing and the read: then list again. */
  const latestAfter = Effect.fnUntraced(function* (
    after: number
  ): Effect.fn.Return<Versioned<A> | undefined, DbError.DbError> {
    for (;;) {
      const ids = yield* idsAfter(after)
      const newest = ids[ids.length - 1]
      if (newest === undefined) return undefined
      const found = yield* read(newest)
      if (found !== undefined) return found
    }
  })

  const boundary = Boundary.read(store, boundaryPath)

  const create = Effect.fnUntraced(function* (
    id: number,
    value: A,
    previous: A | undefined
  ): Effect.fn.Return<boolean, DbError.DbError> {
    const bytes = options.encode(value, previous)
    const created = yield* store.putIfAbsent(folder.path(id), bytes, { putId: ulids.next() }).pipe(
      Effect.as(true),
      Effect.catchReason("ObjectStoreError", "AlreadyExists", () => Effect.succeed(false)),
      Effect.mapError(StoreFailure.fromStore)
    )
    return created && id > (yield* boundary)
  })

  const refresh = (known: Versioned<A>) => Effect.map(latestAfter(known.id), (found): Versioned<A> => found ?? known)

  return {
    latest: latestAfter(0),
    newest: Effect.gen(function* () {
      let newest = yield* latestAfter(0)
      for (;;) {
        const next = yield* read((newest?.id ?? 0) + 1)
        if (next === undefined) return newest
        newest = next
      }
    }),
    refresh,
    read,
    ids: idsAfter(0),
    createFirst: (value) => create(1, value, undefined),
    update: Effect.fnUntraced(function* (known, edit) {
      let base = known
      for (;;) {
        const value = yield* Effect.fromResult(edit(base.value, base.id + 1))
        if (value === base.value) return base
        if (yield* create(base.id + 1, value, base.value)) return { id: base.id + 1, value }
        // Should the listing lag behind, the version that was in the way can still be read.
        base = (yield* latestAfter(base.id)) ?? (yield* read(base.id + 1)) ?? base
      }
    })
  }
}
