/**
 * What a database on a directory uploads, seen from outside: the bytes of every WAL
 * object and table that ever appeared, whichever engine wrote it.
 *
 * Names are never used again, and objects appear whole. It looks so often that nothing
 * comes and goes between two looks: a collector leaves alone what is younger than
 * seconds.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { readdir, stat } from "node:fs/promises"
import { join } from "node:path"
import * as Place from "../interop/Place.ts"

export interface Uploaded {
  readonly walBytes: number
  readonly tableBytes: number
  readonly tables: number
}

export interface FolderWatch {
  /** Looks once more, and answers with all that was seen so far. */
  readonly look: Effect.Effect<Uploaded>
}

const intervalMillis = 500

export const make = Effect.fnUntraced(function* (root: string): Effect.fn.Return<FolderWatch, never, Scope.Scope> {
  const wal = watched(join(root, Place.path, "wal"), /^\d{20}\.sst$/)
  const tables = watched(join(root, Place.path, "compacted"), /^[0-9A-Z]{26}\.sst$/)
  const look = Effect.promise(async () => {
    await Promise.all([wal.look(), tables.look()])
    return { walBytes: wal.bytes(), tableBytes: tables.bytes(), tables: tables.count() }
  })
  yield* Effect.forkScoped(Effect.repeat(look, Schedule.spaced(intervalMillis)))
  return { look }
})

/** One folder. Of the names, those that are gone are forgotten. */
const watched = (folder: string, pattern: RegExp) => {
  let known = new Set<string>()
  let bytes = 0
  let count = 0
  let turn: Promise<void> = Promise.resolve()
  const look = async () => {
    const names = (await readdir(folder).catch(() => [])).filter((name) => pattern.test(name))
    for (const name of names) {
      if (known.has(name)) continue
      bytes += await stat(join(folder, name)).then(
        ({ size }) => size,
        () => 0
      )
      count++
    }
    known = new Set(names)
  }
  return {
    /** Looks one after another. */
    look: () => (turn = turn.then(look)),
    bytes: () => bytes,
    count: () => count
  }
}
