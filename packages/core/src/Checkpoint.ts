/**
 * Checkpoints: moments of a database that are kept, with every object that they need,
 * until they expire or are deleted. Readers, clones and backups stand on them.
 *
 * A checkpoint is an entry of the manifest that pins one version of it. It is made
 * beside a live writer, or without one, and fences nobody. What is not flushed is not
 * in it: rows in WAL objects are, rows in the memory of a writer are not. A writer
 * that flushes first has all it accepted in the checkpoint:
 *
 * **Example** (Keeping this moment for a day)
 *
 * ```ts
 * import * as Checkpoint from "@effect-slatedb/core/Checkpoint"
 * import * as Db from "@effect-slatedb/core/Db"
 * import * as Effect from "effect/Effect"
 *
 * const keep = Effect.gen(function* () {
 *   const db = yield* Db.Db
 *   yield* db.flush("memtable")
 *   const checkpoints = yield* Checkpoint.make({ path: "inventory" })
 *   const { id } = yield* checkpoints.create({ name: "before the move", lifetime: "1d" })
 *   return id
 * })
 * ```
 *
 * An expired checkpoint is there until a collector removes it, and may be refreshed or
 * be a source until then.
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as DbError from "./DbError.ts"
import * as ManifestStep from "./internal/lsm/ManifestStep.ts"
import * as DurationText from "./internal/model/DurationText.ts"
import type * as Manifest_ from "./internal/model/Manifest.ts"
import * as Uuid from "./internal/model/Uuid.ts"
import * as ManifestStore from "./internal/store/ManifestStore.ts"
import * as ObjectPaths from "./internal/store/ObjectPaths.ts"
import type { Versioned } from "./internal/store/SequencedObject.ts"
import * as UlidSource from "./internal/store/UlidSource.ts"
import { ObjectStore } from "./ObjectStore.ts"

/**
 * What a manifest says of a checkpoint. Its `id` is a UUID; times are seconds since the
 * Unix epoch.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Checkpoint = Manifest_.Checkpoint

/**
 * How long a checkpoint lives, in any spelling of a duration, from 1 s; seconds that
 * have begun count whole. Absent: for ever.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Lifetime = DurationText.Input

/**
 * The checkpoints of one database.
 *
 * **Details**
 *
 * - `create`: pins the version of the manifest that it writes; with a `source`, the
 *   id of a checkpoint, what that one pins. Fails with `Invalid` when the source is
 *   gone, or the lifetime below 1 s or beyond the year 2106.
 * - `refresh`: lets it live for `lifetime` from now on. Fails with `Invalid` when the
 *   checkpoint is gone.
 * - `delete`: what it pinned goes with the next collection. Fails likewise.
 * - `list`: in the order of the manifest, or those of one name.
 *
 * All fail with `Invalid` where there is no database, with `Unsupported` for one that
 * this engine cannot write to, and with `Unavailable` when the store does not answer:
 * then what was asked for may have happened, and `list` says whether it has.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Checkpoints {
  readonly create: (options?: {
    /** What it is for, up to 1,024 characters. Names need not differ. */
    readonly name?: string | undefined
    readonly lifetime?: Lifetime | undefined
    readonly source?: string | undefined
  }) => Effect.Effect<Checkpoint, DbError.DbError>
  readonly refresh: (
    id: string,
    options?: { readonly lifetime?: Lifetime | undefined }
  ) => Effect.Effect<Checkpoint, DbError.DbError>
  readonly delete: (id: string) => Effect.Effect<void, DbError.DbError>
  readonly list: (options?: {
    readonly name?: string | undefined
  }) => Effect.Effect<ReadonlyArray<Checkpoint>, DbError.DbError>
}

