import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as OpenLoop from "../../src/tail/OpenLoop.ts"
import * as Tail from "../../src/tail/Tail.ts"
import * as TailReport from "../../src/tail/TailReport.ts"

describe("TailReport", () => {
  it("counts percentiles of values in any order, and the worst is the greatest", () => {
    const values = Float64Array.from({ length: 1000 }, (_, i) => (i * 7919) % 1000)
    assert.deepStrictEqual(TailReport.percentiles(values), { count: 1000, p50: 500, p99: 990, p999: 999, worst: 999 })
    assert.isNaN(TailReport.percentiles(new Float64Array(0)).worst)
  })

  it("names beside a delay what was collected in it, and nothing else", () => {
    const collections = [
      { kind: "minor", from: 0, to: 10 },
      { kind: "major", from: 15, to: 25 },
      { kind: "minor", from: 29, to: 31 },
      { kind: "major", from: 30, to: 40 }
    ] as const
    assert.deepStrictEqual(TailReport.delay({ from: 10, to: 30 }, -990, collections), {
      atSeconds: 1,
      millis: 20,
      collections: [
        { kind: "major", millis: 10 },
        { kind: "minor", millis: 2 }
      ]
    })
    const { count, millis, worst } = TailReport.summaryOf(collections)
    assert.deepStrictEqual([count, millis, worst], [4, 32, collections[0]])
  })
})

describe("OpenLoop", () => {
  it("keeps to the schedule whatever the time between two turns", () => {
    assert.strictEqual(OpenLoop.dueAt(0, 1000), 1)
    assert.strictEqual(OpenLoop.dueAt(0.9, 1000), 1)
    assert.strictEqual(OpenLoop.dueAt(20, 1000), 21)
  })

  it("counts latency from the moment an operation was to begin: all that fall into a stall see it", async () => {
    const stall = Effect.sync(() => {
      const end = performance.now() + 50
      while (performance.now() < end);
    })
    const { getMicros, putMicros } = await OpenLoop.offer(
      (n) => ({ isPut: false, effect: n === 10 ? stall : Effect.void }),
      1000,
      0.2
    )
    assert.strictEqual(putMicros.length, 0)
    assert.strictEqual(getMicros.length, 200)
    assert.isAtLeast(getMicros.filter((micros) => micros > 10_000).length, 30)
  })
})

const small: Tail.Options = {
  threads: 0,
  entries: 2000,
  valueBytes: 100,
  putPercent: 50,
  loadPercent: 25,
  seconds: 0.3,
  warmUpSeconds: 0.1,
  maximumSeconds: 0.2,
  compaction: false,
  database: { path: "db", directory: "", store: "memory", s3: undefined, settings: {} }
}

it("a run offers the share of the maximum that it is told, and says what it saw", { timeout: 30_000 }, async () => {
  const report = await Effect.runPromise(Tail.run(small))
  assert.closeTo(report.offeredPerSecond, report.maximumPerSecond / 4, 1)
  assert.strictEqual(report.getMicros.count + report.putMicros.count, Math.floor(report.offeredPerSecond * 0.3))
  assert.isAbove(report.putMicros.count, 0)
  const { getMicros, putMicros } = report.warmUp
  assert.strictEqual(getMicros.count + putMicros.count, Math.floor(report.offeredPerSecond * 0.1))
  assert.strictEqual(report.compactions.count, 0)
  assert.include(TailReport.text(report), "longest turn of the engine")
})

it("a run compacts meanwhile when it is told so, and counts it", { timeout: 30_000 }, async () => {
  const settings = { l0_sst_size_bytes: 16 * 1024, "compactor_options.poll_interval": "5ms" }
  const report = await Effect.runPromise(
    Tail.run({ ...small, seconds: 1, compaction: true, database: { ...small.database, settings } })
  )
  assert.isAbove(report.compactions.count, 0)
  assert.isAbove(report.compactions.megabytes, 0)
  assert.isAbove(report.tablesWritten, report.compactions.count)
})
