import type * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as S3Server from "@effect-slatedb/testkit/S3Server"
import * as S3Suite from "@effect-slatedb/testkit/S3Suite"
import { assert, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as S3ObjectStore from "../src/S3ObjectStore.ts"

const WRITERS = 8

const pathOf = (writer: number, i: number): string => `${writer}/${i}`

/** Bytes that tell which object they are of and whether any are missing. */
const contentOf = (writer: number, i: number): Uint8Array => {
  const seed = writer * 100_000 + i
  return Uint8Array.from(
    { length: 1 + ((seed * 977) % 150_000) },
    (_, at) => (Math.imul(seed + at, 2654435761) >>> 24) & 0xff
  )
}

/** One writer's creates, one after another. Like the engine it repeats a create until it is answered. */
const write = Effect.fnUntraced(function* (
  store: ObjectStore.ObjectStore["Service"],
  writer: number,
  acknowledged: Array<readonly [writer: number, i: number]>,
  stopped: Ref.Ref<boolean>
) {
  for (let i = 0; !(yield* Ref.get(stopped)); i++) {
    const path = pathOf(writer, i)
    yield* store
      .putIfAbsent(path, contentOf(writer, i), { putId: path })
      .pipe(Effect.retry({ schedule: Schedule.spaced("100 millis"), while: ({ isRetryable }) => isRetryable }))
    acknowledged.push([writer, i])
  }
})

S3Suite.ownServerSuite("S3ObjectStore on a server that is killed", () => {
  it.live(
    "every acknowledged create is there after the restart, none is torn, and none is taken for another's",
    () =>
      Effect.gen(function* () {
        const server = yield* S3Server.scoped
        const store = yield* S3ObjectStore.make({ ...server, bucket: yield* S3Server.makeBucket(server) })
        const acknowledged: Array<readonly [writer: number, i: number]> = []
        const stopped = yield* Ref.make(false)
        const load = yield* Effect.forkChild(
          Effect.forEach(Arr.range(1, WRITERS), (writer) => write(store, writer, acknowledged, stopped), {
            concurrency: "unbounded",
            discard: true
          })
        )
        yield* Effect.sleep("2 seconds")
        yield* server.kill
        const beforeKill = acknowledged.length
        yield* Effect.sleep("500 millis")
        assert.strictEqual(acknowledged.length, beforeKill, "a dead server acknowledges nothing")
        yield* server.start
        yield* Effect.sleep("2 seconds")
        yield* Ref.set(stopped, true)
        // Each path has one creator, so a create that was refused would fail the load.
        yield* Fiber.join(load)

        assert.isAbove(beforeKill, WRITERS)
        assert.isAbove(acknowledged.length, beforeKill + WRITERS)
        const listed = yield* Stream.runCollect(store.list({ prefix: "" }))
        assert.sameMembers(
          listed.map(({ path }) => path),
          acknowledged.map(([writer, i]) => pathOf(writer, i))
        )
        yield* Effect.forEach(
          acknowledged,
          ([writer, i]) =>
            Effect.map(store.get(pathOf(writer, i)), (bytes) =>
              assert.deepStrictEqual(bytes, contentOf(writer, i), pathOf(writer, i))
            ),
          { concurrency: 16, discard: true }
        )
      }),
    120_000
  )
})
