/**
 * The compactor's register as numbered objects: what is being compacted, and by
 * the compactor of which epoch.
 *
 * A database that was never compacted has none. A register that holds what this
 * engine would lose is never followed by one of ours.
 */
import * as Result from "effect/Result"
import * as DbError from "../../DbError.ts"
import type { ObjectStore } from "../../ObjectStore.ts"
import * as CompactionsCodec from "../format/CompactionsCodec.ts"
import type { Compactions } from "../model/Compactions.ts"
import type { ObjectPaths } from "./ObjectPaths.ts"
import * as SequencedObject from "./SequencedObject.ts"
import type { UlidSource } from "./UlidSource.ts"

export type CompactionsStore = SequencedObject.SequencedObject<Compactions>

export const make = (store: ObjectStore["Service"], paths: ObjectPaths, ulids: UlidSource): CompactionsStore =>
  SequencedObject.make({
    store,
    folder: paths.compactions,
    boundaryPath: paths.boundary("compactions"),
    ulids,
    decode: CompactionsCodec.decode,
    encode: CompactionsCodec.encode
  })

/** Refuses a register that this engine must not write to. */
export const writable = (compactions: Compactions, root: string): Result.Result<Compactions, DbError.DbError> =>
  compactions.readOnlyReason === undefined
    ? Result.succeed(compactions)
    : Result.fail(
        DbError.fail(
          new DbError.Unsupported({
            what: "compactions file",
            detail: `path=${root} holds ${compactions.readOnlyReason}; let the compactor that wrote it finish`
          })
        )
      )
