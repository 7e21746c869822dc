/**
 * Where a database lies, as data: a place can be sent to another process, and both
 * engines can open it. The database is always at the path {@link path} there.
 */
import type * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as FileObjectStore from "@effect-slatedb/store-fs/FileObjectStore"
import * as S3ObjectStore from "@effect-slatedb/store-s3/S3ObjectStore"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { mkdir, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as S3Server from "../S3Server.ts"

export const Place = Schema.TaggedUnion({
  File: { root: Schema.String },
  S3: {
    endpoint: Schema.String,
    region: Schema.String,
    bucket: Schema.String,
    credentials: Schema.Struct({ accessKeyId: Schema.String, secretAccessKey: Schema.String })
  }
})
export type Place = typeof Place.Type

export const path = "db"

/** This project's store for a place. */
export const layer = (place: Place): Layer.Layer<ObjectStore.ObjectStore, ObjectStore.ObjectStoreError> =>
  place._tag === "File"
    ? FileObjectStore.layer({ root: place.root }).pipe(Layer.provide(NodeServices.layer))
    : S3ObjectStore.layer(place)

export type Directory = Place & { readonly _tag: "File" }

/** A directory that is gone with the scope. */
export const directory: Effect.Effect<Directory, never, Scope.Scope> = Effect.suspend(() => directoryFor(remove))

/** The same, but it stays to be looked at when what the scope was for has failed. */
export const directoryOfFailures: Effect.Effect<Directory, never, Scope.Scope> = Effect.suspend(() =>
  directoryFor((root, exit) =>
    Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)
      ? remove(root)
      : Effect.logInfo(`effect-slatedb: the database of a failure is kept: directory=${root}`)
  )
)

/** One of these two. */
export const temporary = (keepsFailures = false): Effect.Effect<Directory, never, Scope.Scope> =>
  keepsFailures ? directoryOfFailures : directory

/** A directory that must not be there yet, and stays. */
export const newDirectory = (root: string): Effect.Effect<Directory> =>
  Effect.promise(async () => {
    await mkdir(root).catch((cause: unknown) => {
      throw new Error(`the directory for the database must be new, and what it is in must exist: directory=${root}`, {
        cause
      })
    })
    return { _tag: "File", root }
  })

const directoryFor = (
  end: (root: string, exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void>
): Effect.Effect<Directory, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(() => mkdtemp(join(tmpdir(), "effect-slatedb-interop-"))),
      end
    ),
    (root): Directory => ({ _tag: "File", root })
  )

const remove = (root: string): Effect.Effect<void> => Effect.promise(() => rm(root, { recursive: true, force: true }))

/** A bucket with a name of its own. It stays until the server goes. */
export const bucket = (server: S3Server.S3Server): Effect.Effect<Place, S3Server.S3ServerError> =>
  Effect.map(S3Server.makeBucket(server), (bucket): Place => ({ _tag: "S3", bucket, ...server }))

/** The kinds of store that drills can be asked for. */
export const stores = ["file", "s3"] as const
export type Store = (typeof stores)[number]

/** How to get a fresh place on a kind of store. The S3 server is the shared one, whose buckets are kept anyway. */
export const maker = (
  store: Store,
  keepsFailures = false
): Effect.Effect<Effect.Effect<Place, S3Server.S3ServerError, Scope.Scope>, S3Server.S3ServerError> =>
  store === "file" ? Effect.succeed(temporary(keepsFailures)) : Effect.map(S3Server.find, bucket)
