/**
 * LevelDB through classic-level, on local files.
 *
 * Blocks are compressed with snappy, its default. A durable write is one with
 * `sync`, which syncs the log file. Reads are synchronous (`getSync`) unless the
 * mode asks for promises.
 */
import { ClassicLevel } from "classic-level"
import type { BatchEntry, Engine } from "../Engine.ts"
import { promised } from "../Engine.ts"
import * as PackageVersion from "../PackageVersion.ts"

const entriesPerPage = 1000

export const engine: Engine<Promise<unknown>> = {
  name: "classic-level",
  version: PackageVersion.of("classic-level"),
  stores: [],
  open: async ({ directory, mode, settings }) => {
    const level = new ClassicLevel<Buffer, Uint8Array>(directory, {
      keyEncoding: "buffer",
      valueEncoding: "buffer",
      cacheSize: bytes(settings["block_cache_bytes"], 512 << 20),
      writeBufferSize: bytes(settings["l0_sst_size_bytes"], 64 << 20)
    })
    await level.open()
    return {
      ...promised,
      put: (key, value, sync) => level.put(key, value, { sync }),
      get: mode === "async" ? (key) => level.get(key) : (key) => level.getSync(key),
      delete: (key, sync) => level.del(key, { sync }),
      batch: (entries, sync) => level.batch(entries.map(operation), { sync }),
      scan: async ({ from, limit, to }, visit) => {
        const iterator = level.iterator({
          ...(from === undefined ? {} : { gte: from }),
          ...(to === undefined ? {} : { lt: to }),
          ...(limit === undefined ? {} : { limit })
        })
        let count = 0
        for (;;) {
          const page = await iterator.nextv(Math.min(limit ?? entriesPerPage, entriesPerPage))
          if (page.length === 0) break
          for (const [key, value] of page) visit(key, value)
          count += page.length
          if (count === limit) break
        }
        await iterator.close()
        return count
      },
      flush: () => level.compactRange(Buffer.alloc(0), Buffer.alloc(20, 0xff)),
      close: () => level.close()
    }
  }
}

const operation = ([key, value]: BatchEntry) =>
  value === undefined ? ({ type: "del", key } as const) : ({ type: "put", key, value } as const)

const bytes = (setting: unknown, byDefault: number): number => (typeof setting === "number" ? setting : byDefault)
