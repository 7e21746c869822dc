/**
 * The database that a command is about, opened in the way the command needs.
 *
 * - to look at: `Admin`, which opens nothing
 * - to read: `DbReader`, which fences nobody, so that reading is safe beside a live writer
 * - to compact: `Compactor`, which fences every other compactor, and no writer
 * - to write: `Db`, which fences every other writer and is closed, its WAL stored, when
 *   the command ends, however it ends
 */
import * as Admin from "@effect-slatedb/core/Admin"
import * as CompactionPolicy from "@effect-slatedb/core/CompactionPolicy"
import * as Compactor from "@effect-slatedb/core/Compactor"
import * as Db from "@effect-slatedb/core/Db"
import * as DbError from "@effect-slatedb/core/DbError"
import * as DbReader from "@effect-slatedb/core/DbReader"
import * as MergeOperator from "@effect-slatedb/core/MergeOperator"
import type * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as Settings from "@effect-slatedb/core/Settings"
import * as NodeCompression from "@effect-slatedb/platform-node/NodeCompression"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as GlobalFlags from "./GlobalFlags.ts"
import * as Problem from "./Problem.ts"
import * as StoreUrl from "./StoreUrl.ts"

/** Where the database is. */
export const location = Effect.gen(function* () {
  const store = yield* required(yield* GlobalFlags.Store, "--store", "file:DIR, s3://BUCKET/PREFIX", "SLATE_STORE")
  const path = yield* required(yield* GlobalFlags.Database, "--db", "its path in the store", "SLATE_DB")
  return { url: yield* Effect.fromResult(StoreUrl.parse(store)), path }
})

const required = (
  value: Option.Option<string>,
  flag: string,
  what: string,
  variable: string
): Effect.Effect<string, Problem.Problem> =>
  Option.match(value, {
    onSome: Effect.succeed,
    onNone: () =>
      Effect.fail(
        Problem.usage(`which database is not said: ${flag} is missing`, `give ${flag} (${what}) or set ${variable}`)
      )
  })

/** Settings of the file, and of the environment over them. */
export const settings = Effect.gen(function* () {
  const file = yield* GlobalFlags.SettingsFile
  const fileSystem = yield* FileSystem.FileSystem
  const fromFile = Option.isNone(file)
    ? {}
    : yield* Effect.flatMap(fileSystem.readFileString(file.value), (text) => Effect.fromResult(Settings.fromJson(text)))
  return { ...fromFile, ...(yield* Settings.config) } satisfies Settings.Input
})

/** The store, every codec, and the merge operator if one is named. */
const environment = Layer.unwrap(
  Effect.gen(function* () {
    const { url } = yield* location
    const merge = yield* GlobalFlags.Merge
    return Layer.mergeAll(
      StoreUrl.layer(url),
      NodeCompression.layer,
      Option.isSome(merge) ? MergeOperator.layer(MergeOperator.append) : Layer.empty
    )
  })
)

/** Runs with the store of the command line. */
export const withStore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provide(effect, environment)

export const withAdmin = <A, E, R>(use: (admin: Admin.Admin) => Effect.Effect<A, E, R>) =>
  withStore(
    Effect.gen(function* () {
      const { path } = yield* location
      return yield* use(yield* Admin.make({ path }))
    })
  )

export const withReader = <A, E, R>(use: (reader: DbReader.DbReader["Service"]) => Effect.Effect<A, E, R>) =>
  withStore(
    Effect.gen(function* () {
      const { path } = yield* location
      return yield* use(yield* DbReader.make({ path, settings: yield* settings }))
    })
  )

export const withWriter = <A, E, R>(use: (db: Db.Db["Service"]) => Effect.Effect<A, E, R>) =>
  withStore(
    Effect.gen(function* () {
      const { path } = yield* location
      const db = yield* Db.make({ path, settings: yield* settings })
      const result = yield* use(db)
      // Closed here and not by the scope alone, so that a failure to store the rest is the command's.
      yield* db.close
      return result
    }).pipe(Effect.scoped)
  )

/**
 * Takes the role of compactor, in a store that is there already. Jobs that `use` does not wait for are interrupted at
 * its end, and the next compactor goes on with them.
 */
export const asCompactor = <A, E, R>(
  policy: CompactionPolicy.CompactionPolicy,
  use: (compactor: Compactor.Compactor["Service"]) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function* () {
    const { path } = yield* location
    return yield* use(yield* Compactor.make({ path, settings: yield* settings }))
  }).pipe(
    Effect.mapError((error) =>
      DbError.isDbError(error) && error.reason._tag === "Closed" && error.reason.kind === "fenced"
        ? superseded(error)
        : error
    ),
    Effect.scoped,
    Effect.provideService(CompactionPolicy.CompactionPolicy, policy)
  )

const superseded = (cause: unknown): Problem.Problem =>
  Problem.failure(
    "another compactor took over this database, so this one stopped",
    "it goes on with what was begun; let one process compact at a time, with compactorEnabled=false in the settings of a writer beside it",
    cause
  )

export type Store = ObjectStore.ObjectStore
