import * as CompactionPolicy from "@effect-slatedb/core/CompactionPolicy"
import * as Compactor from "@effect-slatedb/core/Compactor"
import * as Db from "@effect-slatedb/core/Db"
import { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import * as CompactorWatch from "../src/CompactorWatch.ts"
import { Screen } from "../src/Screen.ts"

const MiB = 1024 ** 2

const running = (id: string, mergedBytes: number, sourceBytes: number): Compactor.Progress => ({
  id,
  plan: { l0: ["x", "y"], runs: [], destination: 3 },
  sourceBytes,
  mergedBytes
})

/** Watches work that a test ends, of a compactor that says what a test has it say. */
const watched = Effect.fnUntraced(function* (
  isInteractive: boolean,
  store: Layer.Layer<ObjectStore> = MemoryObjectStore.layer
) {
  const written: Array<string> = []
  let status: Compactor.Status = {
    state: "open",
    closed: undefined,
    epoch: 1,
    running: [],
    completed: 0,
    failed: 0,
    bytesCompacted: 0,
    retries: 0,
    lastRetry: undefined,
    longestTurnMillis: 0,
    longestTurnPlace: undefined,
    warnings: []
  }
  const work = yield* Deferred.make<string, string>()
  const compactor: Compactor.Compactor["Service"] = {
    status: Effect.sync(() => status),
    untilIdle: Effect.void,
    compact: () => Effect.void,
    closed: Effect.never
  }
  const screen = Layer.succeed(Screen, {
    write: () => Effect.die("results are the command's"),
    note: (text) => Effect.sync(() => void written.push(text)),
    isTerminal: false,
    isInteractive,
    columns: 80
  })
  const fiber = yield* CompactorWatch.during(compactor, "db", Deferred.await(work)).pipe(
    Effect.provide(Layer.merge(screen, store)),
    Effect.forkChild({ startImmediately: true })
  )
  const then = (next: Partial<Compactor.Status>, millis: number = 100) => {
    status = { ...status, ...next }
    return TestClock.adjust(millis)
  }
  return { written, work, fiber, then }
})

describe("CompactorWatch", () => {
  it.effect("draws how far all jobs are, and counts only what this process merged", () =>
    Effect.gen(function* () {
      const { fiber, then, work, written } = yield* watched(true)
      yield* then({}, 10_000)
      assert.deepStrictEqual(written, [])
      yield* then({ running: [running("a", 0, 4 * MiB)] })
      // It goes on where another one stopped.
      yield* then({ running: [running("a", 2 * MiB, 4 * MiB)] })
      yield* then({ running: [running("a", 3 * MiB, 4 * MiB)] })
      yield* then({ running: [running("a", 3 * MiB, 4 * MiB), running("b", 0, 4 * MiB)] })
      yield* then({ running: [running("b", 2 * MiB, 4 * MiB)], completed: 1 })
      assert.deepStrictEqual(
        written.map((text) => text.trim()),
        [
          "compacting  [##########----------]   50 %  0 B  0 B/s  into run 3",
          "compacting  [###############-----]   75 %  1 MiB  5 MiB/s  into run 3",
          "compacting  [########------------]   37 %  1 MiB  3.33 MiB/s  into run 3, run 3",
          "1 job ended",
          "compacting  [###############-----]   75 %  2 MiB  5 MiB/s  into run 3"
        ]
      )
      assert.isTrue(written.every((text) => text.startsWith("\r") && text.trimEnd().length <= 80))
      yield* Deferred.succeed(work, "done")
      assert.strictEqual(yield* Fiber.join(fiber), "done")
    })
  )

  it.effect("tells of each job that ended, also of those that began and ended unseen", () =>
    Effect.gen(function* () {
      const { fiber, then, work, written } = yield* watched(false)
      yield* then({ completed: 1 })
      yield* then({ completed: 2, failed: 1 })
      yield* then({}, 1000)
      assert.deepStrictEqual(written, ["1 job ended\n", "2 jobs ended\n"])
      // And of those that ended with the work.
      yield* then({ completed: 3 }, 0)
      yield* Deferred.fail(work, "failed")
      assert.strictEqual(yield* Effect.flip(Fiber.join(fiber)), "failed")
      assert.deepStrictEqual(written.slice(2), ["1 job ended\n"])
    })
  )

  it.effect("begins to count anew after a pause", () =>
    Effect.gen(function* () {
      const { then, written } = yield* watched(true)
      yield* then({ running: [running("a", 2 * MiB, 4 * MiB)] })
      yield* then({ running: [], completed: 1 }, 10_000)
      yield* then({ running: [running("b", 0, 2 * MiB)] })
      yield* then({ running: [running("b", MiB, 2 * MiB)] })
      assert.deepStrictEqual(
        written.map((text) => text.trim()),
        ["1 job ended", "compacting  [##########----------]   50 %  0 B  0 B/s  into run 3"]
      )
    })
  )

  it.effect("tells what the job merged that ended last, and into which run, which its file does not say", () =>
    Effect.gen(function* () {
      const store = yield* ObjectStore
      const db = yield* Db.make({ path: "db", settings: { compactorEnabled: false } })
      for (const key of ["a", "b"]) {
        yield* db.put(key, "x", { awaitDurable: false })
        yield* db.flush("memtable")
      }
      yield* Effect.scoped(Effect.flatMap(Compactor.make({ path: "db" }), (compactor) => compactor.untilIdle)).pipe(
        Effect.provideService(CompactionPolicy.CompactionPolicy, CompactionPolicy.full)
      )
      const [job] = yield* Compactor.list({ path: "db" })
      const { then, written } = yield* watched(false, Layer.succeed(ObjectStore, store))
      yield* then({ running: [running(job?.id ?? "", 0, MiB)] })
      yield* then({ running: [], completed: 2 })
      assert.lengthOf(written, 1)
      assert.match(written[0] ?? "", /^completed: 2 tables of level 0 into run 3, \d+ B; 1 job ended before\n$/)
    }).pipe(Effect.provide(MemoryObjectStore.layer))
  )

  it.effect("says what stays when it is stopped, below the bar", () =>
    Effect.gen(function* () {
      for (const isInteractive of [false, true]) {
        const { fiber, then, written } = yield* watched(isInteractive)
        yield* then({ running: [running("a", 0, MiB)] })
        yield* then({ running: [running("a", 1, MiB)] })
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(
          written.at(-1),
          `${isInteractive ? "\n" : ""}stopped; the next slate compact or slate compactor goes on with 1 job:\n` +
            "  a  2 tables of level 0 into run 3\n"
        )
      }
      const { fiber, written } = yield* watched(false)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(written, ["stopped; no job was running\n"])
    })
  )
})
