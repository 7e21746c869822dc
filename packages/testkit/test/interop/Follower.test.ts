import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Entry } from "../../src/interop/Contents.ts"
import { Follower } from "../../src/interop/Follower.ts"
import type { Batch, History } from "../../src/interop/History.ts"

const a = Uint8Array.of(97)
const b = Uint8Array.of(98)
const put = (key: Uint8Array, value: Uint8Array): Batch => [{ _tag: "Put", key, value, lifetime: "forever" }]
const remove = (key: Uint8Array): Batch => [{ _tag: "Delete", key }]

/** The second and the third batch change nothing that can be seen. */
const batches: ReadonlyArray<Batch> = [put(a, a), remove(b), put(a, a), put(b, b)]
const history: History = { batch: (sequence) => batches[sequence - 1] ?? [], keys: [a, b] }

const reader = (lastSequence: number, ...keys: ReadonlyArray<Uint8Array>) => ({
  scan: () => Effect.succeed(keys.map((key): Entry => ({ key, value: key }))),
  lastSequence: Effect.succeed(lastSequence)
})

const look = (follower: Follower, lastSequence: number, ...keys: ReadonlyArray<Uint8Array>) =>
  Effect.map(follower.look(reader(lastSequence, ...keys)), (seen) =>
    seen._tag === "Right" ? seen.sequence : seen._tag
  )

it.effect("a follower has seen batches that change nothing, as far as the reader says that it has them", () =>
  Effect.gen(function* () {
    const follower = new Follower(history, { showsExpired: false })
    assert.strictEqual(yield* look(follower, 0), 0)
    assert.strictEqual(yield* look(follower, 1, a), 1)
    assert.strictEqual(yield* look(follower, 2, a), 2)
    assert.strictEqual(yield* look(follower, 3, a), 3)
    // It says so before it shows it.
    assert.strictEqual(yield* look(follower, 4, a), 3)
    assert.strictEqual(yield* look(follower, 4, a, b), 4)
  })
)

it.live("and what it showed once it must show again", () =>
  Effect.gen(function* () {
    const follower = new Follower(history, { showsExpired: false })
    assert.strictEqual(yield* look(follower, 4, a, b), 4)
    assert.strictEqual(yield* look(follower, 4, a), "Wrong")
  })
)
