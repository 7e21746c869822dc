import { assert, describe, it } from "@effect/vitest"
import * as LogCheck from "../../../src/internal/model/LogCheck.ts"
import * as Manifest from "../../../src/internal/model/Manifest.ts"

/** A WAL object with one row for each sequence number from `first` to `last`. */
const wal = (id: number, first: number, last: number): LogCheck.WalContents => ({
  id,
  contents: {
    formatVersion: 2,
    blocks: 1,
    rows: last - first + 1,
    puts: last - first + 1,
    deletes: 0,
    merges: 0,
    rawKeyBytes: 1,
    rawValueBytes: 1,
    firstSequence: first,
    lastSequence: last,
    firstCreateTime: first,
    lastCreateTime: last
  }
})

const log = [wal(3, 1, 4), wal(4, 5, 5), wal(5, 6, 9)]

const manifest: Manifest.Manifest = {
  ...Manifest.empty,
  replayAfterWalId: 4,
  walIdLastSeen: 5,
  lastL0Sequence: 5,
  lastL0ClockTick: 5
}

const details = (changed: Partial<Manifest.Manifest>, wals = log) =>
  LogCheck.check({ ...manifest, ...changed }, wals).map(({ detail }) => detail.replace(/:.*/, ""))

describe("LogCheck", () => {
  it("finds nothing wrong with a log that fits its manifest", () => {
    assert.deepStrictEqual(details({}), [])
    // The next object may be on its way, and rows of a memtable in a later object.
    assert.deepStrictEqual(details({ walIdLastSeen: 6, lastL0Sequence: 7 }), [])
    // What could not be read has its own faults.
    assert.deepStrictEqual(details({}, [...log.slice(0, 2), { id: 5, contents: undefined }]), [])
    assert.deepStrictEqual(details({ replayAfterWalId: 0, walIdLastSeen: 0, lastL0Sequence: 0 }, []), [])
  })

  it("finds a border beyond the end of the log", () => {
    assert.deepStrictEqual(details({ replayAfterWalId: 6, walIdLastSeen: 6, lastL0Sequence: 9 }), [
      "the covered log is longer than the log"
    ])
    assert.deepStrictEqual(details({ walIdLastSeen: 7 }), ["the writer saw more than there is"])
    assert.deepStrictEqual(details({}, []), [
      "the covered log is longer than the log",
      "the writer saw more than there is"
    ])
  })

  it("lets a clone begin without a log", () => {
    const externalDbs = [{ path: "parent", sourceCheckpointId: "", finalCheckpointId: undefined, tableIds: [] }]
    assert.deepStrictEqual(details({ externalDbs }, []), [])
  })

  it("finds gaps above the border, not below", () => {
    assert.deepStrictEqual(details({ replayAfterWalId: 3, lastL0Sequence: 4, lastL0ClockTick: 4 }, [wal(5, 5, 9)]), [
      "the log has a gap"
    ])
    assert.deepStrictEqual(details({}, [wal(1, 1, 1), wal(4, 5, 5), wal(5, 6, 9)]), [])
  })

  it("finds sequence numbers that go back from one object to the next, or stand still", () => {
    for (const again of [8, 9]) {
      const wals = [...log, wal(6, again, 12)]
      assert.deepStrictEqual(details({ walIdLastSeen: 6 }, wals), ["sequences go back"])
    }
  })

  it("finds a log where the manifest says there is none", () => {
    assert.lengthOf(details({ hasSeparateWalStore: true }), 1)
    assert.deepStrictEqual(details({ hasSeparateWalStore: true }, []), [])
    assert.deepStrictEqual(LogCheck.checkPinned({ ...manifest, hasSeparateWalStore: true }, []), [])
  })
})
