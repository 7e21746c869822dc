/**
 * L16: `replay_after_wal_id` and `last_l0_seq` advance together, over whole WALs, in order, also
 * when a flush yields no row; fences are covered without a table, with a flush or the next open; L0 ULIDs strictly increase,
 * across restarts and when the clock goes back.
 */
import { portable } from "@effect-slatedb/core/Compression"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as MergeOperator from "@effect-slatedb/core/MergeOperator"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as SsTableReader from "../../src/internal/format/SsTableReader.ts"
import * as ManifestStep from "../../src/internal/lsm/ManifestStep.ts"
import * as Manifest from "../../src/internal/model/Manifest.ts"
import type { SsTable } from "../../src/internal/model/SsTable.ts"
import * as OtherProcess from "../support/OtherProcess.ts"
import * as RowModel from "../support/RowModel.ts"
import * as TestDb from "../support/TestDb.ts"

const later = { awaitDurable: false } as const

const tableOf = (id: string): SsTable => ({
  id,
  viewId: id,
  formatVersion: 2,
  info: {
    firstEntry: new Uint8Array([1]),
    lastEntry: new Uint8Array([1]),
    indexOffset: 0,
    indexLength: 0,
    filterOffset: 0,
    filterLength: 0,
    filterFormat: "legacy",
    statsOffset: 0,
    statsLength: 0,
    compression: "none",
    kind: "compacted"
  },
  visibleRange: undefined
})

const flushed = (table: string | undefined, lastSequence: number, lastWalId: number) => ({
  table: table === undefined ? undefined : tableOf(table),
  lastSequence,
  lastWalId,
  clockTick: lastSequence * 100,
  commitPoints: []
})

const told = ({ l0, lastL0Sequence, replayAfterWalId, walIdLastSeen }: Manifest.Manifest) =>
  `l0=${l0.map(({ id }) => id).join()} sequence=${lastL0Sequence} wal=${replayAfterWalId} seen=${walIdLastSeen}`

describe("the edit of a flush", () => {
  const first = ManifestStep.addFlushed(flushed("T1", 5, 2), Infinity)(Manifest.empty)
  const second = ManifestStep.addFlushed(flushed("T2", 9, 4), Infinity)(first)

  it("names the table in front, and moves both borders", () => {
    assert.strictEqual(told(first), "l0=T1 sequence=5 wal=2 seen=2")
    assert.strictEqual(told(second), "l0=T2,T1 sequence=9 wal=4 seen=4")
  })

  it("of no rows moves both borders and names none", () => {
    assert.strictEqual(
      told(ManifestStep.addFlushed(flushed(undefined, 12, 6), Infinity)(second)),
      "l0=T2,T1 sequence=12 wal=6 seen=6"
    )
  })

  it("made again, or too late, changes nothing", () => {
    for (const again of [flushed("T1", 5, 2), flushed("T2", 9, 4)]) {
      assert.strictEqual(ManifestStep.addFlushed(again, Infinity)(second), second)
    }
  })

  it("leaves alone what others own", () => {
    const theirs = { ...first, compactorEpoch: 7, l0: [], lastCompactedViewId: "T1", runs: [{ id: 0, tables: [] }] }
    const edited = ManifestStep.addFlushed(flushed("T2", 9, 4), Infinity)(theirs)
    assert.deepStrictEqual(
      [edited.compactorEpoch, edited.lastCompactedViewId, edited.runs, told(edited)],
      [7, "T1", theirs.runs, "l0=T2 sequence=9 wal=4 seen=4"]
    )
  })
})

/** In every version: what is covered is in tables, what is not is in WAL objects above the border. */
const borders = Effect.fnUntraced(function* (bucket: MemoryObjectStore.State) {
  const log = TestDb.paths(bucket, OtherProcess.paths.wals.prefix).map((path) => ({
    id: OtherProcess.paths.wals.id(path) ?? 0,
    sequences: OtherProcess.rows(bucket, path).map(({ sequence }) => sequence)
  }))
  const versions = yield* OtherProcess.history(bucket)
  for (const { lastL0Sequence, replayAfterWalId } of versions) {
    for (const { id, sequences } of log) {
      for (const sequence of sequences) {
        assert.strictEqual(id <= replayAfterWalId, sequence <= lastL0Sequence, `wal=${id} sequence=${sequence}`)
      }
    }
  }
  const seen = new Set<string>()
  const ids = versions.flatMap(({ l0 }) =>
    l0.toReversed().flatMap(({ id }) => (seen.has(id) ? [] : (seen.add(id), [id])))
  )
  assert.deepStrictEqual(ids, ids.toSorted(), "ids ascend in the order in which tables were named")
  return versions
})

