import { mkdtemp, rm } from "node:fs/promises"
import * as os from "node:os"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Ours from "../src/adapters/Ours.ts"
import type { Database, Engine, Mode, OpenOptions, S3Location, Store } from "../src/Engine.ts"
import { storeOf } from "../src/Engine.ts"
import * as Engines from "../src/Engines.ts"
import * as Load from "../src/Load.ts"
import * as Loop from "../src/Loop.ts"
import * as S3Simulator from "../src/S3Simulator.ts"

const bytes = (text: string): Buffer => Buffer.from(text)

const get = async <P extends object>(database: Database<P>, key: string): Promise<string | undefined> => {
  const answer = database.get(bytes(key))
  const value =
    answer === undefined || answer instanceof Uint8Array ? answer : database.found(await database.run(Loop.one(answer)))
  return value === undefined ? undefined : Buffer.from(value).toString()
}

const done = <P extends object>(database: Database<P>, answer: P | undefined): Promise<unknown> =>
  database.run(Loop.one(answer))

const scan = async <P extends object>(
  database: Database<P>,
  range: { readonly from?: string; readonly to?: string; readonly limit?: number }
): Promise<string> => {
  const seen: Array<string> = []
  const { from, limit, to } = range
  const answer = database.scan(
    { from: from === undefined ? undefined : bytes(from), to: to === undefined ? undefined : bytes(to), limit },
    (key, value) => seen.push(`${Buffer.from(key)}=${Buffer.from(value)}`)
  )
  const count = typeof answer === "number" ? answer : await database.run(Loop.one(answer))
  assert.strictEqual(count, seen.length)
  return seen.join(" ")
}

/** What every engine must do before its speed means anything. */
const behaves = async <P extends object>(engine: Engine<P>, options: OpenOptions, reopens: boolean): Promise<void> => {
  const database = await engine.open(options)
  assert.isUndefined(await get(database, "a"))
  await done(database, database.put(bytes("b"), bytes("1"), false))
  await done(database, database.put(bytes("a"), bytes("2"), true))
  assert.strictEqual(await get(database, "a"), "2")
  await done(database, database.put(bytes("a"), bytes("3"), false))
  assert.strictEqual(await get(database, "a"), "3")

  const reused = bytes("4")
  await done(
    database,
    database.batch(
      [
        [bytes("c"), reused],
        [bytes("d"), bytes("")],
        [bytes("b"), undefined]
      ],
      false
    )
  )
  reused.fill(0)
  assert.strictEqual(await get(database, "c"), "4", "an engine must not keep the caller's bytes")
  assert.strictEqual(await get(database, "d"), "")
  assert.isUndefined(await get(database, "b"))

  assert.strictEqual(await scan(database, {}), "a=3 c=4 d=")
  assert.strictEqual(await scan(database, { from: "b" }), "c=4 d=")
  assert.strictEqual(await scan(database, { from: "a", to: "d" }), "a=3 c=4")
  assert.strictEqual(await scan(database, { limit: 2 }), "a=3 c=4")

  await done(database, database.put(bytes("b"), bytes("5"), false))
  assert.strictEqual(await scan(database, {}), "a=3 b=5 c=4 d=")

  await done(database, database.flush())
  await done(database, database.delete(bytes("b"), false))
  await done(database, database.delete(bytes("d"), true))
  assert.strictEqual(await scan(database, {}), "a=3 c=4")
  assert.strictEqual(await database.run(Loop.one(database.turn())), undefined)
  await done(database, database.close())
  if (!reopens) return

  const again = await engine.open(options)
  assert.strictEqual(await scan(again, {}), "a=3 c=4")
  await done(again, again.close())
}

