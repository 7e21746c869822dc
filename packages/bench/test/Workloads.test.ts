import { assert, describe, it } from "@effect/vitest"
import { engine as map } from "../src/adapters/SortedMap.ts"
import type { Database } from "../src/Engine.ts"
import * as Key from "../src/Key.ts"
import * as Load from "../src/Load.ts"
import * as Permutation from "../src/Permutation.ts"
import * as Random from "../src/Random.ts"
import * as Values from "../src/Values.ts"
import type { Outcome, Parameters } from "../src/Workload.ts"
import { merged } from "../src/Workload.ts"
import * as Workloads from "../src/Workloads.ts"

type Promised = Database<Promise<unknown>>

const parameters: Parameters = {
  operationsMax: 200,
  entries: 100,
  valueBytes: 50,
  batchEntries: 20,
  seconds: 0.02,
  lanes: 1,
  durable: false,
  putPercent: 20,
  keysPerLane: 30,
  scanLimit: undefined,
  writesPerSecond: undefined,
  preload: false,
  seed: 1
}

const opened = (): Promise<Promised> =>
  map.open({ directory: "", path: "db", store: "memory", s3: undefined, settings: {}, mode: "best" })

const loaded = async (): Promise<Promised> => {
  const database = await opened()
  await Load.run(database, { entries: 100, valueBytes: 50, batchEntries: 30, flush: true, parts: 1, touch: false })
  return database
}

const scanned = (database: Promised): ReadonlyArray<string> => {
  const keys: Array<string> = []
  void database.scan({}, (key) => keys.push(Buffer.from(key).toString()))
  return keys
}

const expectFailure = async (run: Promise<unknown>, message: RegExp): Promise<void> => {
  const failure = await run.then(
    () => undefined,
    (error: unknown) => error
  )
  assert.instanceOf(failure, Error)
  assert.match(String(failure), message)
}

describe("Workloads", () => {
  for (const name of Workloads.names) {
    for (const lanes of [1, 3]) {
      it(`${name} runs and counts: lanes=${lanes}`, async () => {
        const workload = Workloads.byName[name]
        assert.strictEqual(workload.name, name)
        const database = workload.database === "loaded" ? await loaded() : await opened()
        const outcome = await workload.run(database, { ...parameters, lanes })
        assert.isAbove(outcome.operations, 0)
        assert.isAbove(outcome.elapsed.nanoseconds, 0)
        assert.isTrue(outcome.bytes > 0 || name === "readmissing")
      })
    }
  }

  it("fillbatch writes every key once", async () => {
    const database = await opened()
    const outcome = await Workloads.byName.fillbatch.run(database, { ...parameters, seconds: 10 })
    assert.strictEqual(outcome.operations, 200)
    assert.deepStrictEqual(
      scanned(database),
      Array.from({ length: 200 }, (_, index) => Key.make(index).toString())
    )
  })

  it("do no more operations than asked, whatever the lanes", async () => {
    const outcome = await Workloads.byName.fillseq.run(await opened(), { ...parameters, seconds: 10, lanes: 7 })
    assert.strictEqual(outcome.operations, 200)
  })

  it("stop when the time is over", async () => {
    const database = await opened()
    const slow: Promised = { ...database, put: () => new Promise((resolve) => setTimeout(resolve, 5)) }
    const course = { ...parameters, operationsMax: 1e9, lanes: 2 }
    const outcome = await Workloads.byName.durableput.run(slow, course)
    assert.isBelow(outcome.operations, 20)
  })

  it("begin the time of durable puts with the tick of the engine", async () => {
    const database = await opened()
    let puts = 0
    const counting: Promised = {
      ...database,
      put: (key, value, durable) => {
        puts++
        return database.put(key, value, durable)
      }
    }
    const durable = await Workloads.byName.durableput.run(counting, { ...parameters, seconds: 10 })
    assert.deepStrictEqual([durable.operations, puts], [200, 201])
    puts = 0
    const lazy = await Workloads.byName.fillseq.run(counting, { ...parameters, seconds: 10 })
    assert.deepStrictEqual([lazy.operations, puts], [200, 200])
  })

  it("fail when a key is not found", async () => {
    const database = await loaded()
    void database.delete(Key.make(5), false)
    for (const name of ["readrandom", "readwhilewriting"] as const) {
      const course = { ...parameters, operationsMax: 5000, seconds: 0.2 }
      const forgetful: Promised = { ...database, put: () => undefined }
      await expectFailure(Workloads.byName[name].run(forgetful, course), /wrong answers/)
    }
    await expectFailure(Workloads.byName.readseq.run(database, parameters), /wrong number of entries/)
  })

  it("fail when a value has the wrong length, also when it comes late", async () => {
    const database = await loaded()
    const wrong = Buffer.alloc(49)
    const early: Promised = { ...database, get: () => wrong }
    const late: Promised = { ...database, get: () => Promise.resolve(wrong) }
    for (const bad of [early, late]) {
      await expectFailure(Workloads.byName.readrandom.run(bad, parameters), /wrong answers/)
      await expectFailure(Workloads.byName.readmissing.run(bad, parameters), /wrong answers/)
    }
  })

  it("fail when a seek finds fewer entries than there are", async () => {
    const database = await loaded()
    const short: Promised = { ...database, scan: (range, visit) => database.scan({ ...range, limit: 9 }, visit) }
    await expectFailure(Workloads.byName.seekrandom.run(short, parameters), /wrong number of entries/)
  })

  it("bencher loads its keys first when it does not put, or is told to", async () => {
    const reading = await Workloads.byName.bencher.run(await opened(), { ...parameters, putPercent: 0, lanes: 2 })
    assert.deepInclude(reading.extra, { putsPerSecond: 0, hitPercent: 100 })
    const mixed = await Workloads.byName.bencher.run(await opened(), { ...parameters, preload: true, lanes: 2 })
    assert.deepInclude(mixed.extra, { hitPercent: 100 })
    assert.isAbove(mixed.extra?.putsPerSecond ?? 0, 0)
  })

  it("durableput puts into a database that holds the entries when it is told to", async () => {
    const database = await opened()
    const outcome = await Workloads.byName.durableput.run(database, { ...parameters, operationsMax: 5, preload: true })
    assert.strictEqual(outcome.operations, 5)
    assert.strictEqual(scanned(database).length, parameters.entries)
  })

  it("are loaded in parts that are flushed one by one, each of them all over the keys", async () => {
    const database = await opened()
    const flushedAt: Array<number> = []
    const counting: Promised = {
      ...database,
      flush: () => {
        flushedAt.push(scanned(database).length)
        return database.flush()
      }
    }
    await Load.run(counting, { ...Load.defaults, entries: 103, valueBytes: 5, parts: 4, batchEntries: 10 })
    assert.deepStrictEqual(flushedAt, [25, 50, 75, 103])
  })

  it("can be loaded with reads at the end, one in each block at least", async () => {
    const database = await opened()
    const read: Array<string> = []
    const reading: Promised = {
      ...database,
      get: (key) => {
        read.push(key.toString())
        return database.get(key)
      }
    }
    await Load.run(reading, { ...Load.defaults, entries: 100, valueBytes: 496, touch: true })
    assert.deepStrictEqual(
      read,
      Array.from({ length: 25 }, (_, index) => Key.make(index * 4).toString())
    )
  })

  it("are repeated as one: sums, and the latencies in order", () => {
    const outcome = (operations: number, latencies: ReadonlyArray<number>): Outcome => ({
      operations,
      bytes: 10,
      elapsed: { nanoseconds: 5, cpuMicros: 7 },
      latencies: Float64Array.from(latencies),
      extra: { batches: operations }
    })
    assert.deepStrictEqual(merged([outcome(1, [3, 10]), outcome(2, [2, 9])]), {
      operations: 3,
      bytes: 20,
      elapsed: { nanoseconds: 10, cpuMicros: 14 },
      latencies: Float64Array.from([2, 3, 9, 10]),
      extra: { batches: 2 }
    })
  })
})

