/**
 * The manifest as a register of numbered objects.
 *
 * What is written was checked against the invariants first, and what is read is
 * checked too: a manifest has no checksum of its own.
 */
import * as Result from "effect/Result"
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
    encode: (manifest) => {
      const violations = ManifestInvariants.check(manifest)
      if (violations.length > 0)
        throw new Error(`L7: manifest to be written breaks its invariants: ${violations.join("; ")}`)
      return ManifestCodec.encode(manifest)
    }
  })

const checked = (manifest: Manifest): Result.Result<Manifest, FormatError.FormatError> => {
  const violations = ManifestInvariants.check(manifest)
  return violations.length === 0
    ? Result.succeed(manifest)
    : FormatError.corrupt("manifest", 0, "a manifest that keeps its invariants", violations.join("; "))
}
