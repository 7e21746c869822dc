/**
 * What one read sees: the state, its tables, and the bound on sequence numbers,
 * taken together in one synchronous step.
 *
 *     open generation ─> sealed generations ─> level 0 ─> sorted runs
 *     newest                                              oldest
 *
 * Each row is in exactly one of these sources, and sources come newest first: the
 * first visible version of a key that is met is the newest one.
 */
import type { DbState } from "../lsm/DbState.ts"
import type { Manifest } from "../model/Manifest.ts"
import type { Sequence } from "../model/Sequence.ts"
import type { TableReader } from "../store/TableReader.ts"
import type { TableStore } from "../store/TableStore.ts"

/** The tables that a manifest names, ready to be read. Newest first. */
export interface ReadTables {
  readonly l0: ReadonlyArray<TableReader>
  /** Each run's tables in key order. */
  readonly runs: ReadonlyArray<ReadonlyArray<TableReader>>
}

export interface ReadView {
  readonly state: DbState
  readonly tables: ReadTables
  /** Rows above it are not seen. */
  readonly maxSequence: Sequence
}

/** Readers of the manifest's tables; made once for each version. */
export class TablesOfManifest {
  readonly #store: TableStore
  #manifest: Manifest | undefined
  #tables: ReadTables = { l0: [], runs: [] }

  constructor(store: TableStore) {
    this.#store = store
  }

  of(manifest: Manifest): ReadTables {
    if (manifest !== this.#manifest) {
      this.#manifest = manifest
      this.#store.adopt(manifest)
      this.#tables = {
        l0: manifest.l0.map((table) => this.#store.reader(table)),
        runs: manifest.runs.map((run) => run.tables.map((table) => this.#store.reader(table)))
      }
    }
    return this.#tables
  }
}
