/**
 * A stretch of an object: the bytes from `start`, below `end`, checksum included.
 */
export interface Part {
  readonly name: "block" | "filter" | "index" | "stats" | "info" | "footer"
  readonly start: number
  readonly end: number
}
