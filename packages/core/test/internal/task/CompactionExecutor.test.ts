import * as DbError from "@effect-slatedb/core/DbError"
import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as Fault from "@effect-slatedb/testkit/Fault"
import * as FaultyObjectStore from "@effect-slatedb/testkit/FaultyObjectStore"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as References from "effect/References"
import * as Result from "effect/Result"
import * as SsTableReader from "../../../src/internal/format/SsTableReader.ts"
import { Kind, type RowEntry } from "../../../src/internal/model/RowEntry.ts"
import type { SsTable } from "../../../src/internal/model/SsTable.ts"
import { Lifecycle } from "../../../src/internal/task/Lifecycle.ts"
import * as Retrying from "../../../src/internal/task/Retrying.ts"
import * as CompactionLab from "../../support/CompactionLab.ts"
import * as Fibers from "../../support/Fibers.ts"
import * as RowModel from "../../support/RowModel.ts"
import * as TestDb from "../../support/TestDb.ts"
import * as FixtureStore from "../format/FixtureStore.ts"
import * as TableRows from "../format/TableRows.ts"

const MiB = 1024 * 1024
const keyOf = (n: number) => `key/${String(n).padStart(6, "0")}`

/** Puts of keys `first`, `first + step`, ... of `valueBytes` each. */
const puts = (first: number, step: number, count: number, valueBytes: number): ReadonlyArray<RowEntry> =>
  Array.from({ length: count }, (_, i) => ({
    ...RowModel.row(keyOf(first + i * step), 1000 * first + i + 1, {}),
    kind: Kind.put,
    value: new Uint8Array(valueBytes).fill(first)
  }))

const l0 = (...tables: ReadonlyArray<SsTable>) => ({ l0: tables, runs: [] })

const told = (rows: ReadonlyArray<RowEntry>) => rows.map(({ key, sequence }) => `${RowModel.text(key)} ${sequence}`)

/** Two tables of level 0 and a run of two, each of several stretches, whose keys interleave. */
const world = Effect.gen(function* () {
  const bucket = MemoryObjectStore.makeState()
  const faults = yield* FaultyObjectStore.make(MemoryObjectStore.fromState(bucket))
  const lab = yield* CompactionLab.make(bucket, faults.store)
  const large = { blockSizeBytes: 4096 }
  const newer = yield* Effect.forEach([0, 1], (n) => lab.table(puts(n, 3, 12, 100_000), large))
  const older = puts(2, 3, 12, 100_000)
  const tables = yield* Effect.forEach([older.slice(0, 6), older.slice(6)], (rows) => lab.table(rows, large))
  const job = {
    sources: { l0: newer, runs: [{ id: 0, tables }] },
    maxSstSizeBytes: 750_000
  }
  const expected = Array.from({ length: 36 }, (_, n) => keyOf(n))
  const check = (outputs: ReadonlyArray<SsTable>) =>
    assert.deepStrictEqual(
      lab.rows(outputs).map(({ key }) => RowModel.text(key)),
      expected
    )
  return { bucket, faults, lab, job, check }
})

