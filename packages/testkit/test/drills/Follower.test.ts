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
