/**
 * Seeded runs of a database against the model: random writes, reads, flushes,
 * crashes and reopenings under a store that fails, delays and loses answers. All
 * time is virtual. A failing seed is added to `knownSeeds` with what it found.
 */
import type * as Db from "@effect-slatedb/core/Db"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as MergeOperator from "@effect-slatedb/core/MergeOperator"
import type * as Settings from "@effect-slatedb/core/Settings"
import * as WriteBatch from "@effect-slatedb/core/WriteBatch"
import * as Fault from "@effect-slatedb/testkit/Fault"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as TestDb from "../support/TestDb.ts"
import { Model, type Write } from "./Model.ts"

const knownSeeds: ReadonlyArray<number> = []
const seeds = [...knownSeeds, ...Array.from({ length: 40 }, (_, i) => i + 1)]
const stepsPerSeed = 150

const weathers: ReadonlyArray<ReadonlyArray<Fault.Rule>> = [
  [],
  [{ fault: Fault.delayBetween("1 millis", "80 millis") }],
  [
    { fault: Fault.delayBetween("1 millis", "20 millis") },
    { fault: Fault.failBefore(), probability: 0.05 },
    { fault: Fault.failAfter(), probability: 0.05, operation: ["putIfAbsent"] }
  ]
]

/** Reads fail when the store does; a caller tries again. */
const retried = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.retry(effect, { times: 50 })

/** A whole number from 0, below `end`. */
const below = (end: number) => Random.nextIntBetween(0, end, { halfOpen: true })

const pick = <A>(values: ReadonlyArray<A>) => Effect.map(below(values.length), (index) => values[index] as A)

const settingsOf = Effect.gen(function* () {
  const settings: Settings.Input = {
    walFlush: yield* pick(["interval", "eager"] as const),
    walEnabled: (yield* below(5)) > 0,
    l0SstSizeBytes: yield* pick([200, 1000, 100_000]),
    blockSizeBytes: yield* pick([1024, 4096]),
    minFilterKeys: yield* pick([0, 1000]),
    walFilesPerMemtableMax: yield* pick([2, 4096]),
    compression: yield* pick(["none", "snappy", "lz4"] as const),
    l0MaxSsts: 100_000,
    walMaxBytes: yield* pick([300, 16 * 1024 * 1024])
  }
  return settings
})

const randomKey = Effect.map(below(40), (n) => (n % 4 === 0 ? `k${n}` : `prefix/${n}/key`))

const randomWrite = Effect.gen(function* () {
  const key = yield* randomKey
  const kind = yield* below(10)
  const value = `${yield* below(1000)}`.repeat(yield* pick([1, 1, 30]))
  const write: Write =
    kind < 6
      ? { _tag: "Put", key, value }
      : kind < 8
        ? { _tag: "Delete", key }
        : { _tag: "Merge", key, value: value.slice(0, 3) }
  return write
})

const toBatch = (writes: ReadonlyArray<Write>) =>
  writes.reduce(
    (batch, write) =>
      write._tag === "Put"
        ? WriteBatch.put(batch, write.key, write.value)
        : write._tag === "Delete"
          ? WriteBatch.delete(batch, write.key)
          : WriteBatch.merge(batch, write.key, write.value),
    WriteBatch.empty
  )

class Run {
  readonly model = new Model()
  acknowledged = 0
}

/** A read, tried again while the store fails, shows the moment at which its last try began. */
const agrees = Effect.fnUntraced(function* <A>(
  db: Db.Db["Service"],
  name: string,
  level: Db.ReadLevel,
  read: Effect.Effect<A, unknown>,
  expected: (sequence: number) => A
) {
  let sequence = 0
  const attempt = Effect.flatMap(db.status, ({ durableSequence, visibleSequence }) => {
    sequence = level === "committed" ? durableSequence : visibleSequence
    return read
  })
  const found = yield* TestDb.awaitWithTime(Effect.retry(attempt, { times: 50 }))
  assert.deepStrictEqual(found, expected(sequence), `${name} ${level}`)
})

const check = Effect.fnUntraced(function* (db: Db.Db["Service"], run: Run) {
  const { closed, durableSequence, visibleSequence } = yield* db.status
  assert.isUndefined(closed, closed?.message)
  assert.strictEqual(visibleSequence, run.model.lastSequence, "sequence numbers are gapless")
  assert.isAtLeast(durableSequence, run.acknowledged, "what was acknowledged is durable")
  const key = yield* randomKey
  const range = KeyRange.prefix("prefix/1")
  for (const readLevel of ["committed", "uncommitted"] as const) {
    const lines = (sequence: number) => run.model.lines(sequence)
    const inRange = (sequence: number) => lines(sequence).filter((line) => line.startsWith("prefix/1"))
    yield* agrees(db, "scan", readLevel, TestDb.lines(db, KeyRange.all, { readLevel }), lines)
    const descending = TestDb.lines(db, KeyRange.all, { readLevel, order: "descending", readAheadBytes: 0 })
    yield* agrees(db, "descending scan", readLevel, descending, (sequence) => lines(sequence).toReversed())
    const limited = TestDb.lines(db, range, { readLevel, limit: 3 })
    yield* agrees(db, "prefix scan", readLevel, limited, (sequence) => inRange(sequence).slice(0, 3))
    const value = Effect.map(db.getOption(key, { readLevel }), TestDb.textOption)
    yield* agrees(db, `get ${key}`, readLevel, value, (sequence) => run.model.at(sequence).get(key))
  }
})

