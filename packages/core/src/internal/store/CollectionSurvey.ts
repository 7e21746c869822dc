/**
 * What a collector knows before it decides, read in the order that `CollectionPlan`
 * argues from: objects, compactions, manifest, pinned manifests.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as DbError from "../../DbError.ts"
import type { ObjectMeta, ObjectStore } from "../../ObjectStore.ts"
import type { Compactions } from "../model/Compactions.ts"
import type { Kind, Listed } from "../model/Garbage.ts"
import type { Manifest } from "../model/Manifest.ts"
import type { CompactionsStore } from "./CompactionsStore.ts"
import * as ManifestStore from "./ManifestStore.ts"
import type { ObjectPaths } from "./ObjectPaths.ts"
import type { Versioned } from "./SequencedObject.ts"
import * as StoreFailure from "./StoreFailure.ts"

export interface Options {
  readonly store: ObjectStore["Service"]
  readonly paths: ObjectPaths
  readonly manifests: ManifestStore.ManifestStore
  readonly compactions: CompactionsStore
}

export interface CollectionSurvey {
  readonly listed: ReadonlyArray<Listed>
  readonly compactions: Versioned<Compactions> | undefined
  readonly latest: Versioned<Manifest>
  readonly pinned: ReadonlyArray<Versioned<Manifest>>
}

/** The objects of these kinds, and what is needed to judge them. `seen` is what of the manifest is taken for true. */
export const survey = Effect.fnUntraced(function* (
  options: Options,
  kinds: ReadonlySet<Kind>,
  seen: (manifest: Manifest) => Manifest
): Effect.fn.Return<CollectionSurvey, DbError.DbError> {
  const listed = yield* list(options, kinds)
  const compactions = yield* options.compactions.newest
  const { id, value } = yield* latest(options)
  const manifest = seen(value)
  return { listed, compactions, latest: { id, value: manifest }, pinned: yield* pinned(options, id, manifest) }
})

/** The manifest of the database, if this engine may write to it. */
export const latest = ({ manifests, paths }: Options): Effect.Effect<Versioned<Manifest>, DbError.DbError> =>
  Effect.flatMap(manifests.newest, (found) =>
    found === undefined
      ? Effect.fail(
          DbError.fail(new DbError.Invalid({ field: "path", detail: `there is no database at path=${paths.root}` }))
        )
      : Effect.as(Effect.fromResult(ManifestStore.writable(found.value, paths.root)), found)
  )

/** Without what is pinned nobody could say what it needs: then nothing is judged at all. */
const pinned = ({ manifests, paths }: Options, latestId: number, { checkpoints }: Manifest) =>
  Effect.forEach(
    new Set(checkpoints.map(({ manifestId }) => manifestId).filter((id) => id !== latestId)),
    (id) =>
      Effect.flatMap(manifests.read(id), (found) =>
        found === undefined
          ? Effect.fail(
              DbError.fail(
                new DbError.Corrupt({
                  object: paths.manifests.path(id),
                  offset: 0,
                  expected: "a manifest, as a checkpoint pins it",
                  found: "nothing"
                })
              )
            )
          : Effect.succeed(found)
      ),
    { concurrency: readsMax }
  )

const readsMax = 8

const list = ({ paths, store }: Options, kinds: ReadonlySet<Kind>) =>
  Effect.gen(function* () {
    const listed: Array<Listed> = []
    for (const { holds, prefix } of foldersOf(paths)) {
      if (!holds.some((kind) => kinds.has(kind))) continue
      yield* store.list({ prefix }).pipe(
        Stream.runForEach((meta) =>
          Effect.sync(() => {
            const object = recognize(paths, meta)
            if (object !== undefined && kinds.has(object.kind)) listed.push(object)
          })
        ),
        Effect.mapError(StoreFailure.fromStore)
      )
    }
    return listed
  })

const foldersOf = (
  paths: ObjectPaths
): ReadonlyArray<{ readonly prefix: string; readonly holds: ReadonlyArray<Kind> }> => [
  { prefix: paths.wals.prefix, holds: ["wal", "fence"] },
  { prefix: paths.tables, holds: ["compacted"] },
  { prefix: paths.manifests.prefix, holds: ["manifest"] },
  { prefix: paths.compactions.prefix, holds: ["compactions"] }
]

/**
 * A WAL object of at most so many bytes may be a fence: without rows it has 114 bytes, up to 140 with a codec, or none
 * where newer versions of SlateDB wrote it; with a row it has 160 at least.
 */
const fenceBytesMax = 159

/** What an object is by its name and size; `undefined` when it is none that a collector looks at. */
export const recognize = (paths: ObjectPaths, { lastModified, path, size }: ObjectMeta): Listed | undefined => {
  const about = { path, bytes: size, lastModified }
  if (path.startsWith(paths.tables)) {
    const id = paths.tableId(path)
    return id === undefined ? undefined : { ...about, kind: "compacted", id }
  }
  const numbered = [
    ["wal", paths.wals],
    ["manifest", paths.manifests],
    ["compactions", paths.compactions]
  ] as const
  for (const [kind, folder] of numbered) {
    const id = path.startsWith(folder.prefix) ? folder.id(path) : undefined
    if (id !== undefined) return { ...about, kind: kind === "wal" && size <= fenceBytesMax ? "fence" : kind, id }
  }
  return undefined
}
