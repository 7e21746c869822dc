import { assert, describe, it } from "@effect/vitest"
import { FlushRate } from "../../../src/internal/lsm/FlushRate.ts"

/** A database whose memtables have so many bytes. */
const memtableBytes = 100

const database = (options: { readonly waiting?: number } = {}) => {
  const counts = { written: 0, flushed: 0, waiting: options.waiting ?? 0 }
  const totals = () => ({
    writtenBytes: counts.written,
    flushedBytes: counts.flushed * memtableBytes,
    nextBytes: counts.waiting > 0 ? memtableBytes : 0
  })
  const rate = new FlushRate(0, totals())
  const note = (millis: number) => rate.note(millis, totals())
  return {
    freeze: (millis: number) => {
      counts.waiting++
      counts.written += memtableBytes
      note(millis)
    },
    flush: (millis: number, memtables = 1) => {
      counts.waiting -= memtables
      counts.flushed += memtables
      note(millis)
    },
    note,
    drain: (millis: number) => rate.drain(millis, totals().nextBytes),
    fill: (millis: number, openBytes = 0) => rate.fill(millis, counts.written + openBytes)
  }
}

describe("drain", () => {
  it("is without bound before there is anything to measure, and where time stands still", () => {
    const db = database()
    assert.strictEqual(db.drain(1e6), Infinity)
    db.freeze(1e6)
    assert.strictEqual(db.drain(1e6), Infinity)
    db.flush(1e6)
    assert.strictEqual(db.drain(2e6), Infinity)
  })

  it("is what was flushed in the time in which something waited", () => {
    const db = database()
    db.freeze(1000)
    db.flush(1010)
    assert.strictEqual(db.drain(1010), 10)
    // At rest for an hour: that is not the store's doing.
    assert.strictEqual(db.drain(3_600_000), 10)
    db.freeze(3_600_000)
    db.flush(3_600_030)
    assert.strictEqual(db.drain(3_600_030), 5)
  })

  it("is not disturbed by what is frozen, or noted, between two flushes", () => {
    const db = database()
    db.freeze(0)
    db.flush(20)
    db.freeze(20)
    for (const millis of [22, 25, 31]) db.note(millis)
    db.freeze(33)
    assert.strictEqual(db.drain(35), 5)
    db.flush(40)
    assert.strictEqual(db.drain(40), 5)
    db.flush(60)
    assert.strictEqual(db.drain(60), 5)
  })

  it("falls smoothly while a flush takes longer than those before, and without end while none ends", () => {
    const db = database()
    db.freeze(0)
    db.flush(20)
    db.freeze(20)
    let before = db.drain(20)
    assert.strictEqual(before, 5)
    for (let millis = 21; millis < 10_000; millis++) {
      const rate = db.drain(millis)
      assert.isAtMost(rate, before)
      // At most by what a millisecond more means.
      assert.isAbove(rate, before * (1 - 1 / (millis - 1)) - 1e-9)
      assert.strictEqual(rate === 5, millis <= 40)
      before = rate
    }
    assert.isBelow(before, 0.03)
  })

  it("is that of what waits before the first flush ends", () => {
    const db = database({ waiting: 3 })
    assert.strictEqual(db.drain(50), 2)
    assert.strictEqual(db.drain(100), 1)
  })

  it("forgets what is eight flushes ago", () => {
    const db = database()
    let millis = 0
    const flushIn = (duration: number) => {
      db.freeze(millis)
      millis += duration
      db.flush(millis)
    }
    for (let i = 0; i < 8; i++) flushIn(1000)
    assert.strictEqual(db.drain(millis), 0.1)
    for (let i = 0; i < 8; i++) flushIn(10)
    assert.strictEqual(db.drain(millis), 10)
  })

  it("forgets an hour without a store once flushes after it took five seconds", () => {
    const db = database()
    db.freeze(0)
    let millis = 3_600_000
    db.flush(millis)
    for (let i = 0; i < 5; i++) {
      assert.isBelow(db.drain(millis), 0.001)
      db.freeze(millis)
      millis += 1000
      db.flush(millis)
    }
    assert.strictEqual(db.drain(millis), 0.1)
  })

  it("takes several that are flushed together as one flush", () => {
    const db = database({ waiting: 4 })
    db.flush(100, 4)
    assert.strictEqual(db.drain(100), 4)
  })
})

describe("fill", () => {
  it("is what was written since a note that is a second old or older", () => {
    const db = database()
    assert.strictEqual(db.fill(0), 0)
    db.freeze(1000)
    assert.strictEqual(db.fill(1000), 0.1)
    assert.strictEqual(db.fill(2000, 4900), 4.9)
    // Notes that are too close are not begun at.
    db.note(1200)
    db.note(1400)
    assert.strictEqual(db.fill(2000, 4900), 4.9)
    db.freeze(2000)
    assert.strictEqual(db.fill(2500), 100 / 1500)
    assert.strictEqual(db.fill(3000), 0)
  })
})
