/**
 * L15: snapshots, transactions and scans pin a sequence number, registered before their first
 * read; retention and `recent_snapshot_min_seq` are never above the least pin.
 */
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as MergeOperator from "@effect-slatedb/core/MergeOperator"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Scheduler from "effect/Scheduler"
import * as Stream from "effect/Stream"
import { Retention } from "../../src/internal/lsm/Retention.ts"
import { Pins } from "../../src/internal/task/StateCell.ts"
import * as OtherProcess from "../support/OtherProcess.ts"
import * as RowModel from "../support/RowModel.ts"
import * as TestDb from "../support/TestDb.ts"

const later = { awaitDurable: false } as const

describe("retention", () => {
  it.prop(
    "keeps what readers at the least pin and above, now and later, can see",
    [RowModel.placedRows],
    ([placed]) => {
      const rows = placed.map(({ row }) => row)
      const sequences = [...new Set([0, ...rows.map(({ sequence }) => sequence)])]
      for (const minSequence of sequences) {
        for (const now of [0, 10, 20]) {
          for (const merge of [RowModel.concat, undefined]) {
            const source = new RowModel.ArrayCursor(RowModel.inOrder(rows, "ascending"))
            const kept = RowModel.drain(new Retention(source, { minSequence, now, merge }))
            assert.deepStrictEqual(kept.map(RowModel.told), RowModel.inOrder(kept, "ascending").map(RowModel.told))
            for (const maxSequence of [...sequences, Infinity].filter((sequence) => sequence >= minSequence)) {
              for (const readAt of [now, 15, 20].filter((time) => time >= now)) {
                const reader = { maxSequence, now: readAt }
                assert.deepStrictEqual(RowModel.visible(kept, reader), RowModel.visible(rows, reader))
              }
            }
          }
        }
      }
    }
  )

  it.prop(
    "keeps of puts and deletes no more than that: one version at or below the least pin",
    [RowModel.placedRows],
    ([placed]) => {
      const rows = placed.map(({ row }) => row).filter(({ kind }) => kind !== 2)
      for (const minSequence of rows.map(({ sequence }) => sequence)) {
        const source = new RowModel.ArrayCursor(RowModel.inOrder(rows, "ascending"))
        const kept = RowModel.drain(new Retention(source, { minSequence, now: 0, merge: undefined }))
        const below = kept.filter(({ sequence }) => sequence <= minSequence).map(({ key }) => RowModel.text(key))
        assert.strictEqual(below.length, new Set(below).size)
      }
    }
  )
})

describe("pins", () => {
  it("are counted, and the least of them is the bound", () => {
    const pins = new Pins()
    assert.strictEqual(pins.least, Infinity)
    for (const sequence of [7, 5, 5, 9]) pins.add(sequence)
    const least: Array<number> = []
    for (const sequence of [5, 5, 7, 9]) {
      least.push(pins.least)
      pins.remove(sequence)
    }
    assert.deepStrictEqual(least, [5, 5, 7, 9])
    assert.strictEqual(pins.least, Infinity)
  })
})

/** A database with three versions of a key, of which a scan holds the first. `during` runs while it does. */
const scanning = Effect.fnUntraced(function* <A, E>(
  during: (world: {
    readonly bucket: ReturnType<typeof TestDb.bucket>
    readonly put: (value: string) => Effect.Effect<void, unknown>
    readonly flush: Effect.Effect<ReadonlyArray<string>, unknown>
  }) => Effect.Effect<A, E>
) {
  const bucket = TestDb.bucket()
  const db = yield* (yield* TestDb.process(bucket)).open({ walFlush: "manual" })
  const put = (value: string) => db.put("key", value, later)
  /** Versions in the table of a flush. */
  const flush = Effect.gen(function* () {
    yield* db.flush("memtable")
    const { l0 } = yield* OtherProcess.manifest(bucket)
    return OtherProcess.rows(bucket, OtherProcess.paths.table(l0[0]?.id ?? "")).map(({ value }) => TestDb.text(value))
  })
  for (let i = 0; i < 600; i++) yield* db.put(`a${1000 + i}`, "", later)
  yield* put("1")
  yield* db.flush("memtable")
  const found: Array<string> = []
  const begun = Latch.makeUnsafe(false)
  const resume = Latch.makeUnsafe(false)
  const scan = Stream.runForEachArray(db.scan(KeyRange.all), (entries) => {
    for (const { key, value } of entries) found.push(`${TestDb.text(key)}=${TestDb.text(value)}`)
    begun.openUnsafe()
    return resume.await
  })
  const fiber = yield* Effect.forkChild(scan, { startImmediately: true })
  yield* begun.await
  const answer = yield* during({ bucket, put, flush })
  resume.openUnsafe()
  yield* Fiber.join(fiber)
  assert.strictEqual(found.at(-1), "key=1")
  assert.lengthOf(found, 601)
  return { answer, put, flush }
})