describe("a job that fails", () => {
  it.effect("at any request is done by the next one, from what it recorded", () =>
    Effect.gen(function* () {
      const requests = yield* Effect.gen(function* () {
        const { check, faults, job, lab } = yield* world
        check(yield* lab.run(job))
        return (yield* faults.requests()).length
      })
      assert.isAbove(requests, 14)
      for (let skip = 0; skip < requests; skip++) {
        for (const strike of [Fault.failBefore, Fault.failAfter]) {
          const { check, faults, job, lab } = yield* world
          yield* faults.add({ skip, times: 1, fault: strike((details) => new ObjectStore.Denied(details)) })
          let recorded: ReadonlyArray<SsTable> = []
          const record = { onOutputs: (all: ReadonlyArray<SsTable>) => Effect.sync(() => void (recorded = all)) }
          const first = yield* Effect.exit(lab.run({ ...job, ...record }))
          // What was fetched ahead in vain is asked for again when it is wanted.
          if (Exit.isSuccess(first)) check(first.value)
          const outputs = yield* lab.run({ ...job, outputs: recorded })
          check(outputs)
          assert.deepStrictEqual(outputs.slice(0, recorded.length), recorded)
        }
      }
    })
  )

  it.effect("for the moment goes on when the store answers again", () =>
    Effect.gen(function* () {
      const { check, faults, job, lab } = yield* world
      yield* faults.add({ fault: Fault.failBefore(), probability: 0.3 })
      yield* faults.add({ fault: Fault.failAfter(), probability: 0.3, operation: "putIfAbsent" })
      const lifecycle = new Lifecycle()
      check(yield* TestDb.awaitWithTime(lab.run({ ...job, retrying: Retrying.make(lifecycle, "Compactor") })))
      assert.isAbove(lifecycle.retries, 0)
    })
  )

  it.effect("since a source is missing names it", () =>
    Effect.gen(function* () {
      const { bucket, job, lab } = yield* world
      const path = `db/compacted/${job.sources.runs[0]?.tables[1]?.id}.sst`
      yield* MemoryObjectStore.fromState(bucket).delete(path)
      const { reason } = yield* Effect.flip(lab.run(job))
      assert.strictEqual(reason._tag, "Corrupt")
      if (reason._tag === "Corrupt") assert.strictEqual(reason.object, path)
    })
  )

  it.effect("since a caller cannot record an output has stored no other", () =>
    Effect.gen(function* () {
      const { faults, job, lab } = yield* world
      const error = DbError.fail(new DbError.Closed({ kind: "fenced", detail: "another compactor" }))
      assert.strictEqual(yield* Effect.flip(lab.run({ ...job, onOutputs: () => Effect.fail(error) })), error)
      assert.lengthOf(yield* faults.requests({ operation: "putIfAbsent" }), 1)
    })
  )

  const operands = [RowModel.row("a", 2, { merge: "2" }), RowModel.row("a", 1, { merge: "1" })]
  it.effect.each([
    [
      "throws",
      () => {
        throw new Error("no such operand")
      },
      "it threw"
    ],
    ["returns no bytes", () => JSON.parse('"text"') as Uint8Array, "it returned string"]
  ] as const)("since its merge function %s says so, and leaves its sources", ([, merge, detail]) =>
    Effect.gen(function* () {
      const lab = yield* CompactionLab.make()
      const table = yield* lab.table(operands)
      const { reason } = yield* Effect.flip(lab.run({ sources: l0(table), merge }))
      assert.strictEqual(reason._tag, "Invalid")
      assert.include(reason.message, detail)
      assert.deepStrictEqual(TestDb.paths(lab.bucket, "db/"), [`db/compacted/${table.id}.sst`])
      assert.lengthOf(lab.rows(yield* lab.run({ sources: l0(table), merge: RowModel.concat })), 1)
    })
  )
})

it.effect("a job that is interrupted at any request leaves no fiber and no open request", () =>
  Effect.gen(function* () {
    let hasEnded = false
    for (let skip = 0; !hasEnded; skip++) {
      const { check, faults, job, lab } = yield* world
      const gate = yield* faults.hold({ skip, times: 1, at: skip % 2 === 0 ? "before" : "after" })
      const fibers = Fibers.make()
      let recorded: ReadonlyArray<SsTable> = []
      const record = { onOutputs: (all: ReadonlyArray<SsTable>) => Effect.sync(() => void (recorded = all)) }
      const job1 = yield* Effect.forkChild(fibers.watch(lab.run({ ...job, ...record })), { startImmediately: true })
      hasEnded = yield* Effect.raceFirst(Effect.as(gate.reached(), false), Effect.as(Fiber.await(job1), true))
      yield* Fiber.interrupt(job1)
      assert.strictEqual(yield* gate.waiting, 0)
      assert.isEmpty((yield* faults.requests()).filter(({ outcome }) => outcome === "pending"))
      assert.strictEqual(fibers.live(), 0)
      if (hasEnded) assert.isAbove(skip, 14)
      yield* faults.clear
      check(yield* lab.run({ ...job, outputs: recorded }))
    }
  })
)

