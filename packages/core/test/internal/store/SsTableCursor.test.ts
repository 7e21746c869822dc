/** Walks to the end that fetch ahead, now and then, with stretches of few rows. */
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import type * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as Fault from "@effect-slatedb/testkit/Fault"
import * as FaultyObjectStore from "@effect-slatedb/testkit/FaultyObjectStore"
import { assert, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { Step } from "../../../src/internal/lsm/Cursor.ts"
import { copy, type RowEntry } from "../../../src/internal/model/RowEntry.ts"
import type { SsTable } from "../../../src/internal/model/SsTable.ts"
import { RunCursor } from "../../../src/internal/store/RunCursor.ts"
import { SsTableCursor } from "../../../src/internal/store/SsTableCursor.ts"
import * as CompactionLab from "../../support/CompactionLab.ts"
import * as OtherProcess from "../../support/OtherProcess.ts"
import * as RowModel from "../../support/RowModel.ts"

/** A store that answers a turn later. */
const slow = (bucket: MemoryObjectStore.State): ObjectStore.ObjectStore["Service"] => {
  const store = MemoryObjectStore.fromState(bucket)
  return { ...store, getRange: (path, range) => Effect.andThen(Effect.yieldNow, store.getRange(path, range)) }
}

const whole = (lab: CompactionLab.Lab, table: SsTable, readAheadBytes: number, range = KeyRange.all) =>
  new SsTableCursor(lab.tables.reader(table), {
    range,
    order: "ascending",
    readAheadBytes,
    cacheBlocks: false,
    isWhole: true
  })

/** Walks to the end. At each row it is told what to do about fetching ahead: nothing, begin, or begin and give up. */
const runOf = (tables: ReadonlyArray<SsTable>, open: (table: SsTable) => SsTableCursor): RunCursor => {
  let at = 0
  return new RunCursor(() => {
    const table = tables[at++]
    return table === undefined ? undefined : open(table)
  })
}

const walk = Effect.fnUntraced(function* (
  cursor: SsTableCursor | RunCursor,
  what: (row: number) => "nothing" | "begin" | "giveUp"
) {
  const rows: Array<RowEntry> = []
  for (let step = cursor.next(); step !== Step.done; step = cursor.next()) {
    const choice = what(rows.length)
    const { ahead } = cursor
    if (choice !== "nothing" && ahead !== undefined) {
      const fiber = yield* Effect.forkChild(Effect.ignore(ahead), { startImmediately: true })
      if (choice === "giveUp") yield* Fiber.interrupt(fiber)
    }
    if (step === Step.row) rows.push(copy(cursor.row))
    else yield* cursor.load ?? Effect.void
  }
  return rows
})

const below = (end: number) => Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: end - 1 })))

it.effect.prop(
  "a run is walked in order, whatever is fetched ahead and given up",
  [
    RowModel.placedRows,
    Arbitrary.all({ readAheadBytes: below(400), end: below(7), cut: below(30), cached: below(40) }),
    Arbitrary.array(below(3), { minLength: 1, maxLength: 9 })
  ],
  Effect.fnUntraced(function* ([placed, { cached, cut, end, readAheadBytes }, choices]) {
    const bucket = MemoryObjectStore.makeState()
    const lab = yield* CompactionLab.make(bucket, slow(bucket))
    const rows = RowModel.inOrder(
      placed.map(({ row }) => row),
      "ascending"
    )
    const range = end > 5 ? KeyRange.all : { start: undefined, end: RowModel.bytes(`k${end}`) }
    const pieces = [rows.slice(0, cut), rows.slice(cut)].filter((piece) => piece.length > 0)
    const tables = yield* Effect.forEach(pieces, (piece) => lab.table(piece, { blockSizeBytes: 40 }))
    const first = tables[0]
    if (first !== undefined) {
      // One block is in the cache.
      const reader = lab.tables.reader(first)
      const index = yield* reader.loadIndex
      const block = cached % index.blockCount
      yield* reader.loadBlocks(index, block, block + 1, true)
    }
    const cursor = runOf(tables, (table) => whole(lab, table, readAheadBytes, range))
    const walked = yield* walk(
      cursor,
      (row) => (["nothing", "begin", "giveUp"] as const)[choices[row % choices.length] ?? 0] ?? "nothing"
    )
    assert.deepStrictEqual(
      walked,
      rows.filter(({ key }) => end > 5 || RowModel.text(key) < `k${end}`)
    )
    assert.strictEqual(
      cursor.position,
      tables.reduce((sum, { info }) => sum + info.filterOffset, 0)
    )
  }),
  { arbitrary: { runs: 300 } }
)

