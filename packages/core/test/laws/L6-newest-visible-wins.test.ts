/** L6: the newest visible version of a key wins, on every path. */
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as MergeOperator from "@effect-slatedb/core/MergeOperator"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Generation } from "../../src/internal/lsm/Generation.ts"
import { KWayMerge } from "../../src/internal/lsm/KWayMerge.ts"
import * as Visibility from "../../src/internal/lsm/Visibility.ts"
import { copyOf } from "../../src/internal/model/ByteCopy.ts"
import * as Manifest from "../../src/internal/model/Manifest.ts"
import { PointLookup } from "../../src/internal/read/PointLookup.ts"
import * as GenerationModel from "../internal/lsm/GenerationModel.ts"
import * as OtherProcess from "../support/OtherProcess.ts"
import * as RowModel from "../support/RowModel.ts"
import * as TestDb from "../support/TestDb.ts"

const orders = ["ascending", "descending"] as const

/** Every reader that can tell rows apart: below, among and above their sequence numbers, around their expiries. */
const readersOf = (placed: ReadonlyArray<RowModel.Placed>) =>
  Array.from(new Set([0, ...placed.map(({ row }) => row.sequence), Infinity])).flatMap((maxSequence) =>
    [-Infinity, 9, 10, 20].map((now) => ({ maxSequence, now }))
  )

it.prop(
  "merged scans in both orders show what the definition says, whichever sources rows are in and whoever blocks",
  [RowModel.placedRows],
  ([placed]) => {
    const rows = placed.map(({ row }) => row)
    for (const reader of readersOf(placed)) {
      const expected = RowModel.visible(rows, reader)
      for (const order of orders) {
        const sources = [0, 1, 2, 3].map((source) => {
          const own = placed.filter((one) => one.source === source).map(({ row }) => row)
          return new RowModel.ArrayCursor(RowModel.inOrder(own, order))
        })
        const visible = Visibility.make(new KWayMerge(sources, order), order, { ...reader, merge: RowModel.concat })
        const shown = RowModel.drain(visible).map(({ key, value }) => `${RowModel.text(key)}=${RowModel.text(value)}`)
        assert.deepStrictEqual(shown, order === "ascending" ? expected : expected.toReversed())
      }
    }
  }
)

it("a cursor that was started anew shows nothing of the key at which a merge function threw", () => {
  const halfWay = [RowModel.row("k", 2, { merge: "+" }), RowModel.row("k", 1, { put: "1" })]
  for (const order of orders) {
    const merge = new KWayMerge([new RowModel.ArrayCursor(RowModel.inOrder(halfWay, order))], order)
    const reader = { maxSequence: 9, now: 0 }
    const visible = Visibility.make(merge, order, {
      ...reader,
      merge: () => {
        throw new Error("the merge function fails")
      }
    })
    assert.throws(() => RowModel.drain(visible), "the merge function fails")
    merge.start([new RowModel.ArrayCursor([RowModel.row("x", 3, { put: "2" })])], order)
    visible.start({ ...reader, merge: RowModel.concat })
    const shown = RowModel.drain(visible).map(({ key, value }) => `${RowModel.text(key)}=${RowModel.text(value)}`)
    assert.deepStrictEqual(shown, ["x=2"])
  }
})

it.prop(
  "lookups in generations, each a range of sequence numbers, show the same",
  [RowModel.placedRows],
  ([placed]) => {
    const rows = placed.map(({ row }) => row)
    const generations = [Generation.make({ hashSeed: 1 })]
    placed.forEach(({ row, source }, i) => {
      const isNewBatch = row.sequence !== rows[i - 1]?.sequence
      if (source === 0 && isNewBatch) generations.unshift(Generation.make({ hashSeed: i }))
      GenerationModel.append(generations[0] as Generation, row)
    })
    const state = {
      open: generations[0] as Generation,
      sealed: generations.slice(1).map((generation) => ({ generation, lastWalId: 0, commitPoints: [] })),
      current: { id: 1, manifest: Manifest.empty }
    }
    for (const { maxSequence, now } of readersOf(placed)) {
      const lookup = new PointLookup({ merge: RowModel.concat, now: () => now, take: copyOf })
      const view = { state, tables: { l0: [], runs: [] }, maxSequence }
      const found = ["k0", "k1", "k2", "k3", "k4", "k5"].flatMap((key) => {
        const answer = lookup.find(view, RowModel.bytes(key), undefined)
        return answer instanceof Uint8Array ? [`${key}=${RowModel.text(answer)}`] : []
      })
      assert.deepStrictEqual(found, RowModel.visible(rows, { maxSequence, now }))
    }
  }
)

it.effect("lookups and scans agree when versions lie in the WAL buffer, memtables, level 0 and a run", () =>
  Effect.gen(function* () {
    const random = GenerationModel.randomFrom(7)
    const bucket = TestDb.bucket()
    const db = yield* (yield* TestDb.process(bucket)).open({ l0MaxSsts: 1000, minFilterKeys: 1 })
    const expected = new Map<string, string>()
    const readLevel = "uncommitted"
    for (let i = 0; i < 80; i++) {
      const key = `k${random(5)}`
      const what = random(4)
      const later = { awaitDurable: false }
      if (what === 0) {
        yield* db.delete(key, later)
        expected.delete(key)
      } else {
        yield* what === 1 ? db.put(key, `p${i}`, later) : db.merge(key, `m${i}`, later)
        expected.set(key, what === 1 ? `p${i}` : `${expected.get(key) ?? ""}m${i}`)
      }
      if (random(6) === 0) yield* TestDb.awaitWithTime(db.flush("memtable"))
      if (i === 40) yield* OtherProcess.compact(bucket)
      const lines = Array.from(expected, ([key, value]) => `${key}=${value}`).toSorted()
      assert.deepStrictEqual(yield* TestDb.lines(db, KeyRange.all, { readLevel }), lines)
      const descending = yield* TestDb.lines(db, KeyRange.all, { readLevel, order: "descending" })
      assert.deepStrictEqual(descending.toReversed(), lines)
      for (const key of ["k0", "k1", "k2", "k3", "k4"]) {
        assert.strictEqual(TestDb.textOption(yield* db.getOption(key, { readLevel })), expected.get(key))
      }
    }
    const { l0Tables, sortedRuns } = yield* db.status
    assert.isAbove(l0Tables, 2)
    assert.strictEqual(sortedRuns, 1)
  }).pipe(Effect.provideService(MergeOperator.MergeOperator, MergeOperator.append))
)
