/**
 * The value that all readers see, and the named ways in which it changes.
 *
 * A write's rows are copied once, into the open generation, and stay there until
 * their table is in the manifest. What ADR 3 calls WAL buffer and memtable are
 * sequence ranges of generations, with the durable sequence as the border:
 *
 *       sealed (oldest)        sealed             open
 *     [ 1 ........ 40 ]   [ 41 ..... 70 ]   [ 71 ...... 83 | 84 .. 90 ]
 *                                                          ^
 *                                              durableSequence = 83
 *     immutable memtable  immutable memtable   memtable      WAL buffer
 *
 * The state is replaced whole, never edited; only the open generation grows. Each
 * transition below has one owner (`StateCell` hands them out).
 */
import type { Manifest } from "../model/Manifest.ts"
import type { Sequence } from "../model/Sequence.ts"
import type { Generation } from "./Generation.ts"

/** A manifest with the number of the object that holds it. */
export interface VersionedManifest {
  readonly id: number
  readonly manifest: Manifest
}

/** A generation that takes no more rows and waits for its level 0 table. */
export interface SealedGeneration {
  readonly generation: Generation
  /** Every row up to its end is in WAL objects up to this id: what the manifest may cover (L16). */
  readonly lastWalId: number
  /** Commit points to record in the manifest's sequence tracker. */
  readonly commitPoints: ReadonlyArray<CommitPoint>
}

/** When a sequence number was committed, in whole seconds. */
export interface CommitPoint {
  readonly sequence: Sequence
  readonly seconds: number
}

export interface DbState {
  readonly open: Generation
  /** Newest first. */
  readonly sealed: ReadonlyArray<SealedGeneration>
  readonly current: VersionedManifest
}

/** The open generation becomes the newest sealed one; `next` takes its place. */
export const sealGeneration = (state: DbState, sealed: SealedGeneration, next: Generation): DbState => ({
  ...state,
  open: next,
  sealed: [sealed, ...state.sealed]
})

/**
 * Takes over a manifest, and in the same step forgets the generations whose rows
 * are in its tables (L4).
 */
export const adoptManifest = (state: DbState, current: VersionedManifest): DbState => {
  const isCovered = (sealed: SealedGeneration) => sealed.generation.lastSequence <= current.manifest.lastL0Sequence
  return {
    ...state,
    current,
    sealed: state.sealed.some(isCovered) ? state.sealed.filter((sealed) => !isCovered(sealed)) : state.sealed
  }
}

/** The sealed generations that may become tables: all their rows are durable, or the WAL is off. Oldest first (L2). */
export const flushable = (state: DbState, durableSequence: Sequence): ReadonlyArray<SealedGeneration> =>
  state.sealed.filter((sealed) => sealed.generation.lastSequence <= durableSequence).toReversed()
