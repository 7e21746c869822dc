/**
 * Several writes that happen together or not at all.
 *
 * A batch is an immutable value: adding returns a new batch and shares the old
 * one. `Db.write` gives the whole batch one sequence number, stores it in one WAL
 * object, and shows it to readers at one moment.
 *
 * Operations on the same key act in the order they were added; what reaches the
 * database is one row per key.
 *
 * @stability unstable
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import { dual } from "effect/Function"
import * as Shapes from "./internal/model/Shapes.ts"
import type { Bytes } from "./KeyRange.ts"

/**
 * How long a written value lives: a time from now, `"none"` for ever, and when
 * absent the database's `defaultTtl`.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface TtlOptions {
  readonly ttl?: Duration.Input | "none" | undefined
}

/**
 * One write of a batch.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Operation =
  | { readonly _tag: "Put"; readonly key: Bytes; readonly value: Bytes; readonly ttl: TtlOptions["ttl"] }
  | { readonly _tag: "Delete"; readonly key: Bytes }
  | { readonly _tag: "Merge"; readonly key: Bytes; readonly operand: Bytes; readonly ttl: TtlOptions["ttl"] }

/**
 * An immutable list of writes.
 *
 * **Gotchas**
 *
 * Arrays are not copied until `Db.write`: do not change them before it returns.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface WriteBatch {
  /** Number of operations. */
  readonly size: number
  /** The newest operation and the batch before it: adding costs the same however long the batch. */
  readonly last: { readonly operation: Operation; readonly before: WriteBatch } | undefined
}

/**
 * No writes.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const empty: WriteBatch = { size: 0, last: undefined }

/**
 * A batch of operations, in order.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const fromOperations = (operations: Iterable<Operation>): WriteBatch => {
  let batch = empty
  for (const operation of operations) batch = add(batch, operation)
  return batch
}

/**
 * A batch that puts every `[key, value]`.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const fromEntries = (entries: Iterable<readonly [key: Bytes, value: Bytes]>): WriteBatch => {
  let batch = empty
  for (const [key, value] of entries) batch = put(batch, key, value)
  return batch
}

/**
 * Adds a put.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const put: {
  (key: Bytes, value: Bytes, options?: TtlOptions): (self: WriteBatch) => WriteBatch
  (self: WriteBatch, key: Bytes, value: Bytes, options?: TtlOptions): WriteBatch
} = dual(
  (args) => isWriteBatch(args[0]),
  (self: WriteBatch, key: Bytes, value: Bytes, options?: TtlOptions): WriteBatch =>
    add(self, new Put(key, value, options?.ttl))
)

/**
 * Adds a merge. The database needs a merge operator.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const merge: {
  (key: Bytes, operand: Bytes, options?: TtlOptions): (self: WriteBatch) => WriteBatch
  (self: WriteBatch, key: Bytes, operand: Bytes, options?: TtlOptions): WriteBatch
} = dual(
  (args) => isWriteBatch(args[0]),
  (self: WriteBatch, key: Bytes, operand: Bytes, options?: TtlOptions): WriteBatch =>
    add(self, { _tag: "Merge", key, operand, ttl: options?.ttl })
)

const delete_: {
  (key: Bytes): (self: WriteBatch) => WriteBatch
  (self: WriteBatch, key: Bytes): WriteBatch
} = dual(2, (self: WriteBatch, key: Bytes): WriteBatch => add(self, { _tag: "Delete", key }))

export {
  /**
   * Adds a delete.
   *
   * @stability unstable
   * @category combinators
   * @since 0.1.0
   */
  delete_ as delete
}

/**
 * The operations, in the order they were added.
 *
 * @stability unstable
 * @category getters
 * @since 0.1.0
 */
export const operations = (self: WriteBatch): ReadonlyArray<Operation> => {
  const out = new Array<Operation>(self.size)
  let batch = self
  while (batch.last !== undefined) {
    out[batch.size - 1] = batch.last.operation
    batch = batch.last.before
  }
  return out
}

const add = (self: WriteBatch, operation: Operation): WriteBatch => new Longer(self, operation)

// Classes, not literals, for the reason that is given at `BatchRow`.

/** A batch and one operation more; its own `last`. */
class Longer implements WriteBatch {
  readonly size: number
  readonly before: WriteBatch
  readonly operation: Operation

  constructor(before: WriteBatch, operation: Operation) {
    this.size = before.size + 1
    this.before = before
    this.operation = operation
  }

  get last(): this {
    return this
  }
}

class Put {
  readonly _tag = "Put"
  readonly key: Bytes
  readonly value: Bytes
  readonly ttl: TtlOptions["ttl"]

  constructor(key: Bytes, value: Bytes, ttl: TtlOptions["ttl"]) {
    this.key = key
    this.value = value
    this.ttl = ttl
  }
}

const isWriteBatch = (u: unknown): boolean => typeof u === "object" && u !== null && "last" in u && "size" in u

Shapes.keep(fromEntries([["", ""]]))
