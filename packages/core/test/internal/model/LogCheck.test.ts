import { assert, describe, it } from "@effect/vitest"
import * as LogCheck from "../../../src/internal/model/LogCheck.ts"
import * as Manifest from "../../../src/internal/model/Manifest.ts"
import type { TableContents } from "../../../src/internal/model/TableContents.ts"

const wal = (id: number, firstSequence: number, lastSequence: number): LogCheck.WalContents => {
  const rows = lastSequence - firstSequence + 1
  const contents: TableContents = {
    formatVersion: 2,
    blocks: 1,
    rows,
    puts: rows,
    deletes: 0,
    merges: 0,
    rawKeyBytes: rows,
    rawValueBytes: rows,
    firstSequence,
    lastSequence,
    firstCreateTime: 1000 * id,
    lastCreateTime: 1000 * id
  }
  return { id, contents }
}

/** An object without rows. */
const fence = (id: number): LogCheck.WalContents => wal(id, 1, 0)

/** Covers the log up to 5, with rows up to sequence 20. */
const manifest: Manifest.Manifest = {
  ...Manifest.empty,
  replayAfterWalId: 5,
  walIdLastSeen: 6,
  lastL0Sequence: 20,
  lastL0ClockTick: 5000
}

const faults = (...wals: ReadonlyArray<LogCheck.WalContents>): ReadonlyArray<string> =>
  LogCheck.check(manifest, wals).map(({ detail, rule }) => `${rule} ${detail.replace(/:.*/, "")}`)

describe("LogCheck", () => {
  it("finds nothing wrong with a log that goes on", () => {
    assert.deepStrictEqual(faults(wal(3, 8, 12), fence(4), wal(5, 13, 20), wal(6, 21, 22)), [])
  })

  it("finds rows that are covered and above level 0", () => {
    assert.deepStrictEqual(faults(wal(3, 8, 12), wal(4, 13, 20), wal(5, 21, 21), wal(6, 22, 23)), [
      "L16 a covered WAL holds rows above level 0"
    ])
  })

  it("passes over what a fenced writer stored when its successor had gone on and flushed", () => {
    assert.deepStrictEqual(faults(wal(4, 13, 19), wal(5, 13, 20), wal(6, 21, 22)), [])
    assert.deepStrictEqual(faults(wal(4, 13, 30), wal(5, 13, 20), wal(6, 21, 22)), [])
    assert.deepStrictEqual(faults(wal(3, 13, 30), wal(4, 13, 40), wal(5, 13, 20), wal(6, 21, 22)), [])
  })

  it("finds sequences that go back where the log is replayed, or where the covered log ends", () => {
    assert.deepStrictEqual(faults(wal(5, 13, 20), wal(6, 21, 24), wal(7, 23, 26)), ["L2 sequences go back"])
    assert.deepStrictEqual(faults(wal(4, 8, 12), wal(5, 13, 20), wal(6, 19, 26)), ["L2 sequences go back"])
  })
})
