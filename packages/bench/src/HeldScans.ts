/**
 * Scans that are begun and not ended while a workload runs. Each is of a moment of
 * its own: a put lies between any two of them.
 */
import type { Database } from "./Engine.ts"
import * as Key from "./Key.ts"
import * as Loop from "./Loop.ts"

/** Runs `use` while `count` scans are open. */
export const during = async <P extends object, A>(
  database: Database<P>,
  options: { readonly count: number; readonly valueBytes: number },
  use: () => Promise<A>
): Promise<A> => {
  const releases: Array<() => Promise<void>> = []
  try {
    for (let i = 0; i < options.count; i++) {
      if (database.hold === undefined) throw new Error("the engine cannot hold scans open")
      await database.run(Loop.one(database.put(Key.make(0), Buffer.alloc(options.valueBytes), false)))
      releases.push(await database.hold())
    }
    return await use()
  } finally {
    for (const release of releases) await release()
  }
}
