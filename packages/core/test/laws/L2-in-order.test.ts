/** L2: WALs become durable in the order of their ids; memtables reach the manifest oldest first. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as WalFlushStep from "../../src/internal/lsm/WalFlushStep.ts"
import * as Bucket from "../support/Bucket.ts"
import * as TestDb from "../support/TestDb.ts"

/** Commands of the step, as `upload 1`, `acknowledge 1`, `read manifest`. */
const told = (command: WalFlushStep.Command<string>): string =>
  command._tag === "ReadManifest" ? "read manifest" : `${command._tag.toLowerCase()} ${command.frozen.id}`

const frozen = (id: number): WalFlushStep.Message<string> => ({ _tag: "Frozen", frozen: { id, wal: `wal ${id}` } })
const uploaded = (id: number): WalFlushStep.Message<string> => ({ _tag: "Uploaded", id, isLeaseFresh: true })

const commandsOf = (messages: ReadonlyArray<WalFlushStep.Message<string>>): ReadonlyArray<ReadonlyArray<string>> => {
  let state: WalFlushStep.State<string> = WalFlushStep.initial
  return messages.map((message) => {
    const stepped = WalFlushStep.step(state, message)
    state = stepped.state
    return stepped.commands.map(told)
  })
}

type Case = readonly [name: string, messages: ReadonlyArray<readonly [WalFlushStep.Message<string>, ...Array<string>]>]

const cases: ReadonlyArray<Case> = [
  [
    "one after another",
    [
      [frozen(1), "upload 1"],
      [uploaded(1), "acknowledge 1"],
      [frozen(2), "upload 2"],
      [uploaded(2), "acknowledge 2"]
    ]
  ],
  [
    "the second waits until the first is stored",
    [
      [frozen(1), "upload 1"],
      [frozen(2)],
      [frozen(3)],
      [uploaded(1), "acknowledge 1", "upload 2"],
      [uploaded(2), "acknowledge 2", "upload 3"],
      [uploaded(3), "acknowledge 3"]
    ]
  ],
  [
    "an upload that is not the oldest's says nothing",
    [
      [frozen(1), "upload 1"],
      [frozen(2)],
      [uploaded(2)],
      [uploaded(1), "acknowledge 1", "upload 2"],
      [uploaded(1)],
      [uploaded(2), "acknowledge 2"]
    ]
  ]
]

describe("the step", () => {
  it.each(cases)("%s", (_, table) => {
    assert.deepStrictEqual(
      commandsOf(table.map(([message]) => message)),
      table.map(([, ...commands]) => commands)
    )
  })
})

it.effect("a WAL object is asked for only when the one before it is there", () =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    const process = yield* TestDb.process(bucket)
    const db = yield* process.open({ walMaxBytes: 1 })
    yield* process.faults.reset
    const gate = yield* process.faults.hold({ operation: "putIfAbsent", path: "wal/", times: 1 })
    const puts = yield* Effect.forEach(["a", "b", "c"], (key) =>
      Effect.forkChild(Effect.andThen(db.put(key, "1"), db.status), { startImmediately: true })
    )
    yield* TestClock.adjust("1 second")
    assert.lengthOf(yield* process.faults.requests({ operation: "putIfAbsent", path: "wal/" }), 1)
    yield* gate.open
    yield* TestClock.adjust("1 second")
    const durable = yield* Effect.forEach(puts, (put) =>
      Effect.map(Fiber.join(put), (status) => status.durableSequence)
    )
    assert.deepStrictEqual(
      durable,
      durable.toSorted((a, b) => a - b)
    )
    const sequences = Array.from(Bucket.wals(bucket).values(), (rows) => rows.map((row) => row.sequence)).flat()
    assert.deepStrictEqual(sequences, [1, 2, 3])
  })
)

it.effect("a younger memtable whose table is stored first waits for the older one", () =>
  Effect.gen(function* () {
    const bucket = TestDb.bucket()
    const process = yield* TestDb.process(bucket)
    const db = yield* process.open({ l0FlushParallelism: 3 })
    const oldest = yield* process.faults.hold({ operation: "putIfAbsent", path: "compacted/", times: 1 })
    const flushes: Array<Fiber.Fiber<void, unknown>> = []
    for (const key of ["a", "b", "c"]) {
      yield* TestDb.awaitWithTime(db.put(key, key))
      flushes.push(yield* Effect.forkChild(db.flush("memtable"), { startImmediately: true }))
      yield* TestClock.adjust("1 second")
    }
    assert.lengthOf(TestDb.paths(bucket, "db/compacted/"), 2)
    assert.lengthOf(Bucket.manifest(bucket).l0, 0)
    assert.strictEqual(Bucket.manifest(bucket).lastL0Sequence, 0)
    yield* oldest.open
    yield* TestDb.awaitWithTime(Fiber.joinAll(flushes))
    const keys = Bucket.manifest(bucket).l0.map(({ id }) =>
      Bucket.table(bucket, id)
        .map(({ key }) => TestDb.text(key))
        .join()
    )
    assert.deepStrictEqual(keys, ["c", "b", "a"], "newest first")
    for (const manifest of Bucket.manifests(bucket)) {
      const greatest = manifest.l0.flatMap(({ id }) => Bucket.table(bucket, id).map((row) => row.sequence))
      assert.isAtLeast(manifest.lastL0Sequence, Math.max(0, ...greatest))
    }
  })
)