describe("what is fetched", () => {
  /** A store that tells what is asked for, before it answers. */
  const watched = (
    bucket: MemoryObjectStore.State,
    onRange: (offset: number, length: number) => Effect.Effect<void>
  ) => {
    const store = MemoryObjectStore.fromState(bucket)
    const getRange: typeof store.getRange = (path, range) =>
      Effect.andThen(
        "offset" in range ? onRange(range.offset, range.length ?? 0) : Effect.void,
        store.getRange(path, range)
      )
    return { ...store, getRange }
  }

  it.effect("is a table's index, and stretches of 1 MiB, each asked for while the one before is merged", () =>
    Effect.gen(function* () {
      const bucket = MemoryObjectStore.makeState()
      let progress = 0
      const asked: Array<{ readonly offset: number; readonly at: number }> = []
      const store = watched(bucket, (offset) => Effect.sync(() => void asked.push({ offset, at: progress })))
      const lab = yield* CompactionLab.make(bucket, store)
      const table = yield* lab.table(puts(0, 1, 5_000, 1_000), { blockSizeBytes: 4096 })
      yield* lab.run({ sources: l0(table), onProgress: (bytes) => (progress = bytes) })
      const [index, first, ...others] = asked
      assert.strictEqual(index?.offset, table.info.indexOffset)
      assert.strictEqual(first?.offset, 0)
      assert.lengthOf(others, Math.ceil(table.info.filterOffset / MiB) - 1)
      let before = 0
      for (const { at, offset } of others) {
        assert.isAtLeast(at, before)
        assert.isBelow(at, before + MiB / 2)
        before = offset
      }
    })
  )

  it.effect("does not keep the merge waiting before it is at the end of what it has", () =>
    Effect.gen(function* () {
      const bucket = MemoryObjectStore.makeState()
      const gate = Deferred.makeUnsafe<void>()
      let held = 0
      const store = watched(bucket, (offset, length) => {
        if (offset < MiB / 2 || length < MiB / 2) return Effect.void
        held = offset
        return Deferred.await(gate)
      })
      const lab = yield* CompactionLab.make(bucket, store)
      const table = yield* lab.table(puts(0, 1, 5_000, 1_000), { blockSizeBytes: 4096 })
      let progress = 0
      const run = yield* Effect.forkChild(lab.run({ sources: l0(table), onProgress: (bytes) => (progress = bytes) }))
      for (let turns = 0; turns < 200; turns++) yield* Effect.yieldNow
      assert.isAbove(held, MiB / 2)
      assert.strictEqual(progress, held)
      yield* Deferred.succeed(gate, undefined)
      assert.lengthOf(lab.rows(yield* Fiber.join(run)), 5_000)
      // Who waits for what is on its way does not ask again.
      assert.strictEqual(bucket.requests.getRange.count, 1 + Math.ceil(table.info.filterOffset / MiB))
    })
  )

  it.effect.each([
    [3, 2 * MiB],
    [40, (16 * MiB) / 40]
  ] as const)("weighs two stretches a source at most, and 16 MiB in all: %s sources", ([sources, bytesEach]) =>
    Effect.gen(function* () {
      const bucket = MemoryObjectStore.makeState()
      let fetched = 0
      let progress = 0
      let most = 0
      const store = watched(bucket, (_, length) =>
        Effect.sync(() => {
          fetched += length
          most = Math.max(most, fetched - progress)
        })
      )
      const lab = yield* CompactionLab.make(bucket, store)
      // The last source is a run of two tables.
      const tables = yield* Effect.forEach(Array.from({ length: sources - 1 }), (_, n) =>
        lab.table(puts(n, sources, 30_000 / sources, 1_000), { blockSizeBytes: 4096 })
      )
      const rows = puts(sources - 1, sources, 30_000 / sources, 1_000)
      const run = yield* Effect.forEach([rows.slice(0, rows.length / 2), rows.slice(rows.length / 2)], (part) =>
        lab.table(part, { blockSizeBytes: 4096 })
      )
      yield* lab.run({
        sources: { l0: tables, runs: [{ id: 0, tables: run }] },
        maxSstSizeBytes: 16 * MiB,
        onProgress: (bytes) => (progress = bytes)
      })
      const indexes = [...tables, ...run].reduce((sum, { info }) => sum + info.indexLength, 0)
      assert.isAtMost(most, sources * bytesEach + indexes)
      assert.isAbove(most, (sources * bytesEach) / 2)
    })
  )

  it.effect("is not what lies outside of a visible range, or before the row where the job goes on", () =>
    Effect.gen(function* () {
      const bucket = MemoryObjectStore.makeState()
      let fetched = 0
      const store = watched(bucket, (_, length) => Effect.sync(() => void (fetched += length)))
      const lab = yield* CompactionLab.make(bucket, store)
      const rows = puts(0, 1, 3_000, 1_000)
      const table = yield* lab.table(rows, { blockSizeBytes: 4096 })
      const end = { _tag: "Excluded", key: RowModel.bytes(keyOf(1_200)) } as const
      const view: SsTable = { ...table, visibleRange: { start: { _tag: "Unbounded" }, end } }
      const done = yield* lab.table(rows.slice(0, 1_000))
      let progress = 0
      const outputs = yield* lab.run({ sources: l0(view), outputs: [done], onProgress: (bytes) => (progress = bytes) })
      assert.deepStrictEqual(told(lab.rows(outputs)), told(rows.slice(0, 1_200)))
      assert.isBelow(fetched, 400_000 + table.info.indexLength + done.info.indexOffset)
      assert.strictEqual(progress, table.info.filterOffset)
    })
  )
})

