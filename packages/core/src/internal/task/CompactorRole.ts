/**
 * The role of compactor: who has it, and the two registers that only its holder
 * writes in that role.
 *
 *     (none) ──claim──> held ──a greater epoch, in either register──> fenced, for good
 *
 * Claiming takes the next compactor epoch in the manifest, then in the compactions
 * file; every later write checks both. The compactor of a database claims late: it
 * remembers the epoch that it found, and takes the next one only when there is
 * something to do. Who finds a greater one by then was superseded before it began.
 * A compactor of its own claims at once, whoever has the role.
 *
 * The compactions file is read before the manifest, and written after it: a job that
 * is over in the first is then in the second.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as DbError from "../../DbError.ts"
import * as ApplyCompaction from "../lsm/ApplyCompaction.ts"
import * as CompactionStep from "../lsm/CompactionStep.ts"
import * as Compactions from "../model/Compactions.ts"
import type { Manifest } from "../model/Manifest.ts"
import type { SsTable } from "../model/SsTable.ts"
import * as CompactionsStore from "../store/CompactionsStore.ts"
import * as ManifestStore from "../store/ManifestStore.ts"
import type { Versioned } from "../store/SequencedObject.ts"
import type { Retrying } from "./Retrying.ts"

export class CompactorRole {
  readonly #options: Options
  #manifest: Versioned<Manifest>
  #compactions: Versioned<Compactions.Compactions> | undefined
  /** Claimed in the manifest. */
  #epoch: number | undefined
  /** And in the compactions file. */
  #isHeld = false
  /** The role may be claimed while the epoch in the manifest is not above this. */
  #supersedesMax: number

  constructor(options: Options) {
    this.#options = options
    this.#manifest = options.manifest
    this.#supersedesMax = options.isEager ? Infinity : options.manifest.value.compactorEpoch
  }

  /** The epoch under which the role is held. */
  get epoch(): number | undefined {
    return this.#isHeld ? this.#epoch : undefined
  }

  /** As it was read last. */
  get manifest(): Manifest {
    return this.#manifest.value
  }

  get compactions(): Compactions.Compactions {
    return this.#compactions?.value ?? Compactions.empty
  }

  /** Knows a version of the manifest that somebody else has read; fails when it shows a successor. */
  see(version: Versioned<Manifest>): Result.Result<void, DbError.DbError> {
    if (version.id > this.#manifest.id) this.#manifest = version
    return Result.map(this.#own(this.#manifest.value), () => undefined)
  }

  /** Reads the compactions file, if there is one: what the holder of the role left. Needs no role. */
  readonly peek: Effect.Effect<void, DbError.DbError> = Effect.suspend(() => {
    const { compactions, retrying } = this.#options
    const known = this.#compactions
    return Effect.map(retrying(known === undefined ? compactions.latest : compactions.refresh(known)), (found) => {
      this.#compactions = found
    })
  })

  /**
   * Takes the role, and with it the jobs of whoever had it. What cannot be gone on with is left alone, before anybody is
   * fenced for it.
   */
  readonly claim: Effect.Effect<void, DbError.DbError> = Effect.suspend(() =>
    this.peek.pipe(
      Effect.flatMap(() => Effect.fromResult(this.#rewritable(this.compactions))),
      Effect.flatMap(() => (this.#epoch === undefined ? this.#claimManifest() : Effect.succeed(this.#epoch))),
      Effect.flatMap((epoch) => this.#claimCompactions(epoch)),
      Effect.map(() => {
        this.#isHeld = true
      })
    )
  )

  /** Reads what is newer, the compactions first; fails when there is a successor. */
  readonly refresh: Effect.Effect<void, DbError.DbError> = Effect.suspend(() =>
    this.peek.pipe(
      Effect.flatMap(() => Effect.fromResult(this.#ownCompactions(this.compactions))),
      Effect.flatMap(() => this.#options.retrying(this.#options.manifests.refresh(this.#manifest))),
      Effect.flatMap((found) => Effect.fromResult(this.see(found)))
    )
  )

  /** Writes the compactions file, if the edit changes it. */
  edit(edit: CompactionStep.Edit): Effect.Effect<void, DbError.DbError> {
    const { compactions, retrying } = this.#options
    const update = Effect.suspend(() => {
      if (this.#compactions === undefined) throw new Error("the compactions file is written by who holds the role")
      return compactions.update(this.#compactions, (found) => Result.map(this.#ownCompactions(found), edit))
    })
    return Effect.map(retrying(update), (stored) => {
      this.#compactions = stored
    })
  }

  /** Puts a job's result into the manifest; why it must not be there, if so. */
  commit(
    { id, plan }: CompactionStep.Job,
    outputs: ReadonlyArray<SsTable>
  ): Effect.Effect<string | undefined, DbError.DbError> {
    const { clock, manifests, retrying } = this.#options
    const nowSeconds = Math.max(0, Math.floor(clock.currentTimeMillisUnsafe() / 1000))
    const checkpoint = ApplyCompaction.checkpointAt(CompactionStep.checkpointId(id), nowSeconds)
    const apply = ApplyCompaction.apply({ plan, outputs, checkpoint })
    let refusal: string | undefined
    const update = Effect.suspend(() =>
      manifests.update(this.#manifest, (manifest, next) =>
        Result.map(this.#own(manifest), () => {
          const applied = apply(manifest, next - 1)
          refusal = Result.isFailure(applied) ? applied.failure : undefined
          return Result.getOrElse(applied, () => manifest)
        })
      )
    )
    return Effect.map(retrying(update), (stored) => {
      this.#manifest = stored
      return refusal
    })
  }

  /** The next epoch of the manifest. An answer that was lost may have been our own claim: then it is claimed once more. */
  #claimManifest(): Effect.Effect<number, DbError.DbError> {
    const { manifests, retrying } = this.#options
    let tried = 0
    const update = Effect.suspend(() =>
      manifests.update(this.#manifest, (manifest) =>
        Result.map(this.#own(manifest), (usable) => {
          tried = usable.compactorEpoch + 1
          return { ...usable, compactorEpoch: tried }
        })
      )
    ).pipe(
      Effect.tapError((error) =>
        Effect.sync(() => {
          if (error.isRetryable) this.#supersedesMax = Math.max(this.#supersedesMax, tried)
        })
      )
    )
    return Effect.map(retrying(update), (stored) => {
      this.#manifest = stored
      this.#epoch = stored.value.compactorEpoch
      return this.#epoch
    })
  }

  #claimCompactions(epoch: number): Effect.Effect<void, DbError.DbError> {
    const { compactions, retrying } = this.#options
    const first = CompactionStep.none(epoch)
    const create = Effect.flatMap(retrying(compactions.createFirst(first)), (created) =>
      Effect.map(created ? Effect.succeed(undefined) : retrying(compactions.latest), (found) => {
        this.#compactions = found ?? { id: 1, value: first }
      })
    )
    return Effect.andThen(
      Effect.suspend(() => (this.#compactions === undefined ? create : Effect.void)),
      this.edit(CompactionStep.claim(epoch))
    )
  }

  /** A manifest that is ours to write as compactor, or to become it. */
  #own(manifest: Manifest): Result.Result<Manifest, DbError.DbError> {
    const { owns, root } = this.#options
    const found = manifest.compactorEpoch
    const isSuperseded = this.#epoch === undefined ? found > this.#supersedesMax : found !== this.#epoch
    if (isSuperseded) return Result.fail(this.#fenced(found))
    if (owns !== undefined && !owns(manifest)) {
      return Result.fail(
        fencedBy(`another writer opened this database, and compacts it: epoch=${manifest.writerEpoch}`)
      )
    }
    return ManifestStore.writable(manifest, root)
  }

  #ownCompactions(found: Compactions.Compactions): Result.Result<Compactions.Compactions, DbError.DbError> {
    return found.compactorEpoch > (this.#epoch ?? 0)
      ? Result.fail(this.#fenced(found.compactorEpoch))
      : this.#rewritable(found)
  }

  #rewritable(found: Compactions.Compactions): Result.Result<Compactions.Compactions, DbError.DbError> {
    return CompactionsStore.writable(found, this.#options.root)
  }

  #fenced(found: number): DbError.DbError {
    const ours = this.#epoch === undefined ? `found at open=${this.#supersedesMax}` : `our epoch=${this.#epoch}`
    return fencedBy(`another compactor took over: ${ours} theirs=${found}`)
  }
}

export interface Options {
  readonly manifests: ManifestStore.ManifestStore
  readonly compactions: CompactionsStore.CompactionsStore
  /** The database, for messages. */
  readonly root: string
  /** The manifest to begin with. */
  readonly manifest: Versioned<Manifest>
  /** Claims from whoever has the role, also from those who came later. */
  readonly isEager: boolean
  /** Whether the database is still that of the writer which this compactor belongs to. */
  readonly owns?: ((manifest: Manifest) => boolean) | undefined
  readonly retrying: Retrying
  readonly clock: Clock.Clock
}

/** Whether somebody else has the role from now on. */
export const isFenced = (error: DbError.DbError): boolean =>
  error.reason._tag === "Closed" && error.reason.kind === "fenced"

const fencedBy = (detail: string): DbError.DbError => DbError.fail(new DbError.Closed({ kind: "fenced", detail }))
