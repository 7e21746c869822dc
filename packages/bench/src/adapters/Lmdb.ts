/**
 * LMDB through lmdb-js, on a local memory-mapped file, without compression.
 *
 * A put resolves at its commit, and commits sync by default: single puts that are
 * not durable pay for a sync here that other engines do not. A durable write also
 * waits for `flushed`.
 */
import type { RootDatabase } from "lmdb"
import { open } from "lmdb"
import type { Engine } from "../Engine.ts"
import { promised } from "../Engine.ts"
import * as PackageVersion from "../PackageVersion.ts"

export const engine: Engine<Promise<unknown>> = {
  name: "lmdb-js",
  version: PackageVersion.of("lmdb"),
  stores: [],
  open: async ({ directory }) => {
    const lmdb: RootDatabase<Uint8Array, Buffer> = open({
      path: directory,
      keyEncoding: "binary",
      encoding: "binary",
      mapSize: 8 * 2 ** 30,
      compression: false
    })
    const until = (committed: Promise<unknown>, durable: boolean): Promise<unknown> =>
      durable ? committed.then(() => lmdb.flushed) : committed
    return {
      ...promised,
      put: (key, value, durable) => until(lmdb.put(key, value), durable),
      get: (key) => lmdb.get(key),
      delete: (key, durable) => until(lmdb.remove(key), durable),
      batch: (entries, durable) => {
        const committed = lmdb.transaction(() => {
          for (const [key, value] of entries) {
            if (value === undefined) void lmdb.remove(key)
            else void lmdb.put(key, value)
          }
        })
        return until(committed, durable)
      },
      scan: ({ from, limit, to }, visit) => {
        let count = 0
        const range = lmdb.getRange({
          ...(from === undefined ? {} : { start: from }),
          ...(to === undefined ? {} : { end: to }),
          ...(limit === undefined ? {} : { limit }),
          snapshot: false
        })
        for (const { key, value } of range) {
          visit(key, value)
          count++
        }
        return count
      },
      flush: () => lmdb.flushed,
      close: () => lmdb.close()
    }
  }
}