it.effect("progress is told in bytes of all sources, also of those that an earlier try was done with", () =>
  Effect.gen(function* () {
    const lab = yield* CompactionLab.make()
    const rows = puts(0, 1, 100, 100)
    const tables = yield* Effect.forEach([rows.slice(0, 50), rows.slice(50)], (piece) => lab.table(piece))
    const outputs = [yield* lab.table(rows.slice(0, 60))]
    const told: Array<number> = []
    yield* lab.run({ sources: { l0: [], runs: [{ id: 0, tables }] }, outputs, onProgress: (bytes) => told.push(bytes) })
    assert.isAtLeast(told[0] ?? 0, tables[0]?.info.filterOffset ?? Infinity)
    assert.strictEqual(
      told.at(-1),
      tables.reduce((sum, { info }) => sum + info.filterOffset, 0)
    )
    assert.deepStrictEqual(
      told,
      told.toSorted((a, b) => a - b)
    )
  })
)

describe("the cache", () => {
  it.effect("gets the outputs' indexes and filters, and no block", () =>
    Effect.gen(function* () {
      const { faults, job, lab } = yield* world
      const outputs = yield* lab.run(job)
      assert.strictEqual(lab.cache.stats().blockBytes, 0)
      yield* faults.reset
      yield* Effect.forEach(outputs, (table) => lab.tables.reader(table).loadMeta)
      assert.isEmpty(yield* faults.requests())
      assert.isAbove(outputs.length, 1)
      const sources = [...job.sources.l0, ...job.sources.runs.flatMap(({ tables }) => tables)]
      assert.isTrue(sources.every((table) => lab.tables.reader(table).cached.meta() === undefined))
    })
  )

  it.effect("keeps of the outputs what takes the place of blocks that were being read, within bounds", () =>
    Effect.gen(function* () {
      const lab = yield* CompactionLab.make()
      const rows = puts(0, 1, 1000, 100)
      const tables = yield* Effect.forEach([0, 1], (rest) => lab.table(rows.filter((_, n) => n % 2 === rest)))
      const used = (n: number) => n >= 200 && n < 600
      for (const reader of tables.map(lab.tables.reader)) {
        const { index } = yield* reader.loadMeta
        yield* reader.loadStretch(index, 0, index.blockCount, true)
        for (let n = 0; n < 500; n++) if (used(2 * n)) assert.isDefined(reader.cached.block(n))
      }
      const keptRows = Effect.fnUntraced(function* (keptBlockBytesMax: number) {
        const outputs = yield* lab.run({
          sources: l0(...tables),
          maxSstSizeBytes: 30_000,
          newWriter: () => lab.newWriter({ keptBlockBytesMax })
        })
        assert.isAbove(outputs.length, 3)
        assert.deepStrictEqual(told(lab.rows(outputs)), told(rows))
        const kept: Array<number> = []
        let row = 0
        for (const { cached } of outputs.map(lab.tables.reader)) {
          const blocks = cached.meta()?.index.blockCount ?? 0
          for (let block = 0; block < blocks; block++, row++) {
            const found = cached.block(block)
            if (found === undefined) continue
            kept.push(row)
            assert.include(new TextDecoder("latin1").decode(found.payload), keyOf(row))
          }
        }
        assert.strictEqual(row, rows.length, "a row is a block")
        return kept
      })
      const kept = yield* keptRows(1_000_000)
      assert.strictEqual(kept.length, new Set(kept).size)
      // Some blocks pass before the share of those that are used is another, and somebody looks at it.
      assert.isAtLeast(kept[0] ?? 0, 200)
      assert.isAtMost(kept.at(-1) ?? 0, 680)
      assert.isAbove(kept.length, 320)
      assert.isBelow((yield* keptRows(1000)).length, 40)
      assert.isEmpty(yield* keptRows(0))
    })
  )

  it.effect("gives blocks that it has", () =>
    Effect.gen(function* () {
      const lab = yield* CompactionLab.make()
      const rows = puts(0, 1, 100, 100)
      const table = yield* lab.table(rows)
      // A small table is fetched whole.
      yield* lab.tables.reader(table).loadMeta
      MemoryObjectStore.resetRequests(lab.bucket)
      assert.deepStrictEqual(told(lab.rows(yield* lab.run({ sources: l0(table) }))), told(rows))
      assert.strictEqual(lab.bucket.requests.getRange.count, 0)
    })
  )
})

