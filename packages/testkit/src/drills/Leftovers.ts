/** What lies in a database's directory, and no manifest that is needed has a use for. */
import * as Admin from "@effect-slatedb/core/Admin"
import { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { readdir } from "node:fs/promises"
import { join, relative } from "node:path"
import * as OurEngine from "../interop/OurEngine.ts"
import * as Place from "../interop/Place.ts"

export interface Findings {
  /** Paths below the database; files that are no objects, too. */
  readonly leftovers: ReadonlyArray<string>
  /** Bytes of the tables that the latest manifest names, each once. */
  readonly tableBytes: number
}

/** Judges every file by the latest manifest and those that it pins. Nobody may write meanwhile. */
export const find = (place: Place.Directory): Effect.Effect<Findings, unknown> =>
  Effect.scoped(
    Effect.gen(function* () {
      const context = yield* Layer.build(OurEngine.environment(place))
      const admin = yield* Effect.provide(Admin.make({ path: Place.path }), context)
      const store = yield* Effect.provide(ObjectStore, context)
      const latest = yield* admin.manifest()
      const pinned = new Set(latest.manifest.checkpoints.map(({ manifestId }) => manifestId))
      const needed = [latest, ...(yield* Effect.forEach(pinned, (id) => admin.manifest(id)))]
      const named = new Set(
        needed.flatMap(({ id, manifest }) => [
          `manifest/${String(id).padStart(20, "0")}.manifest`,
          ...tablesOf(manifest).map((table) => `compacted/${table}.sst`)
        ])
      )
      const replayed = Math.min(...needed.map(({ manifest }) => manifest.replayAfterWalId))
      const files = yield* filesOf(join(place.root, Place.path))
      const registers = files.filter((file) => file.startsWith("compactions/")).toSorted()
      const leftovers = files.filter((file) => {
        if (/^gc\/[a-z]+\.boundary$/.test(file)) return false
        const wal = /^wal\/(\d{20})\.sst$/.exec(file)?.[1]
        return wal === undefined ? !named.has(file) && file !== registers.at(-1) : Number(wal) < replayed
      })
      const sizes = yield* Effect.forEach(new Set(tablesOf(latest.manifest)), (table) =>
        Effect.map(store.head(`${Place.path}/compacted/${table}.sst`), ({ size }) => size)
      )
      return { leftovers, tableBytes: sizes.reduce((sum, size) => sum + size, 0) }
    })
  )

/** Paths of all files below a folder. */
const filesOf = (folder: string): Effect.Effect<ReadonlyArray<string>> =>
  Effect.promise(async () => {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true })
    return entries.flatMap((entry) => (entry.isFile() ? [relative(folder, join(entry.parentPath, entry.name))] : []))
  })

const tablesOf = ({ l0, runs }: Admin.Manifest): ReadonlyArray<string> =>
  [...l0, ...runs.flatMap((run) => run.tables)].map(({ id }) => id)
