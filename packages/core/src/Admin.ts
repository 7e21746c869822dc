/**
 * What is in a database, for tools: its manifests, its tree, its faults.
 *
 * All of it reads. Nothing here opens the database as a writer or fences one, and
 * all of it may be used beside a live one; only `probe` writes, to objects of its
 * own, and deletes them.
 *
 * **Example** (Listing what is wrong with a database)
 *
 * ```ts
 * import * as Admin from "@effect-slatedb/core/Admin"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 *
 * const faults = Effect.gen(function* () {
 *   const admin = yield* Admin.make({ path: "inventory" })
 *   return yield* admin.check.pipe(
 *     Stream.filter((checked) => checked.faults.length > 0),
 *     Stream.runCollect
 *   )
 * })
 * ```
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Compression } from "./Compression.ts"
import * as DbError from "./DbError.ts"
import * as CollectionPlan from "./internal/lsm/CollectionPlan.ts"
import type * as Fault_ from "./internal/model/Fault.ts"
import type * as LsmTree_ from "./internal/model/LsmTree.ts"
import type * as Manifest_ from "./internal/model/Manifest.ts"
import * as CompactionsStore from "./internal/store/CompactionsStore.ts"
import * as DatabaseCheck from "./internal/store/DatabaseCheck.ts"
import * as ManifestStore from "./internal/store/ManifestStore.ts"
import * as ObjectPaths from "./internal/store/ObjectPaths.ts"
import type { Versioned } from "./internal/store/SequencedObject.ts"
import * as StoreSurvey from "./internal/store/StoreSurvey.ts"
import * as TreeSurvey from "./internal/store/TreeSurvey.ts"
import * as UlidSource from "./internal/store/UlidSource.ts"
import * as ObjectStore from "./ObjectStore.ts"
import * as Settings from "./Settings.ts"

/**
 * What a database is made of, at one moment.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Manifest = Manifest_.Manifest

/**
 * The latest manifest with everything it names: sizes, counts and key ranges.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type LsmTree = LsmTree_.LsmTree

/**
 * Something that is not as it should be.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Fault = Fault_.Fault

/**
 * One examined object with its faults.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Checked = DatabaseCheck.Checked

/**
 * One thing that a store does or does not.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Capability = StoreSurvey.Capability

/**
 * The view of one database.
 *
 * **Details**
 *
 * - `manifestIds`: those that are there, ascending; empty when there is no database.
 * - `manifest`: one of them, or the latest. Fails with `Invalid` when it is not
 *   there, `Corrupt` when it breaks its laws.
 * - `tree`: the picture of the latest one. Reads the WAL objects that no table
 *   covers yet, and the stats of each table. Says of what nothing needs whether a
 *   collector would delete it, by the local clock.
 * - `check`: examines every object that is needed, one at a time, each read once:
 *   checksums, what manifests say of it, order of rows, indexes, filters, counts,
 *   and the laws that can be seen from outside. The stream ends when all was
 *   examined; it fails only when the store does.
 * - `probe`: what the store can do.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Admin {
  readonly manifestIds: Effect.Effect<ReadonlyArray<number>, DbError.DbError>
  readonly manifest: (
    id?: number
  ) => Effect.Effect<{ readonly id: number; readonly manifest: Manifest }, DbError.DbError>
  readonly tree: Effect.Effect<LsmTree, DbError.DbError>
  readonly check: Stream.Stream<Checked, DbError.DbError>
  readonly probe: Effect.Effect<ReadonlyArray<Capability>, DbError.DbError>
}

/**
 * The view of the database at `path` in the store. Nothing is read yet.
 *
 * **Details**
 *
 * Tables that are compressed need the `Compression` layer that has their codec.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fn("Admin.make")(function* (options: {
  readonly path: string
}): Effect.fn.Return<Admin, DbError.DbError, ObjectStore.ObjectStore> {
  const paths = yield* Effect.fromResult(ObjectPaths.checked(options.path))
  const store = yield* ObjectStore.ObjectStore
  const compression = yield* Compression
  const ulids = yield* UlidSource.make
  const clock = yield* Clock.Clock
  const manifests = ManifestStore.make(store, paths, ulids)
  const compactions = CompactionsStore.make(store, paths, ulids)
  const read = (id?: number): Effect.Effect<Versioned<Manifest>, DbError.DbError> =>
    Effect.flatMap(id === undefined ? manifests.latest : manifests.read(id), (version) =>
      version === undefined ? Effect.fail(absent(options.path, id)) : Effect.succeed(version)
    )
  return {
    manifestIds: manifests.ids,
    manifest: (id) => Effect.map(read(id), ({ id, value }) => ({ id, manifest: value })),
    tree: Effect.flatMap(read(), (latest) => {
      const youngSince = clock.currentTimeMillisUnsafe() - Duration.toMillis(Settings.defaults.collectorMinAge)
      const { judge } = CollectionPlan
      return TreeSurvey.survey({ store, paths, compression, manifests, compactions, judge, youngSince }, latest)
    }),
    check: Stream.unwrap(
      Effect.map(manifests.ids, (ids) =>
        ids.length === 0
          ? Stream.fail(absent(options.path, undefined))
          : DatabaseCheck.check({ store, paths, compression })
      )
    ),
    probe: StoreSurvey.survey(store, paths, ulids)
  }
})

const absent = (path: string, id: number | undefined): DbError.DbError =>
  DbError.fail(
    id === undefined
      ? new DbError.Invalid({ field: "path", detail: `there is no database at path=${path}` })
      : new DbError.Invalid({ field: "manifest", detail: `there is no manifest ${id} at path=${path}` })
  )