describe("others have a turn", () => {
  const rows = Array.from({ length: 20_000 }, (_, n) => RowModel.row(keyOf(n), n + 1, {}))

  /** How many turns there were while a job ran, without the yields that the runtime adds by itself. */
  const turnsDuring = Effect.fnUntraced(function* <A, E>(job: Effect.Effect<A, E>) {
    let turns = 0
    const other = yield* Effect.forkChild(Effect.forever(Effect.sync(() => turns++)), { startImmediately: true })
    const answer = yield* Effect.provideService(job, References.PreventSchedulerYield, true)
    const during = turns
    yield* Fiber.interrupt(other)
    return [answer, during] as const
  })

  it.effect("also where no row comes out", () =>
    Effect.gen(function* () {
      const lab = yield* CompactionLab.make()
      const table = yield* lab.table(rows)
      const [outputs, during] = yield* turnsDuring(
        lab.run({ sources: l0(table), onOutputs: () => Effect.die("there is none") })
      )
      assert.isEmpty(outputs)
      assert.strictEqual(lab.bucket.requests.putIfAbsent.count, 0)
      assert.isAtLeast(during, rows.length / 64 / 8)
    })
  )

  it.effect("and a turn is a millisecond, by its name", () =>
    Effect.gen(function* () {
      const clock = yield* Clock.Clock
      let nanos = 0n
      // Three readings, and a millisecond is not over.
      const slow = { ...clock, monotonicTimeNanosUnsafe: () => (nanos += 300_000n) }
      const lab = yield* Effect.provideService(CompactionLab.make(), Clock.Clock, slow)
      const table = yield* lab.table(rows)
      const [, during] = yield* turnsDuring(lab.run({ sources: l0(table), isBottom: false }))
      // Four steps of 64 rows each.
      assert.isAtLeast(during, rows.length / 64 / 4)
      assert.isAtMost(lab.turns.longestMillis, 1.6)
      assert.match(lab.turns.longestPlace ?? "", /^compaction (rows|end)$/)
    })
  )
})

it.effect("versions of one key are in one table, however many", () =>
  Effect.gen(function* () {
    const lab = yield* CompactionLab.make()
    const versions = Array.from({ length: 100 }, (_, n) => RowModel.row("k", 200 - n, { put: "v".repeat(50) }))
    const table = yield* lab.table([
      RowModel.row("a", 1, { put: "a" }),
      ...versions,
      RowModel.row("z", 1, { put: "z" })
    ])
    const outputs = yield* lab.run({ sources: l0(table), minSequence: 0, maxSstSizeBytes: 100 })
    assert.deepStrictEqual(
      outputs.map((output) => lab.rows([output]).length),
      [101, 1]
    )
  })
)

it.effect("a table of format version 1 becomes one of version 2", () =>
  Effect.gen(function* () {
    const path = FixtureStore.paths("sst-v1", ".sst")[0] ?? ""
    const bytes = FixtureStore.bytes("sst-v1", path)
    const lab = yield* CompactionLab.make()
    yield* MemoryObjectStore.fromState(lab.bucket).put(path, bytes)
    const { formatVersion, info } = Result.getOrThrow(SsTableReader.open(bytes, TableRows.codecs))
    assert.strictEqual(formatVersion, 1)
    const id = "01HF7YAT00002G000000000001"
    const table: SsTable = { id, viewId: id, formatVersion, info, visibleRange: undefined }
    const outputs = yield* lab.run({ sources: l0(table), isBottom: false })
    assert.deepStrictEqual(lab.rows(outputs), Result.getOrThrow(SsTableReader.decodeTable(bytes, TableRows.codecs)))
    assert.strictEqual(outputs[0]?.formatVersion, 2)
  })
)
