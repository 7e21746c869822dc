/**
 * L13: a WAL is acknowledged only under a fresh lease: a manifest read that showed our epoch
 * started less than 60 s before.
 */
import * as Fault from "@effect-slatedb/testkit/Fault"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as WalFlushStep from "../../src/internal/lsm/WalFlushStep.ts"
import * as TestDb from "../support/TestDb.ts"

type Message = WalFlushStep.Message<string>

const frozen = (id: number): Message => ({ _tag: "Frozen", frozen: { id, wal: "" } })
const uploaded = (id: number, isLeaseFresh: boolean): Message => ({ _tag: "Uploaded", id, isLeaseFresh })
const leaseRead = (isLeaseFresh: boolean): Message => ({ _tag: "LeaseRead", isLeaseFresh })

const told = (command: WalFlushStep.Command<string>): string =>
  command._tag === "ReadManifest" ? "read" : `${command._tag.toLowerCase()} ${command.frozen.id}`

type Case = readonly [name: string, messages: ReadonlyArray<readonly [Message, ...Array<string>]>]

const cases: ReadonlyArray<Case> = [
  [
    "under a fresh lease it is acknowledged",
    [
      [frozen(1), "upload 1"],
      [uploaded(1, true), "acknowledge 1"]
    ]
  ],
  [
    "under a stale one the manifest is read first",
    [
      [frozen(1), "upload 1"],
      [uploaded(1, false), "read"],
      [leaseRead(true), "acknowledge 1"]
    ]
  ],
  [
    "a read that took too long is no read",
    [
      [frozen(1), "upload 1"],
      [uploaded(1, false), "read"],
      [leaseRead(false), "read"],
      [leaseRead(false), "read"],
      [leaseRead(true), "acknowledge 1"]
    ]
  ],
  [
    "the next WAL is uploaded only after the acknowledgement",
    [
      [frozen(1), "upload 1"],
      [frozen(2)],
      [uploaded(1, false), "read"],
      [frozen(3)],
      [uploaded(1, true)],
      [leaseRead(true), "acknowledge 1", "upload 2"],
      [leaseRead(true)],
      [uploaded(2, true), "acknowledge 2", "upload 3"]
    ]
  ],
  ["a read that nobody waits for acknowledges nothing", [[leaseRead(true)], [frozen(1), "upload 1"], [leaseRead(true)]]]
]

it.each(cases)("%s", (_name, messages) => {
  let state: WalFlushStep.State<string> = WalFlushStep.initial
  for (const [message, ...expected] of messages) {
    const stepped = WalFlushStep.step(state, message)
    state = stepped.state
    assert.deepStrictEqual(stepped.commands.map(told), expected)
  }
})

describe("a writer", () => {
  /** A database whose manifest is read only when the lease asks for it; reads and their count since. */
  const opened = Effect.gen(function* () {
    const process = yield* TestDb.alone
    const db = yield* process.open({ manifestPollInterval: "1 day", compactorPollInterval: "1 day" })
    yield* process.faults.reset
    const reads = Effect.map(process.faults.requests({ operation: "list", path: "manifest/" }), ({ length }) => length)
    return { process, db, reads }
  })

  it.effect("reads the manifest before it acknowledges, once 60 s have passed since the last read began", () =>
    Effect.gen(function* () {
      const { db, reads } = yield* opened
      yield* TestClock.adjust("59800 millis")
      yield* TestDb.awaitWithTime(db.put("a", "1"))
      assert.strictEqual(yield* reads, 0, "at 59.9 s")
      yield* TestClock.adjust("100 millis")
      yield* TestDb.awaitWithTime(db.put("b", "1"))
      assert.strictEqual(yield* reads, 1, "at 60.0 s")
      yield* TestDb.awaitWithTime(db.put("c", "1"))
      assert.strictEqual(yield* reads, 1, "and then has a lease again")
    })
  )

  it.effect("counts from when the read began, not from its answer", () =>
    Effect.gen(function* () {
      const { db, process, reads } = yield* opened
      yield* TestClock.adjust("2 minutes")
      yield* process.faults.add({ operation: "list", path: "manifest/", times: 1, fault: Fault.delay("61 seconds") })
      const put = yield* Effect.forkChild(db.put("a", "1"), { startImmediately: true })
      yield* TestClock.adjust("60 seconds")
      assert.isUndefined(put.pollUnsafe())
      assert.strictEqual(yield* reads, 1)
      yield* TestClock.adjust("2 seconds")
      assert.isDefined(put.pollUnsafe())
      assert.strictEqual(yield* reads, 2, "the first answer was too old when it came")
    })
  )

  it.effect("is not misled by a wall clock that was set back", () =>
    Effect.gen(function* () {
      const { db, reads } = yield* opened
      yield* TestClock.adjust("2 minutes")
      yield* TestClock.setTime(0)
      const put = yield* Effect.forkChild(db.put("a", "1"), { startImmediately: true })
      yield* TestClock.adjust("4 minutes")
      assert.isDefined(put.pollUnsafe())
      assert.strictEqual(yield* reads, 1, "the monotonic clock went on")
    })
  )

  it.effect("keeps its lease by the polls of the manifest", () =>
    Effect.gen(function* () {
      const process = yield* TestDb.alone
      const db = yield* process.open()
      yield* TestClock.adjust("10 minutes")
      yield* process.faults.add({ operation: "list", path: "manifest/", fault: Fault.delay("1 hour") })
      yield* TestDb.awaitWithTime(db.put("a", "1"))
      assert.strictEqual((yield* db.status).durableSequence, 1)
      yield* process.faults.clear
    })
  )

  it.effect("acknowledges nothing while the manifest cannot be read, and then all of it", () =>
    Effect.gen(function* () {
      const { db, process } = yield* opened
      yield* TestClock.adjust("2 minutes")
      const { remove } = yield* process.faults.add({ operation: "list", path: "manifest/", fault: Fault.failBefore() })
      const puts = yield* Effect.forEach(["a", "b", "c"], (key) =>
        Effect.andThen(Effect.forkChild(db.put(key, "1"), { startImmediately: true }), (fiber) =>
          Effect.as(TestClock.adjust("100 millis"), fiber)
        )
      )
      yield* TestClock.adjust("1 minute")
      assert.isTrue(puts.every((put) => put.pollUnsafe() === undefined))
      assert.strictEqual((yield* db.status).durableSequence, 0)
      yield* remove
      yield* TestClock.adjust("3 seconds")
      assert.isTrue(puts.every((put) => put.pollUnsafe()?._tag === "Success"))
    })
  )
})
