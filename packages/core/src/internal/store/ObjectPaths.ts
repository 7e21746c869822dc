/**
 * Every path in the bucket: where each kind of object lives, and what a name says.
 *
 *     <root>/manifest/00000000000000000007.manifest
 *     <root>/compactions/00000000000000000003.compactions
 *     <root>/wal/00000000000000000042.sst
 *     <root>/compacted/01M82VKD976JAVBX9ZGHPHK1MD.sst
 *     <root>/gc/manifest.boundary
 *
 * Numbers are decimal, padded to 20 digits, so that byte order is number order.
 * A name that does not parse is none of ours: listings skip it.
 */

import * as Result from "effect/Result"
import * as DbError from "../../DbError.ts"
import { invalidPath } from "../../ObjectStore.ts"

export interface ObjectPaths {
  readonly root: string
  readonly manifests: Folder
  readonly compactions: Folder
  readonly wals: Folder
  /** Prefix of every table. */
  readonly tables: string
  readonly table: (id: string) => string
  readonly tableId: (path: string) => string | undefined
  /** The mark below which a collector has deleted objects of a numbered folder. */
  readonly boundary: (name: "manifest" | "compactions") => string
  /** Where the capability probe may create and delete. */
  readonly probe: (id: string) => string
}

/** A folder of numbered objects. */
export interface Folder {
  /** Prefix of every object in it. */
  readonly prefix: string
  readonly path: (id: number) => string
  readonly id: (path: string) => number | undefined
}

export const make = (root: string): ObjectPaths => {
  const tables = `${root}/compacted/`
  return {
    root,
    manifests: folder(`${root}/manifest/`, "manifest"),
    compactions: folder(`${root}/compactions/`, "compactions"),
    wals: folder(`${root}/wal/`, "sst"),
    tables,
    table: (id) => `${tables}${id}.sst`,
    tableId: (path) => tablePattern.exec(path.slice(tables.length))?.[1],
    boundary: (name) => `${root}/gc/${name}.boundary`,
    probe: (id) => `${root}/.probe/${id}`
  }
}

/** The paths of a database that a caller named. */
export const checked = (path: string): Result.Result<ObjectPaths, DbError.DbError> => {
  const detail = invalidPath(path)
  return detail === undefined
    ? Result.succeed(make(path))
    : Result.fail(DbError.fail(new DbError.Invalid({ field: "path", detail })))
}

const tablePattern = /^([0-7][0-9A-HJKMNP-TV-Z]{25})\.sst$/

const folder = (prefix: string, extension: string): Folder => {
  const pattern = new RegExp(`^(\\d{20})\\.${extension}$`)
  return {
    prefix,
    path: (id) => `${prefix}${String(id).padStart(20, "0")}.${extension}`,
    id: (path) => {
      const digits = pattern.exec(path.slice(prefix.length))?.[1]
      const id = digits === undefined ? Number.NaN : Number(digits)
      return Number.isSafeInteger(id) ? id : undefined
    }
  }
}
