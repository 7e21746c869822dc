/**
 * Runs every lesson, and compares what it prints with what it says that it prints:
 * its comments `// =>`, in their order.
 */
import type { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/testing/TestClock"
import * as TestConsole from "effect/testing/TestConsole"
import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import { fileURLToPath } from "node:url"
import * as NodeUtil from "node:util"
import * as QuickStart from "../src/01-quick-start.ts"
import * as Durability from "../src/02-durability.ts"
import * as Batches from "../src/03-batches.ts"
import * as Scans from "../src/04-scans.ts"
import * as MergeCounter from "../src/05-merge-counter.ts"
import * as Ttl from "../src/06-ttl.ts"
import * as Reader from "../src/08-reader.ts"
import * as S3 from "../src/09-s3.ts"
import * as Errors from "../src/10-errors.ts"
import * as Promises from "../src/11-promise.ts"

const programs: Readonly<Record<string, Effect.Effect<unknown, unknown, ObjectStore>>> = {
  "01-quick-start.ts": QuickStart.program,
  "02-durability.ts": Durability.program,
  "03-batches.ts": Batches.program,
  "04-scans.ts": Scans.program,
  "05-merge-counter.ts": MergeCounter.program,
  "06-ttl.ts": Ttl.program,
  "08-reader.ts": Reader.program,
  "09-s3.ts": S3.program,
  "10-errors.ts": Errors.program
}

/** These need a disk, or the event loop of a process: they are run as a reader would run them. */
const processes = ["01-quick-start.ts", "07-local-directory.ts", "11-promise.ts"]

const folder = new URL("../src/", import.meta.url)

const promised = (file: string): ReadonlyArray<string> => {
  const source = NodeFs.readFileSync(new URL(file, folder), "utf8")
  return [...source.matchAll(/\/\/ => (.*)$/gm)].map(([, line = ""]) => line)
}

/** Runs an effect while virtual time passes, so that a lesson about hours takes none. */
const whileTimePasses = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
    for (let step = 0; step < 1000 && fiber.pollUnsafe() === undefined; step++) yield* TestClock.adjust("20 millis")
    return yield* Fiber.join(fiber)
  })

/** Runs a program that is written with Effect on a store in memory; gives the lines that it printed. */
const runInMemory = (program: Effect.Effect<unknown, unknown, ObjectStore>) =>
  Effect.gen(function* () {
    yield* whileTimePasses(program.pipe(Effect.provide(MemoryObjectStore.layer)))
    const printed = yield* TestConsole.logLines
    return printed.map((value) => NodeUtil.format(value))
  }).pipe(Effect.provide([environment({}), Logger.layer([])]))

/** Runs a lesson as its first comment says; gives the lines that it printed. */
const runAsProcess = (lesson: string) =>
  Effect.tryPromise(() =>
    execFile(process.execPath, [fileURLToPath(new URL(lesson, folder))], { timeout: 60_000 })
  ).pipe(Effect.map(({ stdout }) => stdout.trimEnd().split("\n")))

const execFile = NodeUtil.promisify(NodeChildProcess.execFile)

const environment = (env: Readonly<Record<string, string>>) => ConfigProvider.layer(ConfigProvider.fromEnvRecord(env))

it("every lesson is run by this file, and says what it prints", () => {
  const lessons = NodeFs.readdirSync(folder).filter((name) => /^\d\d-.*\.ts$/.test(name))
  assert.deepStrictEqual(lessons.toSorted(), [...new Set([...Object.keys(programs), ...processes])].toSorted())
  for (const lesson of lessons) assert.isNotEmpty(promised(lesson), lesson)
})

describe("on a store in memory, under a test's clock", () => {
  it.effect.each(Object.entries(programs))("%s prints what it says", ([lesson, program]) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* runInMemory(program), promised(lesson))
    })
  )

  it.effect("the promises of 11-promise.ts are kept on any store", () =>
    Effect.gen(function* () {
      const lines = yield* Effect.promise(() => Promises.main(MemoryObjectStore.layer))
      assert.deepStrictEqual(lines, promised("11-promise.ts"))
    })
  )
})

describe("as a process", () => {
  it.live.each(processes)("%s prints what it says", (lesson) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* runAsProcess(lesson), promised(lesson))
    })
  )
})

describe("the store of 09-s3.ts", () => {
  const built = (env: Readonly<Record<string, string>>) =>
    Effect.exit(Effect.scoped(Layer.build(Layer.provide(S3.StoreLive, environment(env)))))

  it.effect("is made of what the environment says, without a request", () =>
    Effect.gen(function* () {
      assert.isTrue(Exit.isSuccess(yield* built({ S3_BUCKET: "databases", S3_ENDPOINT: "http://127.0.0.1:9" })))
      assert.isTrue(Exit.isSuccess(yield* built({ S3_BUCKET: "databases" })))
    })
  )

  it.effect("is not made without a bucket, or for an endpoint that is no URL", () =>
    Effect.gen(function* () {
      assert.isTrue(Exit.isFailure(yield* built({})))
      assert.isTrue(Exit.isFailure(yield* built({ S3_BUCKET: "databases", S3_ENDPOINT: "over there" })))
    })
  )
})
