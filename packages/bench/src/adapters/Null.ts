/**
 * Does nothing, at once: what it costs is the cost of the harness itself.
 */
import type { Engine } from "../Engine.ts"
import { promised } from "../Engine.ts"

const nothing = (): undefined => undefined

export const engine: Engine<Promise<unknown>> = {
  name: "null (harness cost)",
  version: "-",
  stores: [],
  open: async () => {
    const key = Buffer.alloc(16)
    let value = Buffer.alloc(0)
    let entries = 0
    return {
      ...promised,
      // Remembers how much there would be, so that the answers have the right shape.
      put: (_key, written) => {
        if (written.length !== value.length) value = Buffer.alloc(written.length)
        return undefined
      },
      get: (key) => (isAbsent(key) ? undefined : value),
      delete: nothing,
      batch: (batch) => {
        entries += batch.length
        const written = batch[0]?.[1]
        if (written !== undefined && written.length !== value.length) value = Buffer.alloc(written.length)
        return undefined
      },
      scan: (range, visit) => {
        const count = Math.min(range.limit ?? entries, entries)
        for (let i = 0; i < count; i++) visit(key, value)
        return count
      },
      flush: nothing,
      close: nothing
    }
  }
}

/** The keys that the workloads never write end in a dot. */
const isAbsent = (key: Buffer): boolean => key[key.length - 1] === 0x2e
