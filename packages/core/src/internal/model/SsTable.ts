/**
 * What is known of a sorted string table without reading its rows.
 *
 * `SsTableInfo` is stored in the object itself, near its end, and copied word
 * for word into the manifest, so that a reader of a named table needs no
 * request to find its index and filter.
 */

/** The codec that a table's blocks, index, filter and stats are stored with. */
export type CompressionCodec = "none" | "snappy" | "zlib" | "lz4" | "zstd"

export interface SsTableInfo {
  /** First key; in a WAL object the first sequence number, 8 bytes big-endian. Absent in an empty table. */
  readonly firstEntry: Uint8Array | undefined
  /** Last key. Absent in WAL objects and in tables of old writers: then the upper bound is not known. */
  readonly lastEntry: Uint8Array | undefined
  readonly indexOffset: number
  readonly indexLength: number
  /** Always set: where the data ends, also without a filter. */
  readonly filterOffset: number
  /** 0: no filter. */
  readonly filterLength: number
  readonly filterFormat: "legacy" | "composite"
  readonly statsOffset: number
  /** 0: no stats. */
  readonly statsLength: number
  readonly compression: CompressionCodec
  readonly kind: "compacted" | "wal"
}

/** One end of a range of keys. */
export type KeyBound =
  | { readonly _tag: "Unbounded" }
  | { readonly _tag: "Included"; readonly key: Uint8Array }
  | { readonly _tag: "Excluded"; readonly key: Uint8Array }

export interface VisibleRange {
  readonly start: KeyBound
  readonly end: KeyBound
}

/** How blocks and rows are laid out. We write 2 and read both. */
export type SstFormatVersion = 1 | 2

/** A table as the manifest names it. */
export interface SsTable {
  /** ULID, 26 characters: the object is `compacted/<id>.sst`. */
  readonly id: string
  /** The name of this use of the table; equal to `id` in every manifest that this engine writes. */
  readonly viewId: string
  readonly formatVersion: SstFormatVersion
  readonly info: SsTableInfo
  /** Rows outside are invisible, to reads and to compaction. Absent: all are visible. */
  readonly visibleRange: VisibleRange | undefined
}

/** The bytes of data and index: what schedulers call the size of a table. */
export const sizeBytes = (table: SsTable): number => table.info.indexOffset + table.info.indexLength
