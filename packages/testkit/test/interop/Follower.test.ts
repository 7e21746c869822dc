/** The judge of a reader that moves on by itself finds what it must not show. */
import { Contents, type Entry } from "@effect-slatedb/testkit/interop/Contents"
import { Follower } from "@effect-slatedb/testkit/interop/Follower"
import * as History from "@effect-slatedb/testkit/interop/History"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"

const history = History.make({ seed: 3, keyBytesMax: 40, valueBytesMax: 100 })

/** What a reader shows after so many batches: all entries that the model does not object to. */
const entriesAt = (sequence: number): ReadonlyArray<Entry> => {
  const values = new Map<string, Entry>()
  for (let s = 1; s <= sequence; s++) {
    for (const write of history.batch(s)) {
      const name = Buffer.from(write.key).toString("latin1")
      const { key } = write
      if (write._tag === "Delete" || (write._tag === "Put" && write.lifetime === "over")) values.delete(name)
      else if (write._tag === "Put") values.set(name, { key, value: write.value })
      else {
        const existing = values.get(name)?.value ?? new Uint8Array(0)
        values.set(name, { key, value: Buffer.concat([existing, write.operand]) })
      }
    }
  }
  return [...values].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry)
}

const look = (follower: Follower, shown: ReadonlyArray<Entry>, says: number) =>
  follower.look({ scan: () => Effect.succeed(shown), lastSequence: Effect.succeed(says) })

const newFollower = () => new Follower(history, { showsExpired: false })

it.live("a follower may show any moment, one after another, and say so late", () =>
  Effect.gen(function* () {
    const follower = newFollower()
    for (const sequence of [0, 4, 4, 9, 30]) {
      assert.strictEqual((yield* look(follower, entriesAt(sequence), sequence + 2))._tag, "Right")
    }
    let says = 30
    const late = yield* follower.look({
      scan: () => Effect.succeed(entriesAt(40)),
      lastSequence: Effect.sync(() => (says += 5))
    })
    assert.deepStrictEqual(late, { _tag: "Right", sequence: 40 })
  })
)

it.live("a follower that goes back is found", () =>
  Effect.gen(function* () {
    const follower = newFollower()
    assert.deepStrictEqual(yield* look(follower, entriesAt(40), 40), { _tag: "Right", sequence: 40 })
    assert.strictEqual((yield* look(follower, entriesAt(20), 40))._tag, "Wrong")
  })
)

it.live("a follower that shows more than it says, or a batch in part, is found", () =>
  Effect.gen(function* () {
    assert.strictEqual((yield* look(newFollower(), entriesAt(40), 30))._tag, "Wrong")
    const shown = entriesAt(40)
    for (let at = 0; at < shown.length; at += 5) {
      assert.strictEqual((yield* look(newFollower(), shown.toSpliced(at, 1), 40))._tag, "Wrong", `without entry ${at}`)
    }
  })
)

it("the model has what this test thinks it has", () => {
  const contents = new Contents(history)
  contents.advance(40)
  const scanned = entriesAt(40)
  const looked = history.keys.map((key) => scanned.find((entry) => Buffer.compare(entry.key, key) === 0)?.value)
  assert.isUndefined(contents.difference({ scanned, looked, mayShowExpired: false }))
})

const a = Uint8Array.of(97)
const b = Uint8Array.of(98)
const put = (key: Uint8Array, value: Uint8Array): History.Batch => [{ _tag: "Put", key, value, lifetime: "forever" }]
const remove = (key: Uint8Array): History.Batch => [{ _tag: "Delete", key }]

/** The second and the third batch change nothing that can be seen. */
const batches: ReadonlyArray<History.Batch> = [put(a, a), remove(b), put(a, a), put(b, b)]
const quiet: History.History = { batch: (sequence) => batches[sequence - 1] ?? [], keys: [a, b] }

const readerOf = (lastSequence: number, ...keys: ReadonlyArray<Uint8Array>) => ({
  scan: () => Effect.succeed(keys.map((key): Entry => ({ key, value: key }))),
  lastSequence: Effect.succeed(lastSequence)
})

const sees = (follower: Follower, lastSequence: number, ...keys: ReadonlyArray<Uint8Array>) =>
  Effect.map(follower.look(readerOf(lastSequence, ...keys)), (seen) =>
    seen._tag === "Right" ? seen.sequence : seen._tag
  )

it.effect("a follower has seen batches that change nothing, as far as the reader says that it has them", () =>
  Effect.gen(function* () {
    const follower = new Follower(quiet, { showsExpired: false })
    assert.strictEqual(yield* sees(follower, 0), 0)
    assert.strictEqual(yield* sees(follower, 1, a), 1)
    assert.strictEqual(yield* sees(follower, 2, a), 2)
    assert.strictEqual(yield* sees(follower, 3, a), 3)
    // It says so before it shows it.
    assert.strictEqual(yield* sees(follower, 4, a), 3)
    assert.strictEqual(yield* sees(follower, 4, a, b), 4)
  })
)

it.live("and what it showed once it must show again", () =>
  Effect.gen(function* () {
    const follower = new Follower(quiet, { showsExpired: false })
    assert.strictEqual(yield* sees(follower, 4, a, b), 4)
    assert.strictEqual(yield* sees(follower, 4, a), "Wrong")
  })
)
