/**
 * What an object of a SlateDB database is, by the folder that holds it.
 */

const kinds: ReadonlySet<string> = new Set(["wal", "compacted", "manifest", "compactions", "gc"])

/** The kind of an object, or of what a listing prefix asks for. */
export const of = (path: string): string => path.split("/").findLast((segment) => kinds.has(segment)) ?? "other"
