/** The objects of a database as a collector sees them. */
import type { Compactions } from "./Compactions.ts"
import type { Manifest } from "./Manifest.ts"

/** A fence is a WAL object without rows, by which a writer that slept learns that it has a successor. */
export type Kind = "manifest" | "wal" | "fence" | "compacted" | "compactions"

export const kinds: ReadonlyArray<Kind> = ["wal", "fence", "compacted", "manifest", "compactions"]

/** What is collected where nothing is said: not the fences, which other engines than ours may need. */
export const defaultKinds: ReadonlyArray<Kind> = kinds.filter((kind) => kind !== "fence")

/** An object of a listing. */
export type Listed = {
  readonly path: string
  readonly bytes: number
  /** By the store's clock, milliseconds. */
  readonly lastModified: number
} & (
  | { readonly kind: Exclude<Kind, "compacted">; readonly id: number }
  /** A table, by its ULID. */
  | { readonly kind: "compacted"; readonly id: string }
)

export interface Version {
  readonly id: number
  readonly manifest: Manifest
}

/** What was read after the listing, in this order. */
export interface Facts {
  /** The compactor's register, if there is one. */
  readonly compactions: { readonly id: number; readonly value: Compactions } | undefined
  readonly latest: Version
  /** Those that checkpoints of `latest` name, expired ones too, and those that are read in this process. */
  readonly pinned: ReadonlyArray<Version>
  /** What was modified, or named, at this time or later is young: now less the least age, milliseconds. */
  readonly youngSince: number
  /** Whether fences may go, too: only where every writer keeps a lease (L13), which the official engine's do not. */
  readonly withFences: boolean
}

/**
 * Needed: somebody reads it. Spared: nobody names it, but somebody may be about to, or
 * may have to run into it. Garbage: it may be deleted.
 */
export interface Verdict {
  readonly _tag: "Needed" | "Spared" | "Garbage"
  readonly why: string
}

/** An object that was deleted, or would have been. */
export interface Collected {
  readonly kind: Kind
  readonly path: string
  readonly bytes: number
  readonly why: string
}
