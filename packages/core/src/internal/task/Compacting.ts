/**
 * A compactor, put together: the same parts inside a writer's process and in one of
 * its own.
 *
 *     CompactorTask ──which, when──> CompactorRole ──> manifest, compactions file
 *          └────────how────────────> CompactionExecutor ──> tables
 *                                    here, or in another thread (CompactionJob)
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { BlockCache } from "../../BlockCache.ts"
import type { CompactionPolicy } from "../../CompactionPolicy.ts"
import type { Compression } from "../../Compression.ts"
import type * as DbError from "../../DbError.ts"
import type { ObjectStore } from "../../ObjectStore.ts"
import type { Settings } from "../../Settings.ts"
import type { MergeFunction } from "../lsm/MergeFold.ts"
import type { Manifest } from "../model/Manifest.ts"
import type { CompactionsStore } from "../store/CompactionsStore.ts"
import type { ManifestStore } from "../store/ManifestStore.ts"
import type { ObjectPaths } from "../store/ObjectPaths.ts"
import type { Versioned } from "../store/SequencedObject.ts"
import * as TableStore from "../store/TableStore.ts"
import type { NewWriter } from "../store/TableWriters.ts"
import type { TurnMeter } from "../store/TurnMeter.ts"
import type { UlidSource } from "../store/UlidSource.ts"
import * as CompactionExecutor from "./CompactionExecutor.ts"
import * as CompactionJob from "./CompactionJob.ts"
import { CompactorRole } from "./CompactorRole.ts"
import * as CompactorTask from "./CompactorTask.ts"
import type { Lifecycle } from "./Lifecycle.ts"
import * as Retrying from "./Retrying.ts"

export interface Ground {
  readonly settings: Settings
  readonly paths: ObjectPaths
  readonly store: ObjectStore["Service"]
  readonly compression: Compression
  readonly cache: BlockCache
  readonly merge: MergeFunction | undefined
  readonly policy: CompactionPolicy
  /** Where jobs are carried out; absent: here. */
  readonly executor: CompactionJob.Executor | undefined
  readonly manifests: ManifestStore
  readonly compactions: CompactionsStore
  readonly newWriter: NewWriter
  readonly ulids: UlidSource
  readonly clock: Clock.Clock
  readonly turns: TurnMeter
}

/** Whose compactor it is. */
export interface Owner {
  readonly lifecycle: Lifecycle
  /** The manifest to begin with. */
  readonly manifest: Versioned<Manifest>
  /** Takes the role at once, from whoever has it. Fails when that cannot be. */
  readonly isEager: boolean
  /** Whether the database is still that of the writer which this compactor belongs to. */
  readonly owns?: ((manifest: Manifest) => boolean) | undefined
  /** The manifest as its keeper in this process has it. */
  readonly known?: (() => Versioned<Manifest>) | undefined
  /** A result is in the manifest. */
  readonly onCommitted: Effect.Effect<void>
  readonly onFenced: (reason: DbError.DbError) => void
}

export const start = Effect.fnUntraced(function* (
  ground: Ground,
  owner: Owner
): Effect.fn.Return<CompactorTask.CompactorTask, DbError.DbError, Scope.Scope> {
  const { paths, settings } = ground
  const retrying = Retrying.make(owner.lifecycle, "CompactorTask")
  const role = new CompactorRole({ ...ground, ...owner, root: paths.root, retrying })
  if (owner.isEager) yield* role.claim
  // Of its own: a reader of tables knows those of one version, and reads in this process go by another one.
  const tables = TableStore.make(ground)
  return yield* CompactorTask.make({
    ...ground,
    ...owner,
    role,
    run: (work) =>
      ground.executor === undefined
        ? CompactionExecutor.runJob(work, {
            ...ground,
            tables,
            maxSstSizeBytes: settings.maxSstSizeBytes,
            newWriter: () => ground.newWriter("compacted", tables.newBlockBytesMax),
            retrying
          })
        : CompactionJob.send(ground.executor, work, { ...ground, tables })
  })
})