const writeSome = Effect.fnUntraced(function* (db: Db.Db["Service"], run: Run) {
  const writes = yield* Effect.forEach(Array.from({ length: yield* pick([1, 1, 1, 5]) }), () => randomWrite)
  const sequence = run.model.lastSequence + 1
  const awaitDurable = (yield* below(4)) === 0
  run.model.accept(writes)
  const effect = db.write(toBatch(writes), { awaitDurable })
  if (!awaitDurable) return yield* effect
  // Not awaited here: time passes in other steps. An interrupted write may become durable all the same.
  const fiber = yield* Effect.forkChild(
    Effect.tap(effect, () =>
      Effect.sync(() => {
        run.acknowledged = Math.max(run.acknowledged, sequence)
      })
    ),
    { startImmediately: true }
  )
  if ((yield* below(4)) === 0) yield* Fiber.interrupt(fiber)
})

/** A scan that is read slowly while the database goes on: it shows the moment it began. */
const slowScan = Effect.fnUntraced(function* (db: Db.Db["Service"], run: Run, others: Effect.Effect<void, unknown>) {
  const { durableSequence } = yield* db.status
  const expected = run.model.lines(durableSequence)
  const found: Array<string> = []
  const scan = Stream.runForEachArray(db.scan(KeyRange.all), (entries) =>
    Effect.gen(function* () {
      for (const { key, value } of entries) found.push(`${TestDb.text(key)}=${TestDb.text(value)}`)
      yield* Effect.sleep("300 millis")
    })
  )
  const fiber = yield* Effect.forkChild(scan, { startImmediately: true })
  yield* others
  const exit = yield* TestDb.exitWithTime(Fiber.join(fiber))
  // When the store failed under it, what it gave before is right all the same.
  assert.deepStrictEqual(found, exit._tag === "Success" ? expected : expected.slice(0, found.length), "a slow scan")
})

/** After a crash: what is there is what was accepted up to some batch, and no less than was acknowledged. */
const recover = Effect.fnUntraced(function* (db: Db.Db["Service"], run: Run) {
  const { visibleSequence } = yield* db.status
  assert.isAtLeast(visibleSequence, run.acknowledged, "nothing acknowledged is lost")
  assert.isAtMost(visibleSequence, run.model.lastSequence)
  run.model.truncate(visibleSequence)
  run.acknowledged = visibleSequence
})

const simulate = Effect.fnUntraced(function* () {
  const bucket = TestDb.bucket()
  const run = new Run()
  const rules = yield* pick(weathers)
  const settings = yield* settingsOf
  const openProcess = Effect.gen(function* () {
    const process = yield* TestDb.process(bucket)
    for (const rule of rules) yield* process.faults.add(rule)
    const scope = yield* TestDb.manualScope
    const open: Effect.Effect<Db.Db["Service"], unknown> = process
      .open(settings)
      .pipe(Effect.provideService(Scope.Scope, scope.scope), Effect.retry({ times: 20 }))
    return { ...process, scope, db: yield* TestDb.awaitWithTime(open) }
  })
  let process = yield* openProcess
  for (let step = 0; step < stepsPerSeed; step++) {
    const { db } = process
    const action = yield* below(100)
    if (action < 55) yield* writeSome(db, run)
    else if (action < 70) yield* TestClock.adjust(yield* pick(["10 millis", "100 millis", "1500 millis"] as const))
    else if (action < 76) yield* TestDb.awaitWithTime(db.flush(settings.walEnabled === true ? "wal" : "memtable"))
    else if (action < 82) yield* TestDb.awaitWithTime(db.flush("memtable"))
    else if (action < 85) {
      yield* slowScan(db, run, Effect.andThen(writeSome(db, run), TestDb.awaitWithTime(db.flush("memtable"))))
    } else if (action < 96) yield* check(db, run)
    else if (action < 98) {
      yield* TestDb.awaitWithTime(db.close)
      yield* process.scope.close
      process = yield* openProcess
      assert.strictEqual((yield* process.db.status).visibleSequence, run.model.lastSequence, "close loses nothing")
      run.acknowledged = run.model.lastSequence
    } else {
      yield* TestDb.crash(process)
      process = yield* openProcess
      yield* recover(process.db, run)
    }
  }
  yield* TestDb.awaitWithTime(process.db.flush("memtable"))
  run.acknowledged = run.model.lastSequence
  yield* check(process.db, run)
  const reader = yield* TestDb.awaitWithTime(retried(process.reader()))
  assert.deepStrictEqual(
    yield* TestDb.awaitWithTime(retried(TestDb.lines(reader, KeyRange.all))),
    run.model.lines(run.model.lastSequence)
  )
  yield* process.scope.close
})

describe("simulation", () => {
  it.effect.each(seeds)("seed %i agrees with the model", (seed) =>
    simulate().pipe(Effect.provideService(MergeOperator.MergeOperator, MergeOperator.append), Random.withSeed(seed))
  )
})
