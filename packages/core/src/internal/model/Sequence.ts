/**
 * The number that orders all writes of a database.
 *
 * A writer gives each batch the next sequence number, starting at 1, without
 * gaps. All rows of a batch share it. In memory it is a JavaScript number, so
 * it stays below 2^53; files hold 64 bits, and a larger one read from a file is
 * reported as corrupt rather than rounded.
 */

export type Sequence = number

/** No write yet: the sequence number before the first one. */
export const zero: Sequence = 0

/** The greatest sequence number this engine can hold. */
export const max: Sequence = Number.MAX_SAFE_INTEGER
