import { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import { spawn } from "node:child_process"
import NodeFs from "node:fs"
import NodePath from "node:path"
import { fileURLToPath } from "node:url"
import * as FileObjectStore from "../src/FileObjectStore.ts"
import * as Sample from "./support/Sample.ts"

const worker = fileURLToPath(new URL("./support/Worker.ts", import.meta.url))

const temporaryRoot = Effect.acquireRelease(
  Effect.sync(() => NodeFs.mkdtempSync(NodePath.join(NodeFs.realpathSync("/tmp"), "store-fs-"))),
  (folder) => Effect.sync(() => NodeFs.rmSync(folder, { recursive: true }))
)

/** A child process, killed at the latest with the scope, and the lines it has printed. */
const start = Effect.fnUntraced(function* (role: "race" | "write", root: string, id: number) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, [worker, role, root, String(id)], { stdio: ["pipe", "pipe", "inherit"] })
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  let output = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text
  })
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve))
  return {
    child,
    /** Whole lines only: what was cut off was not said. */
    lines: () => output.split("\n").slice(0, -1),
    ended: Effect.promise(() => ended),
    printed: (count: number) =>
      Effect.promise(async () => {
        while (output.split("\n").length <= count) {
          await new Promise((resolve) => child.stdout.once("data", resolve))
        }
      })
  }
})

const onStore = <A, E>(root: string, use: Effect.Effect<A, E, ObjectStore>) =>
  Effect.provide(use, FileObjectStore.layer({ root }).pipe(Layer.provide(NodeServices.layer)))

const listed = Effect.gen(function* () {
  const store = yield* ObjectStore
  return yield* Stream.runCollect(store.list({ prefix: "" }))
})

describe("processes", () => {
  it.live("of 4 that race to create the same objects, each object has exactly one winner, and its content", () =>
    Effect.gen(function* () {
      const root = yield* temporaryRoot
      const rivals = yield* Effect.forEach([1, 2, 3, 4], (id) => start("race", root, id))
      yield* Effect.forEach(rivals, ({ printed }) => printed(1))
      for (const { child } of rivals) child.stdin.write("go\n")
      for (const { ended } of rivals) assert.strictEqual(yield* ended, 0)

      const winners = new Map<number, number>()
      for (const [index, { lines }] of rivals.entries()) {
        for (const object of lines().slice(1).map(Number)) {
          assert.isFalse(winners.has(object), `object=${object} has two winners`)
          winners.set(object, index + 1)
        }
      }
      assert.strictEqual(winners.size, Sample.RACE_OBJECTS)
      yield* onStore(
        root,
        Effect.gen(function* () {
          const store = yield* ObjectStore
          for (const [object, winner] of winners) {
            const bytes = yield* store.get(`race/${object}`)
            assert.strictEqual(Sample.seedOf(bytes), winner)
            assert.strictEqual(bytes.length, 1000 * winner + object + 4)
          }
          assert.strictEqual((yield* listed).length, Sample.RACE_OBJECTS)
        })
      )
      assert.strictEqual(NodeFs.readdirSync(NodePath.join(root, "race")).length, Sample.RACE_OBJECTS)
    })
  )

  it.live("killed at any moment, a writer leaves whole objects, all it had acknowledged, and only strays besides", () =>
    Effect.gen(function* () {
      const root = yield* temporaryRoot
      const acknowledged = new Set<string>()
      for (let round = 0; round < 5; round++) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const writers = yield* Effect.forEach([1, 2], (id) => start("write", root, 10 * round + id))
            yield* Effect.forEach(writers, ({ printed }) => printed(2))
            yield* Effect.sleep(yield* Random.nextBetween(0, 60))
            for (const { child } of writers) child.kill("SIGKILL")
            for (const { ended, lines } of writers) {
              yield* ended
              for (const path of lines()) acknowledged.add(path)
            }
          })
        )
      }
      const files = NodeFs.readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
      const strays = files.filter(({ name }) => /^\d+#\d+$/.test(name))
      yield* onStore(
        root,
        Effect.gen(function* () {
          const store = yield* ObjectStore
          const objects = yield* listed
          assert.strictEqual(objects.length, files.length - strays.length)
          for (const { path } of objects) {
            assert.isDefined(Sample.seedOf(yield* store.get(path)), `${path} is torn`)
            acknowledged.delete(path)
          }
          assert.deepStrictEqual([...acknowledged], [], "acknowledged and lost")
        })
      )
    })
  )
})