describe("a database", () => {
  it.effect.each([1, 2, 3, 4, 5, 6, 7, 8])(
    "keeps both borders together through flushes, restarts, crashes and clocks that jump: seed %i",
    (seed) =>
      Effect.gen(function* () {
        const bucket = TestDb.bucket()
        const open = Effect.gen(function* () {
          const process = yield* TestDb.process(bucket)
          const scope = yield* TestDb.manualScope
          const db = yield* process
            .open({ walFlush: "manual", l0SstSizeBytes: 400, walFilesPerMemtableMax: 5, l0MaxSsts: 1000 })
            .pipe(Effect.provideService(Scope.Scope, scope.scope))
          return { process, db, scope }
        })
        let { db, process, scope } = yield* open
        for (let step = 0; step < 80; step++) {
          const dice = yield* Random.nextIntBetween(0, 20)
          if (dice < 10) yield* db.put(`k${dice}`, "v".repeat(dice * 10), later)
          else if (dice < 14) yield* db.flush("wal")
          else if (dice < 16) yield* db.flush("memtable")
          else if (dice < 17) yield* TestClock.setTime(yield* Random.nextIntBetween(0, 10_000))
          else if (dice < 18) yield* OtherProcess.compact(bucket)
          else {
            if (dice < 19) yield* TestDb.crash(process)
            else yield* scope.close
            ;({ db, process, scope } = yield* open)
          }
        }
        // The last opening may have written nothing: its fence is covered with the first row behind it.
        yield* db.put("end", "1", later)
        yield* db.flush("memtable")
        const versions = yield* borders(bucket)
        const { nextWalId } = yield* db.status
        assert.strictEqual(versions.at(-1)?.replayAfterWalId, nextWalId - 1)
        yield* scope.close
      }).pipe(Random.withSeed(seed))
  )

  it.effect("covers the fences of openings that wrote nothing, the last one's with the next flush", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      for (let i = 0; i < 5; i++) yield* Effect.scoped(Effect.flatMap(TestDb.process(bucket), ({ open }) => open()))
      const db = yield* (yield* TestDb.process(bucket)).open()
      yield* db.put("a", "1", later)
      yield* db.flush("memtable")
      const { l0, replayAfterWalId } = yield* OtherProcess.manifest(bucket)
      assert.deepStrictEqual([l0.length, replayAfterWalId], [1, 7])
    })
  )

  it.effect("covers the log of a flush that yields no row, and adds no table", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      yield* Effect.scoped(Effect.flatMap(TestDb.process(bucket), ({ open }) => open()))
      // An operand that had ended before it was written, as a writer with another clock may leave.
      const wal = SsTableReader.schema(
        {
          kind: "wal",
          blockSizeBytes: 1024,
          filterBitsPerKey: 0,
          minFilterKeys: 0,
          codecName: "none",
          codec: undefined,
          crc32: portable.crc32
        },
        portable
      )
      const row = RowModel.row("a", 1, { merge: "x", createTime: 100, expireTime: 50 })
      yield* MemoryObjectStore.fromState(bucket).put(OtherProcess.paths.wals.path(2), Schema.encodeSync(wal)([row]))
      const db = yield* (yield* TestDb.process(bucket)).open()
      yield* db.flush("memtable")
      const { l0, lastL0Sequence, replayAfterWalId } = yield* OtherProcess.manifest(bucket)
      assert.deepStrictEqual([l0.length, lastL0Sequence, replayAfterWalId], [0, 1, 3])
      yield* db.put("b", "1", later)
      assert.strictEqual((yield* db.status).visibleSequence, 2)
      assert.deepStrictEqual(yield* TestDb.lines(db, KeyRange.all, { readLevel: "uncommitted" }), ["b=1"])
    }).pipe(Effect.provideService(MergeOperator.MergeOperator, MergeOperator.append))
  )
})
