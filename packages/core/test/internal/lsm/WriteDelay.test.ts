import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import * as WriteDelay from "../../../src/internal/lsm/WriteDelay.ts"

/** Memory of 1,000 bytes, level 0 of 8 tables, of which nothing is taken. */
const empty: WriteDelay.Load = {
  heldBytes: 0,
  heldBytesMax: 1000,
  waitingBytes: 0,
  l0Tables: 0,
  l0TablesMax: 8,
  waitingTables: 0
}
const held = (heldBytes: number, waitingBytes = heldBytes) => WriteDelay.pressure({ ...empty, heldBytes, waitingBytes })
const tables = (l0Tables: number, waitingTables = l0Tables) =>
  WriteDelay.pressure({ ...empty, l0Tables, waitingTables })

const growing = ["heldBytes", "waitingBytes", "l0Tables", "waitingTables"] as const

/** Numbers whose distance is not less than that of rounding: eighths. */
const upTo = (most: number) =>
  Arbitrary.map(Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 8 * most }))), (n) => n / 8)
const Amount = upTo(2000)
const Part = upTo(20)
const Share = upTo(1)
const Loads = {
  heldBytes: Amount,
  waitingBytes: Amount,
  l0Tables: Part,
  waitingTables: Part,
  more: Part,
  which: Arbitrary.schema(Schema.Literals(growing))
}
const loadOf = (parts: Pick<WriteDelay.Load, (typeof growing)[number]>): WriteDelay.Load => ({
  ...empty,
  heldBytes: parts.heldBytes,
  waitingBytes: parts.waitingBytes,
  l0Tables: parts.l0Tables,
  waitingTables: parts.waitingTables
})

describe("pressure", () => {
  it("is nothing up to half of the memory, then rises evenly to 1 where it is full", () => {
    assert.deepStrictEqual(
      [0, 499, 500, 750, 875, 1000, 5000].map((bytes) => held(bytes)),
      [0, 0, 0, 0.5, 0.75, 1, 1]
    )
  })

  it("is nothing up to three quarters of level 0, then rises evenly to 1 where it is full", () => {
    assert.deepStrictEqual(
      [0, 5.9, 6, 6.5, 7, 8, 100].map((count) => tables(count)),
      [0, 0, 0, 0.25, 0.5, 1, 1]
    )
  })

  it("counts what is above a threshold only as far as it waits to be flushed", () => {
    assert.strictEqual(held(1000, 0), 0)
    assert.strictEqual(held(1000, 100), 0.2)
    assert.strictEqual(tables(8, 0), 0)
    assert.strictEqual(tables(8, 1), 0.5)
  })

  it("is the greater of the two", () => {
    const both = { ...empty, heldBytes: 600, waitingBytes: 600, l0Tables: 7, waitingTables: 7 }
    assert.strictEqual(WriteDelay.pressure(both), 0.5)
    assert.strictEqual(WriteDelay.pressure({ ...both, heldBytes: 900, waitingBytes: 900 }), 0.8)
  })

  it.prop(
    "is from 0 to 1, falls in no part of the load, and moves no further than the load does",
    Loads,
    ({ more, which, ...parts }) => {
      const before = WriteDelay.pressure(loadOf(parts))
      const load = loadOf(parts)
      const after = WriteDelay.pressure({ ...load, [which]: load[which] + more })
      assert.isAtLeast(before, 0)
      assert.isAtMost(after, 1)
      assert.isAtLeast(after, before)
      const room = which === "heldBytes" || which === "waitingBytes" ? 500 : 2
      assert.isAtMost(after - before, more / room + 1e-9)
    },
    { arbitrary: { runs: 2000 } }
  )
})

describe("delay", () => {
  it("is the time of a flush of the same bytes half way to the limit, and twice of it there", () => {
    assert.strictEqual(WriteDelay.delayMillis(100, 0.5, 2), 50)
    assert.strictEqual(WriteDelay.delayMillis(100, 1, 2), 100)
  })

  it("is nothing where no time has passed, nothing is owed or nothing presses, and at most a second", () => {
    assert.strictEqual(WriteDelay.delayMillis(1e9, 1, Infinity), 0)
    assert.strictEqual(WriteDelay.delayMillis(0, 1, 0), 0)
    assert.strictEqual(WriteDelay.delayMillis(1e9, 0, 0), 0)
    assert.strictEqual(WriteDelay.delayMillis(1, 1, 0), WriteDelay.delayMillisMax)
    assert.strictEqual(WriteDelay.delayMillis(1e9, 1e-6, 1), WriteDelay.delayMillisMax)
  })

  it.prop(
    "never falls as bytes and pressure grow, nor as the drain falls; in proportion to the bytes below its bound",
    { bytes: Amount, more: Amount, one: Share, other: Share, drain: Amount },
    ({ bytes, drain, more, one, other }) => {
      const [low, high] = [Math.min(one, other), Math.max(one, other)]
      const delay = WriteDelay.delayMillis(bytes, low, drain)
      assert.isAtLeast(delay, 0)
      assert.isAtMost(delay, WriteDelay.delayMillisMax)
      assert.isAtLeast(WriteDelay.delayMillis(bytes + more, low, drain), delay)
      assert.isAtLeast(WriteDelay.delayMillis(bytes, high, drain), delay)
      assert.isAtMost(WriteDelay.delayMillis(bytes, low, drain + more), delay)
      const twice = WriteDelay.delayMillis(2 * bytes, low, drain)
      assert.isAtMost(Math.abs(Math.min(WriteDelay.delayMillisMax, 2 * delay) - twice), 1e-6)
    },
    { arbitrary: { runs: 2000 } }
  )
})

describe("the time to the stop", () => {
  it("is that of the room at the pace by which writers are faster", () => {
    assert.strictEqual(WriteDelay.millisToStop(1000, 3, 1), 500)
  })
  it("is none where they are not faster, and over where there is no room", () => {
    assert.isUndefined(WriteDelay.millisToStop(1000, 3, 3))
    assert.isUndefined(WriteDelay.millisToStop(1000, 3, Infinity))
    assert.strictEqual(WriteDelay.millisToStop(0, 0, 3), 0)
    assert.strictEqual(WriteDelay.millisToStop(-1, 3, 3), 0)
  })
})

/** Writers who write as fast as the rule lets them, ten bytes at a time, and a store that flushes evenly. */
it("leads writers of any speed to the pace of the flushes, without a stop", () => {
  for (const drain of [0.5, 3, 40]) {
    for (const writers of [drain * 1.1, drain * 3, drain * 1000]) {
      let bytes = 0
      let millis = 0
      const writes = 20_000
      let middle = 0
      for (let i = 0; i < writes; i++) {
        const writeMillis = 10 / writers + WriteDelay.delayMillis(10, held(bytes), drain)
        millis += writeMillis
        bytes = Math.max(0, bytes + 10 - writeMillis * drain)
        assert.isBelow(bytes, 800)
        if (i === writes / 2) middle = millis
      }
      assert.approximately((10 * (writes / 2)) / (millis - middle), drain, 0.01 * drain)
    }
  }
})
