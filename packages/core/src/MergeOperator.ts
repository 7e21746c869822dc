/**
 * What `merge(key, operand)` means.
 *
 * A merge stores an operand without reading the key. Reads, and later flushes
 * and compactions, fold operands onto the older value with this operator. It must
 * be associative, as operands may be folded with each other before the value
 * below them is known, and it must stay the same for the life of a database.
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"

/**
 * Folds one operand onto what is there.
 *
 * **Details**
 *
 * `existing` is the older value or operand, `undefined` when the key has none.
 * Both arrays are borrowed: the result must be new bytes or one of them
 * unchanged. A throw is a defect: of the call that reads, or writes a batch; in a
 * flush it closes the database. In a compaction its job fails, and is tried again.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Merge = (key: Uint8Array, existing: Uint8Array | undefined, operand: Uint8Array) => Uint8Array

/**
 * The database's merge operator; `undefined`, the default, when it has none:
 * then `merge`, and reading a stored operand, fail with `Invalid`.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export const MergeOperator = Context.Reference<Merge | undefined>("@effect-slatedb/core/MergeOperator", {
  defaultValue: () => undefined
})

/**
 * Provides a merge operator.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer = (merge: Merge): Layer.Layer<never> => Layer.succeed(MergeOperator, merge)

/**
 * Concatenation: a key's value is all its operands, oldest first.
 *
 * @stability unstable
 * @category instances
 * @since 0.1.0
 */
export const append: Merge = (_key, existing, operand) => {
  if (existing === undefined) return operand
  const joined = new Uint8Array(existing.length + operand.length)
  joined.set(existing, 0)
  joined.set(operand, existing.length)
  return joined
}
