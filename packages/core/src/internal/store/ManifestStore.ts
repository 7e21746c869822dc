/**
 * The manifest as a register of numbered objects.
 *
 * What is written was checked against the invariants first, and what is read is
 * checked too: a manifest has no checksum of its own.
 */
import * as Result from "effect/Result"
import * as DbError from "../../DbError.ts"
import type { ObjectStore } from "../../ObjectStore.ts"
import * as FormatError from "../format/FormatError.ts"
import * as ManifestCodec from "../format/ManifestCodec.ts"
import type { Manifest } from "../model/Manifest.ts"
import * as ManifestInvariants from "../model/ManifestInvariants.ts"
import type { ObjectPaths } from "./ObjectPaths.ts"
import * as SequencedObject from "./SequencedObject.ts"
import type { UlidSource } from "./UlidSource.ts"

export type ManifestStore = SequencedObject.SequencedObject<Manifest>

export const make = (store: ObjectStore["Service"], paths: ObjectPaths, ulids: UlidSource): ManifestStore =>
  SequencedObject.make({
    store,
    folder: paths.manifests,
    boundaryPath: paths.boundary("manifest"),
    ulids,
    decode: (bytes) => Result.flatMap(ManifestCodec.decode(bytes), checked),
    encode: (manifest, previous) => {
      const violations = [
        ...ManifestInvariants.check(manifest),
        ...(previous === undefined ? [] : ManifestInvariants.checkSuccession(previous, manifest))
      ]
      if (violations.length > 0) throw new Error(`manifest to be written breaks the laws: ${violations.join("; ")}`)
      return ManifestCodec.encode(manifest)
    }
  })

const checked = (manifest: Manifest): Result.Result<Manifest, FormatError.FormatError> => {
  const violations = ManifestInvariants.check(manifest)
  return violations.length === 0
    ? Result.succeed(manifest)
    : FormatError.corrupt("manifest", 0, "a manifest that keeps its invariants", violations.join("; "))
}

/** Refuses a database that this engine cannot show whole. */
export const readable = (manifest: Manifest, root: string): Result.Result<Manifest, DbError.DbError> => {
  if (!manifest.initialized) {
    return Result.fail(
      DbError.fail(
        new DbError.Invalid({
          field: "path",
          detail: `path=${root} holds an unfinished clone; finish the clone with the tool that began it, or choose another path`
        })
      )
    )
  }
  if (manifest.hasSeparateWalStore) return unsupported("separate WAL store", root, "keeps its WAL in another store")
  return manifest.segments.length > 0 || manifest.segmentExtractorName !== undefined
    ? unsupported("segments", root, "routes keys to segments, each an LSM tree of its own")
    : Result.succeed(manifest)
}

/** Refuses a database that this engine must not write to, too. */
export const writable = (manifest: Manifest, root: string): Result.Result<Manifest, DbError.DbError> =>
  manifest.readOnlyReason === undefined
    ? readable(manifest, root)
    : unsupported("manifest", root, manifest.readOnlyReason)

const unsupported = (what: string, root: string, detail: string) =>
  Result.fail(DbError.fail(new DbError.Unsupported({ what, detail: `path=${root} ${detail}` })))