const rows = Array.from({ length: 30 }, (_, n) =>
  RowModel.row(`k${String(n).padStart(2, "0")}`, 30 - n, { put: "v".repeat(80) })
)

it.effect("what is fetched ahead and fails is asked for again when the walk is there, not before", () =>
  Effect.gen(function* () {
    const bucket = MemoryObjectStore.makeState()
    const faults = yield* FaultyObjectStore.make(MemoryObjectStore.fromState(bucket))
    const lab = yield* CompactionLab.make(bucket, faults.store)
    const cursor = whole(lab, yield* lab.table(rows, { blockSizeBytes: 1 }), 1_000)
    // Index and first stretch.
    yield* faults.add({ skip: 2, times: 1, fault: Fault.failBefore() })
    let moves = 0
    const begin = () => {
      moves++
      return "begin" as const
    }
    assert.deepStrictEqual(yield* walk(cursor, begin), rows)
    // It was blocked at the beginning, and where the failure was.
    assert.strictEqual(moves, rows.length + 2)
    const requests = yield* faults.requests()
    const stretches = Math.ceil(rows.length / 8)
    assert.lengthOf(requests, 1 + stretches + 1)
    assert.strictEqual(requests[2]?.outcome, "Unavailable")
  })
)

it.effect("what is on its way is not offered again", () =>
  Effect.gen(function* () {
    const bucket = MemoryObjectStore.makeState()
    const lab = yield* CompactionLab.make(bucket, slow(bucket))
    const cursor = whole(lab, yield* lab.table(rows, { blockSizeBytes: 1 }), 1_000)
    const offered = cursor.ahead ?? Effect.die("the index is wanted")
    const fiber = yield* Effect.forkChild(offered, { startImmediately: true })
    assert.isUndefined(cursor.ahead)
    yield* Fiber.join(fiber)
    assert.isDefined(cursor.ahead)
  })
)

it.effect("a run's next table is there when the walk comes to it", () =>
  Effect.gen(function* () {
    const lab = yield* CompactionLab.make()
    const pieces = [rows.slice(0, 12), rows.slice(12, 20), rows.slice(20)]
    const tables = yield* Effect.forEach(pieces, (piece) => lab.table(piece, { blockSizeBytes: 1 }))
    let moves = 0
    const cursor = runOf(tables, (table) => whole(lab, table, 400))
    yield* walk(cursor, () => {
      moves++
      return "begin"
    })
    assert.strictEqual(moves, rows.length + 1)
  })
)

it.effect("a cached block breaks no stretch, and is not fetched where a stretch would begin with it", () =>
  Effect.gen(function* () {
    const bucket = MemoryObjectStore.makeState()
    const asked: Array<number> = []
    const store = MemoryObjectStore.fromState(bucket)
    const lab = yield* CompactionLab.make(bucket, {
      ...store,
      getRange: (path, range) => {
        if ("offset" in range) asked.push(range.offset)
        return store.getRange(path, range)
      }
    })
    const table = yield* lab.table(rows, { blockSizeBytes: 1 })
    const reader = lab.tables.reader(table)
    const index = yield* reader.loadIndex
    const perStretch = Math.floor(1_000 / index.blockOffset(1))
    for (const block of [1, perStretch]) yield* reader.loadBlocks(index, block, block + 1, true)
    asked.length = 0
    assert.deepStrictEqual(yield* walk(whole(lab, table, 1_000), () => "begin"), rows)
    assert.deepStrictEqual(asked.slice(0, 3), [
      table.info.indexOffset,
      index.blockOffset(0),
      index.blockOffset(perStretch + 1)
    ])
  })
)

it.effect("a damaged block is named when the walk comes to it", () =>
  Effect.gen(function* () {
    const lab = yield* CompactionLab.make()
    const table = yield* lab.table(rows, { blockSizeBytes: 1 })
    const index = yield* lab.tables.reader(table).loadIndex
    const path = OtherProcess.paths.table(table.id)
    yield* OtherProcess.damage(lab.bucket, path, (bytes) => bytes.fill(0xff, index.blockOffset(3), index.blockEnd(3)))
    const cursor = whole(lab, table, 10_000)
    const walked: Array<RowEntry> = []
    const error = yield* Effect.flip(
      Effect.gen(function* () {
        for (;;) {
          if (cursor.next() === Step.row) walked.push(copy(cursor.row))
          else yield* cursor.load
        }
      })
    )
    assert.deepStrictEqual(walked, rows.slice(0, 3))
    assert.strictEqual(error.reason._tag, "Corrupt")
    if (error.reason._tag === "Corrupt") assert.strictEqual(error.reason.object, path)
    assert.strictEqual(cursor.next(), Step.blocked)
  })
)