const withFolder = async (use: (directory: string) => Promise<void>): Promise<void> => {
  const directory = await mkdtemp(path.join(os.tmpdir(), "bench-test-"))
  try {
    await use(directory)
  } finally {
    // Tasks of an engine may write a file after it was closed.
    await rm(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
  }
}

const check = (name: Engines.Name, mode: Mode, store: Store, reopens: boolean, s3?: S3Location): Promise<void> =>
  withFolder((directory) =>
    Engines.withEngine(name, mode, (engine) =>
      behaves(engine, { directory, path: "db", store, s3, settings: {}, mode }, reopens)
    )
  )

describe("Engines", () => {
  it("ours writes, reads, scans and reopens a file store: mode=fiber", () => check("ours", "fiber", "file", true))

  for (const mode of ["best", "async"] as const) {
    it(`level writes, reads, scans and reopens: mode=${mode}`, () => check("level", mode, "file", true))
    it(`lmdb writes, reads, scans and reopens: mode=${mode}`, () => check("lmdb", mode, "file", true))
    it(`sqlite writes, reads, scans and reopens: mode=${mode}`, () => check("sqlite", mode, "file", true))
    it(`ours writes, reads, scans and reopens a file store: mode=${mode}`, () => check("ours", mode, "file", true))
    it(`ours writes, reads and scans a memory store: mode=${mode}`, () => check("ours", mode, "memory", false))
    it(`map writes, reads and scans: mode=${mode}`, () => check("map", mode, "memory", false))
    it(`uniffi writes, reads, scans and reopens a file store: mode=${mode}`, () => check("uniffi", mode, "file", true))
    it(`uniffi writes, reads and scans a memory store: mode=${mode}`, () => check("uniffi", mode, "memory", false))
  }

  for (const name of ["uniffi", "ours"] as const) {
    it.live(`${name} reopens a database in the S3 simulator`, () =>
      Effect.gen(function* () {
        const endpoint = yield* S3Simulator.start({ port: 0, putMillis: 0, getMillis: 0 })
        yield* Effect.promise(() => check(name, "best", "s3", true, { endpoint, bucket: "bench" }))
      }).pipe(Effect.scoped)
    )
  }

  it("refuses a store that an engine cannot stand on, instead of measuring another", () => {
    const engine = { name: "", version: "", open: () => Promise.reject(new Error("not opened")) }
    assert.strictEqual(storeOf({ ...engine, stores: ["memory", "s3"] }, "s3"), "s3")
    assert.isUndefined(storeOf({ ...engine, stores: [] }, "s3"))
    assert.throws(() => storeOf({ ...engine, stores: ["memory"] }, "s3"), /no such store: store=s3/)
  })

  it("answers nothing at once in the async mode", () =>
    withFolder((directory) =>
      Engines.withEngine("map", "async", async (engine) => {
        const options = { directory, path: "db", store: "memory", s3: undefined, settings: {}, mode: "async" } as const
        const database = await engine.open(options)
        assert.instanceOf(database.put(bytes("a"), bytes("1"), false), Promise)
        assert.instanceOf(database.get(bytes("a")), Promise)
        assert.instanceOf(database.get(bytes("b")), Promise)
        assert.instanceOf(
          database.scan({}, () => undefined),
          Promise
        )
      })
    ))

  it("ours takes settings by their SlateDB names, and refuses what is none", () => {
    assert.deepStrictEqual(
      Ours.settings({
        "file_store.fsync": true,
        "block_cache.bytes": 1024,
        flush_interval: "5ms",
        l0_sst_size_bytes: 1024,
        "compactor_options.poll_interval": "1s",
        "compactor_options.max_sst_size": 4096,
        "compactor_options.max_concurrent_compactions": 2
      }),
      {
        flushInterval: Duration.millis(5),
        l0SstSizeBytes: 1024,
        compactorPollInterval: Duration.seconds(1),
        maxSstSizeBytes: 4096,
        maxConcurrentCompactions: 2
      }
    )
    assert.strictEqual(Ours.settings({ compactor_options: null }).compactorEnabled, false)
    assert.doesNotThrow(() => Ours.settings({ garbage_collector_options: null }))
    assert.throws(() => Ours.settings({ compactor_options: {} }))
    assert.throws(() => Ours.settings({ no_setting: 1 }))
  })

  it("ours refuses a cache whose size is no number, instead of measuring another", async () => {
    const options = { directory: "", path: "db", store: "memory", s3: undefined, mode: "best" } as const
    const failure = await Ours.inFiber.open({ ...options, settings: { "block_cache.bytes": "1GiB" } }).then(
      () => undefined,
      (error: unknown) => error
    )
    assert.match(String(failure), /block_cache.bytes must be a number of bytes: found=1GiB/)
  })

  it("ours loads a table of level 0 for each part", async () => {
    const options = { directory: "", path: "db", store: "memory", s3: undefined, mode: "best" } as const
    const database = await Ours.inFiber.open({ ...options, settings: {} })
    await Load.run(database, { ...Load.defaults, entries: 1000, valueBytes: 10, parts: 3 })
    assert.strictEqual(database.level0Tables?.(), 3)
    await done(database, database.close())
  })

  it("names the versions of the peers", async () => {
    for (const name of ["uniffi", "ours", "level", "lmdb", "sqlite"] as const) {
      await Engines.withEngine(name, "best", (engine) => assert.match(engine.version, /^\d+\.\d+\.\d+/))
    }
  })
})