/**
 * The checkpoints of the database at `path` in the store. Nothing is read yet.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fn("Checkpoint.make")(function* (options: {
  readonly path: string
}): Effect.fn.Return<Checkpoints, DbError.DbError, ObjectStore> {
  const paths = yield* Effect.fromResult(ObjectPaths.checked(options.path))
  const store = yield* ObjectStore
  const clock = yield* Clock.Clock
  const random = yield* Random.Random
  const manifests = ManifestStore.make(store, paths, yield* UlidSource.make)
  const nowSeconds = () => Math.max(0, Math.floor(clock.currentTimeMillisUnsafe() / 1000))

  const latest = Effect.flatMap(manifests.latest, (found) =>
    found === undefined
      ? Effect.fail(invalid("path", `there is no database at path=${paths.root}`))
      : Effect.as(Effect.fromResult(ManifestStore.writable(found.value, paths.root)), found)
  )
  const edit = (
    field: string,
    change: (manifest: Manifest_.Manifest, id: number) => Result.Result<Manifest_.Manifest, string>
  ) =>
    Effect.flatMap(latest, (known) =>
      manifests.update(known, (manifest, id) =>
        Result.flatMap(ManifestStore.writable(manifest, paths.root), () =>
          Result.mapError(change(manifest, id), (detail) => invalid(field, `${detail} at path=${paths.root}`))
        )
      )
    )

  return {
    create: Effect.fn("Checkpoint.create")(function* (given = {}) {
      const createTimeSeconds = nowSeconds()
      const expireTimeSeconds = yield* Effect.fromResult(expiry(createTimeSeconds, given.lifetime))
      const name = yield* Effect.fromResult(checkedName(given.name))
      const id = Uuid.make(() => random.nextDoubleUnsafe())
      const checkpoint = { id, createTimeSeconds, expireTimeSeconds, metadata: undefined, name }
      return yield* Effect.map(edit("source", ManifestStep.addCheckpoint(checkpoint, given.source)), find(id))
    }),
    refresh: Effect.fn("Checkpoint.refresh")(function* (id, given = {}) {
      const expireTimeSeconds = yield* Effect.fromResult(expiry(nowSeconds(), given.lifetime))
      return yield* Effect.map(edit("checkpoint", ManifestStep.refreshCheckpoint(id, expireTimeSeconds)), find(id))
    }),
    delete: Effect.fn("Checkpoint.delete")(function* (id) {
      const known = yield* latest
      if (!known.value.checkpoints.some((checkpoint) => checkpoint.id === id)) {
        return yield* invalid("checkpoint", `there is no checkpoint ${id} at path=${paths.root}`)
      }
      yield* manifests.update(known, (manifest) =>
        Result.map(ManifestStore.writable(manifest, paths.root), ManifestStep.removeCheckpoint(id))
      )
    }),
    list: Effect.fn("Checkpoint.list")((given) =>
      Effect.map(latest, ({ value }) =>
        value.checkpoints.filter(({ name }) => given?.name === undefined || name === given.name)
      )
    )
  }
})

/** The checkpoint in the version that an edit made. */
const find =
  (id: string) =>
  ({ value }: Versioned<Manifest_.Manifest>): Checkpoint => {
    const found = value.checkpoints.find((checkpoint) => checkpoint.id === id)
    if (found === undefined) throw new Error(`an edit leaves its checkpoint in the manifest: checkpoint=${id}`)
    return found
  }

/** The format holds seconds in 32 bits, and 0 means never. */
const expireTimeSecondsMax = 2 ** 32 - 1

const expiry = (
  nowSeconds: number,
  lifetime: Lifetime | undefined
): Result.Result<number | undefined, DbError.DbError> => {
  if (lifetime === undefined) return Result.succeed(undefined)
  const duration = DurationText.parse(lifetime)
  const millis = duration === undefined ? Number.NaN : Duration.toMillis(duration)
  const expireTimeSeconds = nowSeconds + Math.ceil(millis / 1000)
  return millis >= 1000 && expireTimeSeconds <= expireTimeSecondsMax
    ? Result.succeed(expireTimeSeconds)
    : Result.fail(
        invalid(
          "lifetime",
          `must be a duration from 1s, such as 90s, 1d or "2 hours", that ends before 2106: lifetime=${String(lifetime)}`
        )
      )
}

const nameLengthMax = 1024

const checkedName = (name: string | undefined): Result.Result<string | undefined, DbError.DbError> =>
  name === undefined || (name.length > 0 && name.length <= nameLengthMax)
    ? Result.succeed(name)
    : Result.fail(invalid("name", `must have 1 to ${nameLengthMax} characters: length=${name.length}`))

const invalid = (field: string, detail: string): DbError.DbError => DbError.fail(new DbError.Invalid({ field, detail }))
