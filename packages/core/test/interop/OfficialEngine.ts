/**
 * SlateDB itself, through its Node binding, on a local directory: the judge of
 * what we write.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as SlateDb from "@slatedb/uniffi"

/** The merge operator of the fixtures: existing value, then operand. */
const concatenation: SlateDb.MergeOperator = {
  merge: (_key, existing, operand) => Buffer.concat(existing === undefined ? [operand] : [existing, operand])
}

/** Opens the database at `db` below a directory. Without `settings`, nothing runs in the background but flushing. */
export const open = (
  directory: string,
  settings: Record<string, unknown> = {}
): Effect.Effect<SlateDb.Db, unknown, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.tryPromise(() => {
      const builder = new SlateDb.DbBuilder("db", SlateDb.ObjectStore.resolve(`file://${directory}`))
      const all = SlateDb.Settings.default()
      const chosen = { compactor_options: null, garbage_collector_options: null, ...settings }
      for (const [key, value] of Object.entries(chosen)) all.set(key, JSON.stringify(value))
      builder.with_settings(all)
      builder.with_merge_operator(concatenation)
      return builder.build()
    }),
    (db) => Effect.promise(() => db.shutdown().catch(() => undefined))
  )

/** All rows, ascending. */
export const scan = (db: SlateDb.Db): Effect.Effect<ReadonlyArray<SlateDb.KeyValue>, unknown> =>
  Effect.tryPromise(async () => {
    const iterator = await db.scan({ start: undefined, start_inclusive: true, end: undefined, end_inclusive: false })
    const rows: Array<SlateDb.KeyValue> = []
    for (let row = await iterator.next(); row !== undefined; row = await iterator.next()) rows.push(row)
    iterator.dispose()
    return rows
  })
