/** A database as a picture shows it: what is where, how large, and over which keys. */
import type { Kind } from "./Garbage.ts"
import type { Manifest } from "./Manifest.ts"
import type { SsTable } from "./SsTable.ts"
import type { SsTableStats } from "./SsTableStats.ts"
import type { TableContents } from "./TableContents.ts"

/** An object of the log that the tables do not cover yet. */
export interface WalNode {
  readonly id: number
  readonly path: string
  readonly bytes: number
  readonly lastModified: number
  readonly contents: TableContents
}

export interface TableNode {
  readonly path: string
  /** Of the whole object; 0 when it is not there. */
  readonly bytes: number
  readonly table: SsTable
  /** Absent where its writer left none. */
  readonly stats: SsTableStats | undefined
}

export interface RunNode {
  readonly id: number
  readonly tables: ReadonlyArray<TableNode>
}

/**
 * An object that neither the latest manifest nor a pinned one needs. The collector
 * takes it in time; a table may also be one that a manifest is about to name.
 */
export interface UnneededObject {
  readonly kind: Kind
  readonly path: string
  readonly bytes: number
  readonly lastModified: number
  /** Whether a collector with the default settings would delete it now. */
  readonly isGarbage: boolean
  /** Why, or why not. */
  readonly why: string
}

export interface LsmTree {
  readonly manifestId: number
  readonly manifest: Manifest
  /** By ascending id. */
  readonly wals: ReadonlyArray<WalNode>
  /** Newest first. */
  readonly l0: ReadonlyArray<TableNode>
  /** Newest first. */
  readonly runs: ReadonlyArray<RunNode>
  readonly unneeded: ReadonlyArray<UnneededObject>
  /** All objects of the database. */
  readonly objects: number
  readonly bytes: number
}
