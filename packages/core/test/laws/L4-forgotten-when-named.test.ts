/** L4: an immutable memtable is forgotten in the same transition that adopts the manifest naming its table. */
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as MergeOperator from "@effect-slatedb/core/MergeOperator"
import * as Fault from "@effect-slatedb/testkit/Fault"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as DbState from "../../src/internal/lsm/DbState.ts"
import { Generation } from "../../src/internal/lsm/Generation.ts"
import * as Manifest from "../../src/internal/model/Manifest.ts"
import { append, rowOf } from "../internal/lsm/GenerationModel.ts"
import * as TestDb from "../support/TestDb.ts"

const generation = (lastSequence: number): Generation => {
  const made = Generation.make({ hashSeed: 1 })
  append(made, rowOf(Uint8Array.of(lastSequence), lastSequence))
  return made
}

const state: DbState.DbState = {
  open: generation(40),
  sealed: [30, 20, 10].map((last) => ({ generation: generation(last), lastWalId: last, commitPoints: [] })),
  current: { id: 1, manifest: Manifest.empty }
}

describe("adopting a manifest", () => {
  it.each<readonly [lastL0Sequence: number, sealed: ReadonlyArray<number>]>([
    [0, [30, 20, 10]],
    [9, [30, 20, 10]],
    [10, [30, 20]],
    [19, [30, 20]],
    [20, [30]],
    [30, []]
  ])("that holds rows up to %i leaves the memtables that end at %o", (lastL0Sequence, sealed) => {
    const manifest = { ...Manifest.empty, lastL0Sequence }
    const next = DbState.adoptManifest(state, { id: 2, manifest })
    assert.deepStrictEqual(
      next.sealed.map((one) => one.generation.lastSequence),
      sealed
    )
    assert.strictEqual(next.current.manifest, manifest)
    assert.strictEqual(next.open, state.open)
    assert.lengthOf(state.sealed, 3, "who holds the old value sees no change")
  })
})

it.effect("at every step of a flush each row is read exactly once, from memory or from its table", () =>
  Effect.gen(function* () {
    const process = yield* TestDb.alone
    const db = yield* process.open()
    // Operands: a row that is in two places would count twice, one that is in none not at all.
    yield* TestDb.awaitWithTime(db.merge("a", "1"))
    yield* TestDb.awaitWithTime(db.merge("a", "2"))
    yield* process.faults.add({ fault: Fault.delay("7 millis") })
    const flush = yield* Effect.forkChild(db.flush("memtable"), { startImmediately: true })
    const reads: Array<Fiber.Fiber<readonly [string | undefined, ReadonlyArray<string>], unknown>> = []
    const places = new Set<string>()
    for (let i = 0; i < 60; i++) {
      const { immutableMemtables, l0Tables } = yield* db.status
      places.add(`memtables=${immutableMemtables} tables=${l0Tables}`)
      const read = Effect.all([Effect.map(db.getOption("a"), TestDb.textOption), TestDb.lines(db, KeyRange.all)])
      reads.push(yield* Effect.forkChild(read, { startImmediately: true }))
      yield* TestClock.adjust("1 millis")
    }
    yield* Fiber.join(flush)
    yield* TestClock.adjust("1 second")
    for (const read of reads) assert.deepStrictEqual(yield* Fiber.join(read), ["12", ["a=12"]])
    assert.deepStrictEqual(Array.from(places), ["memtables=0 tables=0", "memtables=1 tables=0", "memtables=0 tables=1"])
  }).pipe(Effect.provideService(MergeOperator.MergeOperator, MergeOperator.append))
)