describe("a scan", () => {
  it.effect("keeps the versions it can see from a flush, and lets go of them with its end", () =>
    Effect.gen(function* () {
      const { answer, flush, put } = yield* scanning(({ flush, put }) =>
        Effect.gen(function* () {
          for (const value of ["2", "3"]) yield* put(value)
          return yield* flush
        })
      )
      assert.deepStrictEqual(answer, ["3", "2"], "newer ones are all kept, as later pins may lie between")
      for (const value of ["4", "5"]) yield* put(value)
      assert.deepStrictEqual(yield* flush, ["5"])
    })
  )

  it.effect("holds recent_snapshot_min_seq down while it lasts", () =>
    Effect.gen(function* () {
      const minSequence = (bucket: ReturnType<typeof TestDb.bucket>) =>
        Effect.map(OtherProcess.manifest(bucket), ({ recentSnapshotMinSequence }) => recentSnapshotMinSequence)
      const { answer } = yield* scanning(({ bucket, flush, put }) =>
        Effect.gen(function* () {
          yield* put("2")
          yield* flush
          assert.strictEqual(yield* minSequence(bucket), 601)
          return bucket
        })
      )
      assert.strictEqual(yield* minSequence(answer), 601, "until the next flush")
    })
  )

  it.effect("has its pin before anything else can happen after it chose its moment", () =>
    Effect.gen(function* () {
      for (let turns = 0; turns < 30; turns++) {
        const db = yield* (yield* TestDb.alone).open({ walFlush: "manual", walEnabled: false })
        yield* db.put("key", "1", later)
        const scan = yield* Effect.forkChild(TestDb.lines(db, KeyRange.all, { readLevel: "uncommitted" }))
        for (let i = 0; i < turns; i++) yield* Effect.yieldNow
        const { visibleSequence } = yield* db.status
        assert.strictEqual(visibleSequence, 1)
        yield* db.put("key", "2", later)
        yield* db.flush("memtable")
        const lines = yield* Fiber.join(scan)
        assert.lengthOf(lines, 1, `the key is there, in one version or the other: turns=${turns}`)
      }
    }).pipe(Effect.provideService(Scheduler.MaxOpsBeforeYield, 4))
  )

  it.effect("at the uncommitted level pins what is not durable, also merges that a flush would fold", () =>
    Effect.gen(function* () {
      const bucket = TestDb.bucket()
      const db = yield* (yield* TestDb.process(bucket)).open({ walFlush: "manual" })
      for (let i = 0; i < 600; i++) yield* db.put(`a${1000 + i}`, "", later)
      yield* db.merge("key", "1", later)
      let last = ""
      let chunks = 0
      yield* Stream.runForEachArray(db.scan(KeyRange.all, { readLevel: "uncommitted" }), (entries) =>
        Effect.gen(function* () {
          last = TestDb.text(entries[entries.length - 1]?.value ?? new Uint8Array(0))
          if (chunks++ > 0) return
          yield* db.merge("key", "2", later)
          yield* db.flush("memtable")
        })
      )
      assert.strictEqual(last, "1")
      assert.strictEqual(TestDb.text(yield* db.get("key")), "12")
    }).pipe(Effect.provideService(MergeOperator.MergeOperator, MergeOperator.append))
  )
})
