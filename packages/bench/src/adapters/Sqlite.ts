/**
 * SQLite as bundled with Node, on local files: one table without row ids, WAL
 * journal. A durable write runs under `synchronous=FULL`, any other under
 * `NORMAL`. Everything is synchronous.
 */
import * as path from "node:path"
import { DatabaseSync } from "node:sqlite"
import type { Engine } from "../Engine.ts"
import { promised } from "../Engine.ts"

const schema = `
  PRAGMA journal_mode=WAL;
  PRAGMA synchronous=NORMAL;
  PRAGMA cache_size=-524288;
  PRAGMA mmap_size=2147483648;
  CREATE TABLE IF NOT EXISTS kv(k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID`

export const engine: Engine<Promise<unknown>> = {
  name: "node:sqlite (WAL)",
  version: process.versions["sqlite"] ?? "unknown",
  stores: [],
  open: async ({ directory }) => {
    const sqlite = new DatabaseSync(path.join(directory, "kv.sqlite"))
    sqlite.exec(schema)
    const insert = sqlite.prepare("INSERT INTO kv(k,v) VALUES(?,?) ON CONFLICT(k) DO UPDATE SET v=excluded.v")
    const select = sqlite.prepare("SELECT v FROM kv WHERE k=?")
    const remove = sqlite.prepare("DELETE FROM kv WHERE k=?")
    const scanFrom = sqlite.prepare("SELECT k,v FROM kv WHERE k>=? ORDER BY k LIMIT ?")
    const scanBetween = sqlite.prepare("SELECT k,v FROM kv WHERE k>=? AND k<? ORDER BY k LIMIT ?")

    let full = false
    const synchronise = (durable: boolean): void => {
      if (durable === full) return
      sqlite.exec(`PRAGMA synchronous=${durable ? "FULL" : "NORMAL"}`)
      full = durable
    }
    return {
      ...promised,
      put: (key, value, durable) => {
        synchronise(durable)
        insert.run(key, value)
        return undefined
      },
      get: (key) => blob(select.get(key)?.["v"]),
      delete: (key, durable) => {
        synchronise(durable)
        remove.run(key)
        return undefined
      },
      batch: (entries, durable) => {
        synchronise(durable)
        sqlite.exec("BEGIN")
        for (const [key, value] of entries) {
          if (value === undefined) remove.run(key)
          else insert.run(key, value)
        }
        sqlite.exec("COMMIT")
        return undefined
      },
      scan: ({ from = Buffer.alloc(0), limit = -1, to }, visit) => {
        let count = 0
        const rows = to === undefined ? scanFrom.iterate(from, limit) : scanBetween.iterate(from, to, limit)
        for (const row of rows) {
          visit(row["k"] as Uint8Array, row["v"] as Uint8Array)
          count++
        }
        return count
      },
      flush: () => {
        sqlite.exec("PRAGMA wal_checkpoint(PASSIVE)")
        return undefined
      },
      close: () => {
        sqlite.close()
        return undefined
      }
    }
  }
}

const blob = (column: unknown): Uint8Array | undefined => (column instanceof Uint8Array ? column : undefined)