describe("Inputs of the workloads", () => {
  it("a permutation gives every index once, then begins again", () => {
    for (const size of [1, 2, 10, 97, 1000]) {
      const next = Permutation.make(size)
      const round = () => Array.from({ length: size }, next)
      const first = round()
      assert.deepStrictEqual(
        first.toSorted((a, b) => a - b),
        Array.from({ length: size }, (_, index) => index)
      )
      assert.deepStrictEqual(round(), first)
    }
  })

  it("keys sort as their indexes do, and missing ones lie between them", () => {
    for (const index of [0, 9, 10, 4_294_967_295, 9_999_999_998]) {
      assert.strictEqual(Key.make(index).toString(), String(index).padStart(16, "0"))
      assert.isBelow(Buffer.compare(Key.make(index), Key.make(index + 1)), 0)
      assert.notStrictEqual(Buffer.compare(Key.make(index), Key.missing(index)), 0)
    }
  })

  it("the same seed gives the same numbers, and zero is a seed", () => {
    const first = Random.make(42)
    const second = Random.make(42)
    for (let i = 0; i < 100; i++) assert.strictEqual(first(), second())
    assert.notStrictEqual(Random.make(0)(), 0)
  })

  it("values have their length at every place of the pool", () => {
    const value = Values.make(Values.poolBytes - 1, 0.5)
    const random = Random.make(1)
    for (let i = 0; i < 10; i++) assert.strictEqual(value(random).length, Values.poolBytes - 1)
  })

  it("readwhilewriting writes no more than the rate that it is given, and about as much", async () => {
    const course = { ...parameters, seconds: 0.5, writesPerSecond: 400 }
    const { extra, operations } = await Workloads.byName.readwhilewriting.run(await loaded(), course)
    assert.isAbove(operations, 0)
    assert.isAtMost(extra?.["writesPerSecond"] ?? NaN, 410)
    assert.isAbove(extra?.["writesPerSecond"] ?? NaN, 0)
  })
})
