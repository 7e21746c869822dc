/**
 * How many objects, and parts of them, were read: out of what an engine counted, or
 * the object store below it.
 */
import type { Counters } from "./Engine.ts"

/** Of a `CountedObjectStore`; and of SlateDB's metrics, whose labels say what was called. */
const counted = /^(get|getRange|head) \w+$/
const slateDb = /^object_store\.request_count\{api=(get|get_range|get_ranges|head),/

/** Listings are not among them. */
export const of = (counters: Counters): number =>
  Object.entries(counters).reduce(
    (sum, [name, count]) => (counted.test(name) || slateDb.test(name) ? sum + count : sum),
    0
  )
